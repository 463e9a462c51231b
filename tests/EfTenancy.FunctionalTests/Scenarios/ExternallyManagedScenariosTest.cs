using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
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

    private Task<List<string>> Children()
        => _database.ColumnAsync(
            "SELECT relname || ' ' || pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1");

    private async Task<IReadOnlyList<MigrationOperation>> Migrate(Action<ModelBuilder>? before, Action<ModelBuilder>? after)
    {
        await using var source = new PartitionContext(_database.ConnectionString, before ?? (_ => { }));
        await using var target = new PartitionContext(_database.ConnectionString, after ?? (_ => { }));
        var operations = target.GetService<IMigrationsModelDiffer>().GetDifferences(
            before is null ? null : Model(source), after is null ? null : Model(target));
        await target.GetService<IMigrationCommandExecutor>().ExecuteNonQueryAsync(
            target.GetService<IMigrationsSqlGenerator>().Generate(operations, target.GetService<IDesignTimeModel>().Model),
            target.GetService<IRelationalConnection>());
        return operations;

        static IRelationalModel Model(PartitionContext context)
            => context.GetService<IDesignTimeModel>().Model.GetRelationalModel();
    }
}
