using System.Globalization;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenario about partitions that somebody else makes.</summary>
public class ExternallyManagedScenariosTest(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly Dictionary<string, (Action<TenantPartitioningBuilder> Partitioning, string Bound)> Strategies = new()
    {
        ["list"] = (x => x.ByExternallyManagedListPartitions(), "FOR VALUES IN ('T1')"),
        ["hash"] = (x => x.ByExternallyManagedHashPartitions(), "FOR VALUES WITH (modulus 1, remainder 0)"),
        ["range"] = (x => x.ByExternallyManagedRangePartitions(), "FOR VALUES FROM ('T') TO ('U')"),
    };

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    public static TheoryData<string> Names
        => [.. Strategies.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Scenario_33_differences_never_touch_partitions_that_somebody_else_makes(string strategy)
    {
        var (partitioning, bound) = Strategies[strategy];
        var model = PartitionContext.Partitioned(partitioning);
        await Migrate(null, model);

        // Not even a DEFAULT partition, as Marten makes it for lists and ranges.
        Assert.Empty(await Children());
        await _database.ExecuteAsync(
            $"""CREATE TABLE mine PARTITION OF "Events" {bound}; CREATE TABLE "Events_t1" (); CREATE TABLE too PARTITION OF "Remarks" {bound}""");
        await using (var context = PartitionContext.For(_database.ConnectionString, "T1", model))
        {
            context.Events.Add(new Happening { Name = "x", Remarks = { new Remark { Text = "x" } } });
            await context.SaveChangesAsync();
        }

        Assert.Empty(await Migrate(model, model));
        Action<ModelBuilder> later = b =>
        {
            model(b);
            b.Entity<Happening>().Property<int>("Added");
            b.Entity<Happening>().HasIndex(e => e.Name);
        };
        Assert.DoesNotContain(await Migrate(model, later), o => o.GetType().Namespace == "EfTenancy.Migrations.Operations");
        Assert.Equal([$"mine {bound}", $"too {bound}"], await Children());
        Assert.Equal(["mine"], await _database.ColumnAsync("""SELECT tableoid::regclass::text FROM "Events" """));
        await Migrate(later, null);
        Assert.Equal(["Events_t1"], await _database.ColumnAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"));
    }

    [Fact]
    public async Task Pg_partman_makes_the_ranges_that_tenants_with_numbers_are_in()
    {
        var version = await _database.ScalarAsync<string?>("SELECT max(default_version) FROM pg_available_extensions WHERE name = 'pg_partman'");
        Assert.SkipWhen(
            version is null,
            $"This server has no pg_partman. Install postgresql-{await _database.ScalarAsync<int>("SELECT current_setting('server_version_num')::int / 10000")}-partman.");

        Action<ModelBuilder> model = b =>
        {
            PartitionContext.Partitioned(x => x.ByExternallyManagedRangePartitions())(b);
            b.Entity<Happening>().Property<int>("TenantId");
            b.Entity<Remark>().Property<int>("TenantId");
        };
        await Migrate(null, model);

        // Until version 5 the trigger-based kind had the better name.
        var type = int.Parse(version!.Split('.')[0], CultureInfo.InvariantCulture) < 5 ? "native" : "range";
        await _database.ExecuteAsync(
            $"""
            CREATE SCHEMA partman;
            CREATE EXTENSION pg_partman SCHEMA partman;
            SELECT partman.create_parent(p_parent_table => t, p_control => 'TenantId', p_type => '{type}', p_interval => '10', p_premake => 2)
            FROM unnest(ARRAY['public.Events', 'public.Remarks']) AS t;
            """);
        Assert.DoesNotContain("Events_p30 FOR VALUES FROM (30) TO (40)", await Children());
        await SaveAsync("7");
        await SaveAsync("25");

        await _database.ExecuteAsync("SELECT partman.run_maintenance()");
        var children = await Children();
        Assert.Contains("Events_p30 FOR VALUES FROM (30) TO (40)", children);
        Assert.Contains("Remarks_p30 FOR VALUES FROM (30) TO (40)", children);
        await SaveAsync("35");

        foreach (var table in (string[])["Events", "Remarks"])
        {
            Assert.Equal(
                [$"7 {table}_p0", $"25 {table}_p20", $"35 {table}_p30"],
                await _database.ColumnAsync(
                    $"""SELECT "TenantId" || ' ' || c.relname FROM "{table}" t JOIN pg_class c ON c.oid = t.tableoid ORDER BY "TenantId" """));
        }

        foreach (var (tenant, names) in ((string, string[])[])[("7", ["7"]), ("25", ["25"]), ("35", ["35"]), ("8", []), ("45", [])])
        {
            await using var context = PartitionContext.For(_database.ConnectionString, tenant, model);
            Assert.Equal(names, await context.Events.Include(e => e.Remarks).Select(e => e.Remarks.Single().Text!).ToListAsync());
            Assert.Equal(names.Length, await context.Events.ExecuteUpdateAsync(s => s.SetProperty(e => e.Name, tenant)));
        }

        Assert.Equal(["25", "35", "7"], await _database.ColumnAsync("""SELECT "Name" FROM "Events" ORDER BY 1"""));
        Assert.Empty(await Migrate(model, model));
        Assert.Equal(children, await Children());

        async Task SaveAsync(string tenant)
        {
            await using var context = PartitionContext.For(_database.ConnectionString, tenant, model);
            context.Events.Add(new Happening { Name = "x", Remarks = { new Remark { Text = tenant } } });
            await context.SaveChangesAsync();
        }
    }

    private Task<List<string>> Children()
        => _database.ColumnAsync(
            "SELECT relname || ' ' || pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1");

    private async Task<IReadOnlyList<MigrationOperation>> Migrate(Action<ModelBuilder>? before, Action<ModelBuilder>? after)
    {
        await using var source = new PartitionContext(_database.ConnectionString, before ?? (_ => { }));
        await using var target = new PartitionContext(_database.ConnectionString, after ?? (_ => { }));
        var operations = ModelMigration.Differences(before is null ? null : source, after is null ? null : target);
        await target.ExecuteAsync(operations);
        return operations;
    }
}
