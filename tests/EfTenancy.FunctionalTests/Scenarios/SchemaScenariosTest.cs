using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenarios of the schema, under their numbers: the tenant in keys, unique indexes and foreign keys.</summary>
public class SchemaScenariosTest(ShopFixture shop, PostgresFixture postgres) : IClassFixture<ShopFixture>, IAsyncLifetime
{
    private static readonly Action<TenantPartitioningBuilder> TwoTenants = x => x.ByList().AddTenants("Green", "Red");

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Scenario_21_the_primary_key_is_tenant_then_id()
    {
        string[] expected =
        [
            "Customers (TenantId, Id)", "Invoices (TenantId, Id)", "OrderLines (TenantId, Id)", "Orders (TenantId, Id)", "Regions (Id)",
        ];
        Assert.Equal(expected, await IndexesAsync(shop.Database, "i.indisprimary"));

        // The primary key serves the tenant, so no index has the tenant alone.
        Assert.DoesNotContain(await IndexesAsync(shop.Database, "true"), i => i.EndsWith("(TenantId)", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Scenario_21_an_option_gives_id_then_tenant_and_an_index_on_the_tenant()
    {
        await using (var context = new ShopContext(
                         new DbContextOptionsBuilder<ShopContext>().UseTestDatabase(_database.ConnectionString)
                             .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant)).Options))
        {
            await context.Database.EnsureCreatedAsync();
        }

        Assert.Equal(
            [
                "Customers (Id, TenantId)", "Invoices (Id, TenantId)", "OrderLines (Id, TenantId)", "Orders (Id, TenantId)", "Regions (Id)",
            ],
            await IndexesAsync(_database, "i.indisprimary"));

        // The unique index of the customers serves the tenant as it is.
        Assert.Equal(
            ["Customers (TenantId, Email)", "Invoices (TenantId)", "OrderLines (TenantId)", "Orders (TenantId)"],
            (await IndexesAsync(_database, "true")).Where(i => i.Contains("(TenantId", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scenario_22_a_unique_index_allows_duplicates_across_tenants_and_none_within_one(bool partitioned)
    {
        Action<ModelBuilder> model = b =>
        {
            b.Entity<Happening>().HasIndex(e => e.Name).IsUnique();
            if (partitioned)
            {
                PartitionContext.Partitioned(TwoTenants)(b);
            }
        };
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = await CreatedAsync(tenant, model);
            context.Add(new Happening { Name = "one" });
            await context.SaveChangesAsync();

            context.Add(new Happening { Name = "one" });
            var exception = await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync());
            Assert.Equal(PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>(exception.InnerException).SqlState);
        }

        Assert.Equal(["Green one", "Red one"], await _database.ColumnAsync("""SELECT "TenantId" || ' ' || "Name" FROM "Events" ORDER BY 1"""));
        Assert.Equal(["Events (TenantId, Name)"], await IndexesAsync(_database, "i.indisunique AND NOT i.indisprimary"));
    }

    [Fact]
    public async Task Scenario_23_a_global_unique_index_on_a_partitioned_table_fails_with_a_clear_message()
    {
        await AssertRefusedAsync(
            b =>
            {
                PartitionContext.Partitioned(TwoTenants)(b);
                b.Entity<Happening>().HasIndex(e => e.Name).IsUnique().IsGlobal();
            },
            "{Name} of 'Happening' is unique over all tenants",
            "Remove IsGlobal()",
            "Entity<Happening>().DoNotPartition()");

        // What the message advises.
        await using var green = await CreatedAsync(
            "Green",
            b =>
            {
                PartitionContext.Partitioned(TwoTenants)(b);
                b.Entity<Happening>().DoNotPartition().HasIndex(e => e.Name).IsUnique().IsGlobal();
            });
        green.Add(new Happening { Name = "one" });
        green.Tenancy().ForTenant("Red").Add(new Happening { Name = "one" });
        await Assert.ThrowsAsync<DbUpdateException>(() => green.SaveChangesAsync());
        Assert.Equal(["Events (Name)"], await IndexesAsync(_database, "i.indisunique AND NOT i.indisprimary"));
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Events" """));
    }

    [Fact]
    public async Task Scenario_24_a_foreign_key_between_tenants_types_leads_with_the_tenant_on_both_sides()
    {
        Assert.Equal(
            [
                "OrderLines (TenantId, OrderId) to Orders (TenantId, Id)", "Orders (TenantId, CustomerId) to Customers (TenantId, Id)",
            ],
            (await ForeignKeysAsync(shop.Database)).Where(f => !f.Contains("Regions", StringComparison.Ordinal)));

        await using var database = await shop.CloneAsync();
        var red = await database.RowsOfAsync("Red");
        await database.ExecuteAsync("""DELETE FROM "OrderLines" WHERE "TenantId" = 'Green'; DELETE FROM "Orders" WHERE "TenantId" = 'Green' """);
        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => database.ExecuteAsync("""INSERT INTO "OrderLines" ("TenantId", "OrderId", "Quantity") VALUES ('Green', 1, 1)"""));
        Assert.Equal(PostgresErrorCodes.ForeignKeyViolation, refused.SqlState);
        Assert.Equal(red, await database.RowsOfAsync("Red"));
    }

    [Fact]
    public async Task Scenario_25_a_foreign_key_to_a_global_type_omits_the_tenant()
    {
        Assert.Equal(
            ["Customers (RegionId) to Regions (Id)"],
            (await ForeignKeysAsync(shop.Database)).Where(f => f.Contains("Regions", StringComparison.Ordinal)));
        Assert.Equal(
            3, await shop.Database.ScalarAsync<int>("""SELECT count(DISTINCT "TenantId") FROM "Customers" WHERE "RegionId" = 1"""));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Scenario_26_a_reference_without_the_full_key_fails_at_model_validation(bool partitioned)
    {
        Action<ModelBuilder> principal = b =>
        {
            if (partitioned)
            {
                b.Entity<Happening>().IsPartitionedByTenant(TwoTenants);
            }
        };

        // From a global type.
        await AssertRefusedAsync(
            b =>
            {
                principal(b);
                b.Entity<Remark>().IsSingleTenanted();
            },
            "'Remark' references the multi-tenanted entity 'Happening' through {HappeningId}",
            "Entity<Remark>().IsMultiTenanted()",
            "Entity<Happening>().IsSingleTenanted()");

        // From a tenant's type, through a column that may name any tenant.
        await AssertRefusedAsync(
            b =>
            {
                principal(b);
                b.Entity<Happening>().Property<string>("TenantId");
                b.Entity<Happening>().HasKey("TenantId", nameof(Happening.Id));
                b.Entity<Happening>().HasMany(e => e.Remarks).WithOne().HasForeignKey(nameof(Remark.Text), nameof(Remark.HappeningId));
            },
            "from 'Remark' to 'Happening' through {Text, HappeningId}",
            "HasForeignKey(...)",
            "IsSingleTenanted()");

        // With the full key a plain table may reference a partitioned one.
        await using var green = await CreatedAsync(
            "Green",
            b =>
            {
                principal(b);
                b.Entity<Remark>().DoNotPartition();
            });
        Assert.Equal(["Remarks (TenantId, HappeningId) to Events (TenantId, Id)"], await ForeignKeysAsync(_database));
        green.Add(new Happening { Name = "x", Remarks = { new Remark() } });
        await green.SaveChangesAsync();
    }

    private async Task<PartitionContext> CreatedAsync(string tenant, Action<ModelBuilder> model)
    {
        var context = PartitionContext.For(_database.ConnectionString, tenant, model);
        await context.Database.EnsureCreatedAsync();
        return context;
    }

    private async Task AssertRefusedAsync(Action<ModelBuilder> model, params string[] message)
    {
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => CreatedAsync("Green", model));
        Assert.All(message, part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
        Assert.Empty(await _database.ColumnAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"));
    }

    private static Task<List<string>> IndexesAsync(TestDatabase database, string condition)
        => database.ColumnAsync(
            $"""
            SELECT c.relname || ' (' || string_agg(a.attname, ', ' ORDER BY k.place) || ')'
            FROM pg_index i
            JOIN pg_class c ON c.oid = i.indrelid AND NOT c.relispartition AND c.relnamespace = 'public'::regnamespace
            CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k(attnum, place)
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum
            WHERE {condition} GROUP BY c.relname, i.indexrelid ORDER BY 1
            """);

    private static Task<List<string>> ForeignKeysAsync(TestDatabase database)
        => database.ColumnAsync(
            """
            SELECT replace(conrelid::regclass || ' ' || substring(pg_get_constraintdef(f.oid) FROM '\(.*?\)') || ' to '
                || confrelid::regclass || ' ' || substring(pg_get_constraintdef(f.oid) FROM 'REFERENCES .*?(\(.*?\))'), '"', '')
            FROM pg_constraint f WHERE contype = 'f' AND conparentid = 0 ORDER BY 1
            """);
}
