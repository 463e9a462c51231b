using EfTenancy.Administration;
using EfTenancy.Administration.Internal;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;
using Remark = EfTenancy.TenantProcess.Remark;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>In how many transactions the partitions of tenants go.</summary>
public class TenantRemovalTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private WarehouseContext _context = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        _context = WarehouseContext.Create(_database.ConnectionString);
        await _context.Database.EnsureCreatedAsync();
        await _database.ExecuteAsync(
            """
            CREATE TABLE public.dropped (transaction bigint, name text);
            CREATE FUNCTION public.note_dropped() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                INSERT INTO public.dropped SELECT txid_current(), object_name FROM pg_event_trigger_dropped_objects() WHERE object_type = 'table';
            END $$;
            CREATE EVENT TRIGGER note_dropped ON sql_drop EXECUTE FUNCTION public.note_dropped();
            """);
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Tables_without_rows_to_delete_lose_a_tenant_in_one_transaction()
    {
        await Add("kept");

        // The table that references itself needs its rows deleted first.
        await UntilQuickEnough(
            [9, 1],
            async () =>
            {
                await Add("gone");
                var result = await Tenants.RemoveAsync(["gone"]);
                Assert.All(result.Tables, t => Assert.Equal(1, t.Changes));
                Assert.Equal(10, result.Tables.Count);
            });
        await AssertWhole("kept");
    }

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId, true, false)]
    [InlineData(TenantKeyStyle.TenantThenId, false, false)]
    [InlineData(TenantKeyStyle.TenantThenId, true, true)]
    [InlineData(TenantKeyStyle.TenantThenId, false, true)]
    [InlineData(TenantKeyStyle.IdThenTenant, true, false)]
    [InlineData(TenantKeyStyle.IdThenTenant, false, false)]
    [InlineData(TenantKeyStyle.IdOnly, false, false)]
    public async Task A_tenant_that_an_older_model_removes_leaves_no_rows_in_tables_of_a_newer_one(TenantKeyStyle keys, bool isManaged, bool wasGlobal)
    {
        await using var database = await postgres.CreateDatabaseAsync();
        Func<string?, KeyStyleContext> older = t => new(database.ConnectionString, keys, isManaged, isNewer: false, wasGlobal, t);
        Func<string?, KeyStyleContext> newer = t => new(database.ConnectionString, keys, isManaged, isNewer: true, wasGlobal, t);
        await using var administration = older(null);
        await using var later = newer(null);
        await later.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
        await later.GetService<IHistoryRepository>().CreateAsync();
        await database.ExecuteAsync("""INSERT INTO "__EFMigrationsHistory" VALUES ('20260101000000_KeyStyle', '10.0.0'), ('20270101000000_Later', '10.0.0')""");
        await later.Tenancy().Administration.AddAsync(["gone", "kept"]);
        foreach (var tenant in (string[])["gone", "kept"])
        {
            await using var context = newer(tenant);
            context.Add(new Product { Id = tenant[0] });
            context.Add(new Customer { Id = tenant[0], Remarks = { new Remark { Id = tenant[0] } } });
            await context.SaveChangesAsync();
        }

        // What does not tell by itself that it has rows of tenants is not touched, and then nothing is.
        var kept = await database.RowsOfAsync("kept");
        var gone = await database.RowsOfAsync("gone");
        Assert.Equal((3, 3), (kept.Count, gone.Count));
        var remover = administration;
        if (wasGlobal || (!isManaged && keys != TenantKeyStyle.TenantThenId))
        {
            var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => administration.Tenancy().Administration.RemoveAsync(["gone"]));
            Assert.Equal((TenantDatabaseError.MigrationsAhead, "gone", TenantDestination.Home), (refused.Error, refused.TenantId, refused.Destination));
            Assert.Contains("public.\"New", refused.Message, StringComparison.Ordinal);
            Assert.Contains("20270101000000_Later", refused.Message, StringComparison.Ordinal);
            Assert.Equal(gone, await database.RowsOfAsync("gone"));
            remover = later;
        }

        await remover.Tenancy().Administration.RemoveAsync(["gone"]);
        Assert.Empty(await database.RowsOfAsync("gone"));
        Assert.Equal(kept, await database.RowsOfAsync("kept"));
    }

    [Fact]
    public async Task Many_tenants_go_a_few_at_a_time()
    {
        string[] going = [.. Enumerable.Range(0, 5).Select(i => $"t{i}")];
        await Add("kept");
        var told = new List<TenantProgress>();

        await UntilQuickEnough(
            [18, 18, 9],
            async () =>
            {
                await Add(going);
                told.Clear();
                await Tenants.RemoveAsync(going, progress: new Told(told.Add));
                Assert.Equal(50, (await PartitionsOfTransactions()).Sum());
            });
        Assert.Equal([(2, 5), (4, 5), (5, 5)], told.Where(p => p.Table == "public.Payment").Select(p => (p.Done, p.Total)));
        await AssertWhole("kept");
    }

    [Fact]
    public async Task Beside_a_lock_that_stays_tables_go_one_by_one_until_the_one_that_cannot()
    {
        await Add("gone", "kept");
        await using (var blocker = new NpgsqlConnection(_database.ConnectionString))
        {
            await blocker.OpenAsync();
            await using var transaction = await blocker.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("""LOCK TABLE "Orders" IN ROW EXCLUSIVE MODE""", blocker);
            await command.ExecuteNonQueryAsync();

            var exception = await Assert.ThrowsAsync<TenantAdministrationException>(() => Impatient().RemoveAsync(["gone"]));

            // It references the orders.
            Assert.Equal("public.Invoice", Assert.Single(exception.Tables, t => t.Error is not null).Table);
        }

        Assert.Equal(["Payment_gone", "Shipment_gone", "OrderLines_gone"], await _database.ColumnAsync("SELECT name FROM public.dropped ORDER BY transaction"));
        Assert.Equal([1, 1, 1], await PartitionsOfTransactions());
        Assert.Equal([TenantState.Removing, TenantState.Active], (await Tenants.ListAsync()).Select(t => t.State));

        await Tenants.RemoveAsync(["gone"]);
        await AssertWhole("kept");
    }

    [Theory]
    [InlineData("""ALTER TABLE "Payment" DETACH PARTITION "Payment_a"; ALTER TABLE "Payment" ATTACH PARTITION "Payment_a" FOR VALUES IN ('a', 'b')""")]
    [InlineData("""ALTER TABLE "Payment" DETACH PARTITION "Payment_a" """)]
    [InlineData(
        """
        ALTER TABLE "Payment" DETACH PARTITION "Payment_a"; ALTER TABLE "Payment_a" RENAME TO "old";
        CREATE TABLE "Payment_a" PARTITION OF "Payment" FOR VALUES IN ('a')
        """)]
    public async Task Partitions_that_were_changed_since_they_were_seen_stay(string change)
    {
        await Add("a");
        var database = new TenantDatabase(_context, new TenantAdministrationOptions());
        await using var connection = await database.OpenAsync(CancellationToken.None);
        var catalog = await TenantCatalog.LoadAsync(connection, database, CancellationToken.None);
        var childrenFirst = catalog.Tables.Where(t => t.Name is "Payment" or "Shipment").Reverse()
            .Select(t => (t, (IReadOnlyList<TenantTablePartition>)t.Partitions)).ToList();
        Assert.Equal(2, childrenFirst.Count);
        var dropper = new TenantPartitionDropper(database, connection, catalog);
        await _database.ExecuteAsync(change);

        Assert.False(await dropper.TryDropAttachedAsync(childrenFirst, p => p.Values is ["a"], CancellationToken.None));

        Assert.Empty(await PartitionsOfTransactions());
    }

    // What RemoveAsync does where the names matter, which is since PostgreSQL 18.
    [Fact]
    public async Task Foreign_keys_of_a_partition_that_goes_get_names_that_nothing_else_has()
    {
        await Add("gone", "kept");
        var database = new TenantDatabase(_context, new TenantAdministrationOptions());
        const string Others = """SELECT conrelid::regclass || ' ' || conname FROM pg_constraint WHERE conrelid <> '"OrderLines_gone"'::regclass ORDER BY 1""";
        var others = await _database.ColumnAsync(Others);

        await _database.ExecuteAsync(database.PartitionSql.RenameForeignKeys("\"OrderLines_gone\""));

        var keys = await _database.ColumnAsync("""SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = '"OrderLines_gone"'::regclass""");
        Assert.NotEmpty(keys);
        Assert.All(keys, k => Assert.Matches("^detached[0-9]+$", k));
        Assert.Equal(others, await _database.ColumnAsync(Others));

        await Tenants.RemoveAsync(["gone"]);
        await AssertWhole("kept");
    }

    private ITenantAdministration Tenants
        => _context.Tenancy().Administration;

    private ITenantAdministration<WarehouseContext> Impatient()
        => new ServiceCollection()
            .AddScoped(_ => WarehouseContext.Create(_database.ConnectionString))
            .AddTenantAdministration<WarehouseContext>(o => o.RetryTimeout = TimeSpan.FromSeconds(1))
            .BuildServiceProvider().GetRequiredService<ITenantAdministration<WarehouseContext>>();

    private async Task Add(params string[] tenants)
    {
        await Tenants.AddAsync(tenants);
        foreach (var tenant in tenants)
        {
            await using var context = WarehouseContext.Create(_database.ConnectionString, tenant);
            context.AddRows(1);
            await context.SaveChangesAsync();
        }
    }

    // What takes too long, as on a machine that is busy with other tests, is undone and goes table by table.
    private async Task UntilQuickEnough(int[] first, Func<Task> removal)
    {
        for (var attempt = 1;; attempt++)
        {
            await _database.ExecuteAsync("TRUNCATE public.dropped");
            await removal();
            var transactions = (await PartitionsOfTransactions()).Take(first.Length).ToList();
            if (attempt == 5 || transactions.SequenceEqual(first))
            {
                Assert.Equal(first, transactions);
                return;
            }
        }
    }

    private async Task<List<int>> PartitionsOfTransactions()
        => [.. (await _database.ColumnAsync("SELECT count(*)::text FROM public.dropped GROUP BY transaction ORDER BY transaction")).Select(int.Parse)];

    private async Task AssertWhole(string tenant)
    {
        var registered = Assert.Single(await Tenants.ListAsync());
        Assert.Equal((tenant, TenantState.Active, 10, 0), (registered.TenantId, registered.State, registered.Partitions, registered.MissingPartitions));
        Assert.Equal(10, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relispartition"));
        Assert.Equal(11, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND convalidated"));
        await using var context = WarehouseContext.Create(_database.ConnectionString, tenant);
        Assert.Equal((1, 2, 1), (await context.Orders.CountAsync(), await context.Categories.CountAsync(), await context.Set<Payment>().CountAsync()));
        Assert.Empty(await Tenants.RepairAsync());
    }

    // The newer model has customers, with remarks, besides products.
    private sealed class KeyStyleContext(string connectionString, TenantKeyStyle keys, bool isManaged, bool isNewer, bool wasGlobal, string? tenant)
        : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseTestDatabase(connectionString)
                .UseTenancy(
                    t =>
                    {
                        t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(keys).UseTenantAccessor(_ => tenant);
                        if (isManaged)
                        {
                            t.PartitionMultiTenantedEntitiesManaged("key_styles");
                        }
                    })
                .ReplaceService<IModelCacheKeyFactory, PerInstance>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Product>().Ignore(p => p.Category).ToTable("NewProducts").Property(p => p.Id).ValueGeneratedNever();
            if (isNewer || wasGlobal)
            {
                modelBuilder.Entity<Customer>().Ignore(c => c.Region).Ignore(c => c.Addresses).ToTable("NewCustomers").Property(c => c.Id).ValueGeneratedNever();
                modelBuilder.Entity<Remark>().ToTable("NewRemarks").Property(c => c.Id).ValueGeneratedNever();
            }

            if (!isNewer && wasGlobal)
            {
                modelBuilder.Entity<Customer>().IsSingleTenanted();
                modelBuilder.Entity<Remark>().IsSingleTenanted();
            }
        }
    }

    [DbContext(typeof(KeyStyleContext))]
    [Migration("20260101000000_KeyStyle")]
    private sealed class KeyStyle : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder)
        {
        }
    }

    private sealed class PerInstance : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime)
            => (context, designTime);
    }
}
