using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

public class TenantPartitionTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task List_partitions_hold_the_rows_of_their_tenants()
    {
        await Insert(x => x.ByList().AddPartition("t1", "T1").AddPartition("both", "T2", "T3"), "T1", "T2", "T3");

        Assert.Equal(["Events_both=T2,T3", "Events_t1=T1"], await RowsByPartition());
        Assert.Equal(
            ["FOR VALUES IN ('T1')", "FOR VALUES IN ('T2', 'T3')"], await Bounds("Events"));
        Assert.Equal(
            ["FOR VALUES IN ('T1')", "FOR VALUES IN ('T2', 'T3')"], await Bounds("Remarks"));
    }

    [Fact]
    public async Task Hash_partitions_hold_every_tenant_in_one_of_them()
    {
        var tenants = Enumerable.Range(0, 20).Select(i => $"tenant {i}").ToArray();
        await Insert(x => x.ByHash("one", "two", "three"), tenants);

        Assert.Equal(
            [
                "FOR VALUES WITH (modulus 3, remainder 0)", "FOR VALUES WITH (modulus 3, remainder 1)",
                "FOR VALUES WITH (modulus 3, remainder 2)",
            ],
            await Bounds("Events"));
        Assert.Equal(
            20, await _database.ScalarAsync<int>("""SELECT count(DISTINCT ("TenantId", tableoid)) FROM "Events" """));
    }

    [Fact]
    public async Task Range_partitions_hold_the_tenants_between_their_bounds_byte_by_byte()
    {
        await Insert(x => x.ByRange().AddRange("asia", "a", "azzz").AddRange("europe", "e", "f").AddRange("upper", "A", "Z"), "ab", "e", "eé", "B");

        Assert.Equal(["Events_asia=ab", "Events_europe=e,eé", "Events_upper=B"], await RowsByPartition());
        Assert.Contains(
            "'f'",
            (await Assert.ThrowsAsync<UnknownTenantException>(() => Insert(x => x.ByRange().AddRange("asia", "a", "azzz"), "f"))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Externally_managed_partitions_are_left_alone()
    {
        Action<TenantPartitioningBuilder> partitioning = x => x.ByExternallyManagedListPartitions();
        await using var context = Context("T1", partitioning);
        await context.Database.EnsureCreatedAsync();
        Assert.Empty(await Bounds("Events"));

        await _database.ExecuteAsync("""CREATE TABLE mine PARTITION OF "Events" FOR VALUES IN ('T1')""");
        context.Events.Add(new Happening { Name = "x" });
        await context.SaveChangesAsync();
        Assert.Equal(["mine=T1"], await RowsByPartition());
    }

    [Fact]
    public async Task A_default_partition_holds_the_others()
    {
        await Insert(x => x.ByList().AddPartition("t1", "T1").WithDefaultPartition(), "T1", "who knows");
        Assert.Equal(["Events_default=who knows", "Events_t1=T1"], await RowsByPartition());
    }

    [Theory]
    [MemberData(nameof(HostileTenants))]
    public async Task A_hostile_tenant_is_an_ordinary_tenant(string tenant)
    {
        Action<TenantPartitioningBuilder> partitioning = x => x.ByList().AddTenants(tenant, "other");
        await Insert(partitioning, tenant, "other");

        Assert.Equal([tenant, "other"], (await _database.ColumnAsync("""SELECT "TenantId" FROM "Events" """)).OrderBy(t => t == "other"));
        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(DISTINCT tableoid) FROM "Events" """));

        await using var context = Context(tenant, partitioning);
        var found = await context.Events.Include(e => e.Remarks).SingleAsync();
        Assert.Equal((tenant, tenant), (found.Name, Assert.Single(found.Remarks).Text));
        found.Name = "changed";
        await context.SaveChangesAsync();
        Assert.Equal(1, await context.Events.Where(e => e.TenantIsOneOf(tenant) && e.Name == "changed").CountAsync());
        Assert.Equal(1, await context.Events.ExecuteDeleteAsync());
        Assert.Equal(["other"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Events" """));
    }

    public static TheoryData<string> HostileTenants
        => new(
            "O'Brien; DROP TABLE \"Events\"; --",
            "\"quoted\"",
            "100%",
            "back\\slash",
            "$tenancy$",
            "{0} @p0 :x ?",
            "Ünïcödé 東京 🚀",
            "UPPER",
            new string('ß', 31) + "x",
            new string('東', 21),
            " leading and trailing ",
            new string('x', TenancyDefaults.MaxTenantIdLength),
            "*DEFAULT*",
            "NULL");

    [Fact]
    public async Task Ids_that_look_alike_get_partitions_of_their_own()
    {
        string[] tenants = ["a-b", "a_b", "A_B", "a b", "A-B", "a.b"];
        await Insert(x => x.ByList().AddTenants(tenants), tenants);
        Assert.Equal(6, await _database.ScalarAsync<int>("""SELECT count(DISTINCT tableoid) FROM "Events" """));
    }

    [Fact]
    public async Task Partitions_of_a_table_with_a_long_name_get_names_that_fit()
    {
        await using var context = PartitionContext.For(
            _database.ConnectionString,
            "T1",
            modelBuilder =>
            {
                PartitionContext.Partitioned(x => x.ByList().AddPartition("north_america", "T1").AddPartition("north_america_2", "T2"))(modelBuilder);
                modelBuilder.Entity<Happening>().ToTable(new string('é', 30));
            });
        await context.Database.EnsureCreatedAsync();
        Assert.Equal(2, (await Bounds(new string('é', 30))).Count);
    }

    [Fact]
    public async Task A_tenant_without_partition_is_named_and_nothing_is_written()
    {
        await Insert(x => x.ByList().AddPartition("t1", "T1"), "T1");
        await using var context = Context("T9", x => x.ByList().AddPartition("t1", "T1"));
        context.Events.Add(new Happening { Name = "lost" });

        foreach (var save in (Func<Task<int>>[])[() => context.SaveChangesAsync(), () => Task.FromResult(context.SaveChanges())])
        {
            var exception = await Assert.ThrowsAsync<UnknownTenantException>(save);
            Assert.Equal(("T9", "Events"), (exception.TenantId, exception.Table));
            Assert.Contains("AddTenants(\"T9\")", exception.Message, StringComparison.Ordinal);
        }

        Assert.Equal(1, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Events" """));
    }

    [Fact]
    public async Task A_tenants_query_touches_one_partition()
    {
        Action<TenantPartitioningBuilder> partitioning = x => x.ByList().AddTenants(Enumerable.Range(0, 20).Select(i => $"t{i}"));
        await Insert(partitioning, "t7", "t8");
        await using var context = Context("t7", partitioning);

        foreach (var query in (IQueryable[])[context.Events.Where(e => e.Name == "x"), context.Remarks.Where(r => r.HappeningId == 1)])
        {
            var command = query.ToQueryString().Split('\n');
            var parameters = command.Where(l => l.StartsWith("-- ", StringComparison.Ordinal)).ToList();
            Assert.Single(parameters);
            var sql = string.Join('\n', command.Skip(1)).Replace("@ef_filter__Tenancy", "$1", StringComparison.Ordinal);

            // A prepared statement: the tenant comes as a parameter of the type that the model sends.
            var plan = await _database.ColumnAsync($"PREPARE q(varchar) AS {sql}; EXPLAIN EXECUTE q('t7')");
            Assert.Contains(plan, l => l.Contains("_t7", StringComparison.Ordinal));
            Assert.DoesNotContain(plan, l => l.Contains("_t8", StringComparison.Ordinal));
        }
    }

    [Fact]
    public async Task A_row_cannot_reference_another_tenants_row_across_partitions()
    {
        Action<TenantPartitioningBuilder> partitioning = x => x.ByList().AddTenants("T1", "T2");
        await Insert(partitioning, "T1", "T2");
        await using var context = Context("T1", partitioning);
        var foreign = await context.Events.Where(e => e.TenantIsOneOf("T2")).Select(e => e.Id).SingleAsync();
        context.Remarks.Add(new Remark { HappeningId = foreign });
        await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync());
    }

    [Fact]
    public async Task Seed_data_finds_its_partition()
    {
        await using var context = PartitionContext.For(
            _database.ConnectionString,
            "T1",
            modelBuilder =>
            {
                PartitionContext.Partitioned(x => x.ByList().AddTenants("T1", "T2"))(modelBuilder);
                modelBuilder.Entity<Happening>().Property<string>("TenantId");
                modelBuilder.Entity<Happening>().HasData(new { TenantId = "T1", Id = 100, Name = "seed", At = DateTime.UnixEpoch });
            });
        await context.Database.EnsureCreatedAsync();
        Assert.Equal("seed", (await context.Events.SingleAsync()).Name);
    }

    [Fact]
    public async Task A_comment_on_a_partitioned_table_and_its_columns_is_kept()
    {
        await using var context = PartitionContext.For(
            _database.ConnectionString,
            "T1",
            modelBuilder =>
            {
                PartitionContext.Partitioned(x => x.ByHash("a"))(modelBuilder);
                modelBuilder.Entity<Happening>().ToTable(t => t.HasComment("the table's")).Property(e => e.Name).HasComment("the column's");
            });
        await context.Database.EnsureCreatedAsync();
        Assert.Equal("the table's", await _database.ScalarAsync<string>("""SELECT obj_description('"Events"'::regclass)"""));
        Assert.Equal(
            "the column's",
            await _database.ScalarAsync<string>("""SELECT col_description(attrelid, attnum) FROM pg_attribute WHERE attrelid = '"Events"'::regclass AND attname = 'Name'"""));
    }

    private PartitionContext Context(string tenant, Action<TenantPartitioningBuilder> partitioning)
        => PartitionContext.For(_database.ConnectionString, tenant, PartitionContext.Partitioned(partitioning));

    private async Task Insert(Action<TenantPartitioningBuilder> partitioning, params string[] tenants)
    {
        foreach (var tenant in tenants)
        {
            await using var context = Context(tenant, partitioning);
            await context.Database.EnsureCreatedAsync();
            context.Events.Add(new Happening { Name = tenant, Remarks = { new Remark { Text = tenant } } });
            await context.SaveChangesAsync();
        }
    }

    private Task<List<string>> RowsByPartition()
        => _database.ColumnAsync(
            """
            SELECT c.relname || '=' || string_agg("TenantId", ',' ORDER BY "TenantId" COLLATE "C")
            FROM "Events" e JOIN pg_class c ON c.oid = e.tableoid GROUP BY c.relname ORDER BY c.relname
            """);

    private Task<List<string>> Bounds(string table)
        => _database.ColumnAsync(
            $"""
            SELECT pg_get_expr(c.relpartbound, c.oid)
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '"{table}"'::regclass ORDER BY 1
            """);
}
