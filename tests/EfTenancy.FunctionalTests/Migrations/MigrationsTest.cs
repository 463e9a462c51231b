using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>A model before and a model after, and what the difference makes of a database with rows.</summary>
public class MigrationsTest(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly Action<ModelBuilder> OnePartition = PartitionContext.Partitioned(x => x.ByList().AddPartition("t1", "T1"));

    private static readonly Action<ModelBuilder> TwoPartitions
        = PartitionContext.Partitioned(x => x.ByList().AddPartition("t1", "T1").AddPartition("t2", "T2"));

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Up_and_down_leave_nothing_behind()
    {
        await Migrate(null, TwoPartitions);
        Assert.Equal(6, await Tables());
        await Migrate(TwoPartitions, null);
        Assert.Equal(0, await Tables());
    }

    [Fact]
    public async Task A_model_differs_from_itself_in_nothing()
    {
        foreach (var model in (Action<ModelBuilder>[])[
                     TwoPartitions,
                     PartitionContext.Partitioned(x => x.ByHash("a", "b")),
                     PartitionContext.Partitioned(x => x.ByRange().AddRange("a", "a", "b").WithDefaultPartition("rest")),
                     PartitionContext.Partitioned(x => x.ByExternallyManagedRangePartitions()),
                     _ => { }])
        {
            Assert.Empty(await Migrate(model, model));
        }
    }

    [Fact]
    public async Task An_index_that_is_to_be_created_concurrently_is_created_on_a_partitioned_table_too()
    {
        var named = TwoPartitions + (b => b.Entity<Happening>().HasIndex(h => h.Name).IsCreatedConcurrently());
        var both = named + (b => b.Entity<Happening>().HasIndex(h => h.At).IsCreatedConcurrently());
        await Migrate(null, named);
        await Insert("T1", named);
        await Migrate(named, both);
        await Insert("T2", both);
        Assert.Equal(
            ["IX_Events_At", "IX_Events_Name", "IX_Remarks_TenantId_HappeningId"],
            await _database.ColumnAsync(
                """SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE c.relkind = 'I' AND indisvalid AND NOT indisunique ORDER BY 1"""));
    }

    [Fact]
    public async Task An_added_partition_takes_its_tenant_and_leaves_the_others()
    {
        await Migrate(null, OnePartition);
        await Insert("T1", OnePartition);
        await Assert.ThrowsAsync<UnknownTenantException>(() => Insert("T2", OnePartition));

        await Migrate(OnePartition, TwoPartitions);
        await Insert("T2", TwoPartitions);
        Assert.Equal(
            ["Events_t1", "Events_t2"], await _database.ColumnAsync("""SELECT tableoid::regclass::text FROM "Events" ORDER BY 1""") is var names
                ? names.Select(n => n.Trim('"')) : []);
    }

    [Fact]
    public async Task A_removed_partition_is_dropped_when_it_is_empty_and_refused_when_it_is_not()
    {
        await Migrate(null, TwoPartitions);
        await Insert("T1", TwoPartitions);
        await Migrate(TwoPartitions, OnePartition);
        Assert.Equal(4, await Tables());

        await Migrate(OnePartition, TwoPartitions);
        await Insert("T2", TwoPartitions);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => Migrate(TwoPartitions, OnePartition));
        Assert.Contains("holds rows and is not dropped", exception.MessageText, StringComparison.Ordinal);
        Assert.Equal(6, await Tables());
        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Events" """));
    }

    [Fact]
    public async Task Partitions_follow_their_table_to_another_name_and_schema()
    {
        Action<ModelBuilder> renamed = modelBuilder =>
        {
            TwoPartitions(modelBuilder);
            modelBuilder.Entity<Happening>().ToTable("Happenings", "archive");
        };

        await Migrate(null, TwoPartitions);
        await Insert("T1", TwoPartitions);
        await Migrate(TwoPartitions, renamed);
        Assert.Equal(
            ["Happenings", "Happenings_t1", "Happenings_t2"],
            await _database.ColumnAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'archive' ORDER BY 1"));
        await Insert("T2", renamed);

        // The names are those that a later migration looks for.
        await _database.ExecuteAsync("""DELETE FROM archive."Happenings" WHERE "TenantId" = 'T2' """);
        await Migrate(
            renamed, modelBuilder =>
            {
                renamed(modelBuilder);
                modelBuilder.Entity<Happening>().IsPartitionedByTenant(x => x.ByList().AddPartition("t1", "T1"));
            });
    }

    [Fact]
    public async Task An_existing_table_with_rows_opts_in_and_its_rows_belong_to_the_default_tenant()
    {
        Action<ModelBuilder> global = modelBuilder =>
        {
            modelBuilder.Entity<Happening>().IsSingleTenanted();
            modelBuilder.Entity<Remark>().IsSingleTenanted();
        };

        await Migrate(null, global);
        await _database.ExecuteAsync(
            """INSERT INTO "Events" ("Name", "At") VALUES ('old', now()); INSERT INTO "Remarks" ("HappeningId", "Text") VALUES (1, 'old')""");

        await Migrate(global, _ => { });
        Assert.Equal(["*DEFAULT*"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Remarks" """));

        await using (var context = PartitionContext.For(_database.ConnectionString, TenancyDefaults.DefaultTenantId, _ => { }))
        {
            Assert.Equal("old", Assert.Single((await context.Events.Include(e => e.Remarks).SingleAsync()).Remarks).Text);
        }

        await Insert("T1", _ => { });
        await Assert.ThrowsAsync<PostgresException>(
            () => _database.ExecuteAsync("""INSERT INTO "Remarks" ("TenantId", "HappeningId") VALUES ('T1', 1)"""));

        await Migrate(_ => { }, global, deleteFirst: """DELETE FROM "Remarks" WHERE "TenantId" <> '*DEFAULT*'; DELETE FROM "Events" WHERE "TenantId" <> '*DEFAULT*'""");
        Assert.Equal(["old"], await _database.ColumnAsync("""SELECT "Text" FROM "Remarks" """));
    }

    [Fact]
    public async Task Hand_written_steps_work()
    {
        await Migrate(null, OnePartition);
        await using var context = PartitionContext.For(_database.ConnectionString, "T3", OnePartition);
        await context.ExecuteAsync(
            ModelMigration.Operations(
                b =>
                {
                    b.CreateTenantPartition(table: "Events", suffix: "t3", values: ["T3"]);
                    b.CreateTenantPartition(table: "Remarks", suffix: "t3", values: ["T3"]);
                    b.CreateDefaultTenantPartition(table: "Events", suffix: "rest");
                    b.DropTenantPartition(table: "Events", suffix: "t1");
                }));

        await Insert("T3", OnePartition);
        Assert.Equal(
            ["\"Events_rest\"", "\"Events_t3\""],
            await _database.ColumnAsync("""SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '"Events"'::regclass ORDER BY 1"""));
    }

    private async Task<IReadOnlyList<MigrationOperation>> Migrate(
        Action<ModelBuilder>? before,
        Action<ModelBuilder>? after,
        string? deleteFirst = null)
    {
        await using var source = new PartitionContext(_database.ConnectionString, before ?? (_ => { }));
        await using var target = new PartitionContext(_database.ConnectionString, after ?? (_ => { }));

        var operations = ModelMigration.Differences(before is null ? null : source, after is null ? null : target);

        if (deleteFirst is not null)
        {
            await _database.ExecuteAsync(deleteFirst);
        }

        await target.ExecuteAsync(operations);
        return operations;
    }

    private async Task Insert(string tenant, Action<ModelBuilder> model)
    {
        await using var context = PartitionContext.For(_database.ConnectionString, tenant, model);
        context.Events.Add(new Happening { Name = tenant, Remarks = { new Remark { Text = tenant } } });
        await context.SaveChangesAsync();
    }

    private Task<int> Tables()
        => _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace");
}
