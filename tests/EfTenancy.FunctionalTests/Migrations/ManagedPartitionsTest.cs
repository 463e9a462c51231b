using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Migrations.Operations;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Partitions that follow the registry of tenants, as far as migrations make them.</summary>
public class ManagedPartitionsTest(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly Action<ModelBuilder> OneTable = modelBuilder =>
    {
        modelBuilder.Entity<Happening>().Ignore(e => e.Remarks).IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants"));
        modelBuilder.Ignore<Remark>();
    };

    private static readonly Action<ModelBuilder> TwoTables = PartitionContext.Partitioned(x => x.ByManagedListPartitions("tenants"));

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task A_migration_creates_the_registry_and_no_partition()
    {
        await Migrate(null, TwoTables);
        Assert.Equal(["Events", "Remarks"], await Relations("p"));
        Assert.Equal([], await Relations("r"));
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions"));
        Assert.Empty(await Migrate(TwoTables, TwoTables));
    }

    [Fact]
    public async Task A_new_table_gets_partitions_for_all_registered_tenants()
    {
        await Migrate(null, OneTable);
        await Register(("T1", "t1"), ("O'Brien", "small"), ("back\\slash", "small"));
        await _database.ExecuteAsync(
            """INSERT INTO tenants.tenant_partitions (partition_value, partition_name, state) VALUES ('gone', 'gone', 'removing')""");

        var operations = await Migrate(OneTable, TwoTables);

        Assert.Equal(["Remarks_small", "Remarks_t1"], await Relations("r"));
        Assert.Equal(
            ["""FOR VALUES IN ('O''Brien', 'back\slash')""", "FOR VALUES IN ('T1')"],
            await _database.ColumnAsync("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1"));
        Assert.DoesNotContain(operations, o => o is EnsureTenantRegistryOperation);
    }

    [Fact]
    public async Task Long_names_of_partitions_are_those_of_the_run_time()
    {
        var table = new string('é', 30);
        await Migrate(null, OneTable);
        await Register(("T1", "north_america"), ("T2", "north_america_2"));

        await Migrate(
            OneTable, modelBuilder =>
            {
                TwoTables(modelBuilder);
                modelBuilder.Entity<Remark>().ToTable(table);
            });

        Assert.Equal(
            ((string[])["north_america", "north_america_2"]).Select(s => TenantPartitionNaming.PartitionName(table, s)).Order(StringComparer.Ordinal),
            (await Relations("r")).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task The_step_may_be_repeated()
    {
        await Migrate(null, OneTable);
        await Register(("T1", "t1"));
        await Migrate(OneTable, TwoTables);
        await Register(("T2", "t2"));

        await using var context = new PartitionContext(_database.ConnectionString, TwoTables);
        await context.ExecuteAsync(
            ModelMigration.Operations(
                b =>
                {
                    b.EnsureTenantRegistry(schema: "tenants");
                    b.CreateRegisteredTenantPartitions(table: "Remarks", registrySchema: "tenants");
                }));

        Assert.Equal(["Remarks_t1", "Remarks_t2"], await Relations("r"));
    }

    [Fact]
    public async Task Down_takes_an_empty_registry_and_leaves_one_with_tenants()
    {
        await Migrate(null, TwoTables);
        await Migrate(TwoTables, null);
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname = 'tenant_partitions'"));

        await Migrate(null, TwoTables);
        await Register(("T1", "t1"));
        await Migrate(TwoTables, null);
        Assert.Equal(1, await _database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions"));

        await Migrate(null, TwoTables);
        Assert.Equal(["Events_t1", "Remarks_t1"], await Relations("r"));
    }

    [Fact]
    public async Task A_tenant_that_is_added_before_the_migration_of_a_new_table_gets_its_partition_there_by_the_migration()
    {
        await Migrate(null, OneTable);
        await using var ahead = new PartitionContext(_database.ConnectionString, TwoTables);

        Assert.Equal(["T1"], (await ahead.Tenancy().Administration.AddAsync(["T1"])).Tenants);
        Assert.Equal((TenantState.Active, 1, 0), await StateAsync(ahead, "T1"));

        await Migrate(OneTable, TwoTables);
        Assert.Equal((TenantState.Active, 2, 0), await StateAsync(ahead, "T1"));
        await InsertAsync("T1");
    }

    [Fact]
    public async Task A_tenant_that_is_added_before_the_migration_that_partitions_a_table_is_told_so_and_finished_after_it()
    {
        Action<ModelBuilder> before = modelBuilder =>
        {
            modelBuilder.Entity<Happening>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants"));
            modelBuilder.Entity<Remark>().DoNotPartition();
        };
        await Migrate(null, before);
        await using var ahead = new PartitionContext(_database.ConnectionString, TwoTables);

        foreach (var call in (Func<Task>[])
            [
                () => ahead.Tenancy().Administration.AddAsync(["T1"]),
                () => ahead.Tenancy().Administration.AddAsync(["T1"]),
                () => ahead.Tenancy().Administration.RepairAsync(),
            ])
        {
            var failed = await Assert.ThrowsAsync<TenantAdministrationException>(call);
            Assert.Equal(["public.Remarks"], failed.Tables.Where(t => t.Error is not null).Select(t => t.Table));
            Assert.Contains("Apply the migrations of the model.", failed.Message, StringComparison.Ordinal);
            Assert.Contains("Repeat the call", failed.Message, StringComparison.Ordinal);
            Assert.Equal((TenantState.Adding, 1, 0), await StateAsync(ahead, "T1"));
        }

        await Migrate(before, TwoTables);
        await ahead.Tenancy().Administration.AddAsync(["T1"]);
        Assert.Equal((TenantState.Active, 2, 0), await StateAsync(ahead, "T1"));
        await InsertAsync("T1");
    }

    private static async Task<(TenantState State, int Partitions, int Missing)> StateAsync(PartitionContext context, string tenantId)
    {
        var tenant = Assert.Single(await context.Tenancy().Administration.ListAsync(), t => t.TenantId == tenantId);
        return (tenant.State, tenant.Partitions, tenant.MissingPartitions);
    }

    private async Task InsertAsync(string tenantId)
    {
        await using var context = PartitionContext.For(_database.ConnectionString, tenantId, TwoTables);
        context.Add(new Happening { Name = "opening", Remarks = { new Remark { Text = "nice" } } });
        await context.SaveChangesAsync();
    }

    [Fact]
    public async Task EnsureCreated_creates_the_registry_too()
    {
        await using var context = new PartitionContext(_database.ConnectionString, TwoTables);
        await context.Database.EnsureCreatedAsync();
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions"));
    }

    [Fact]
    public async Task Strategies_can_be_mixed()
    {
        await Migrate(
            null, modelBuilder =>
            {
                modelBuilder.Entity<Happening>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants"));
                modelBuilder.Entity<Remark>().IsPartitionedByTenant(x => x.ByHash("a", "b"));
            });
        Assert.Equal(["Remarks_a", "Remarks_b"], await Relations("r"));
    }

    [Fact]
    public async Task The_step_inside_an_idempotent_script_works_and_works_again()
    {
        await Migrate(null, OneTable);
        await Register(("T1", "t1"));
        await using var source = new PartitionContext(_database.ConnectionString, OneTable);
        await using var target = new PartitionContext(_database.ConnectionString, TwoTables);
        var script = target.IdempotentScript(ModelMigration.Differences(source, target));

        await _database.ExecuteAsync(script);
        await _database.ExecuteAsync(script);

        Assert.Equal(["Remarks_t1", "applied"], await Relations("r"));
    }

    private async Task Register(params (string Id, string Suffix)[] tenants)
    {
        foreach (var (id, suffix) in tenants)
        {
            await _database.ExecuteAsync(
                $"INSERT INTO tenants.tenant_partitions (partition_value, partition_name) VALUES ('{id.Replace("'", "''", StringComparison.Ordinal)}', '{suffix}')");
        }
    }

    private Task<List<string>> Relations(string kind)
        => _database.ColumnAsync(
            $"""SELECT relname FROM pg_class WHERE relkind = '{kind}' AND relnamespace = 'public'::regnamespace ORDER BY relname COLLATE "C" """);

    private async Task<IReadOnlyList<MigrationOperation>> Migrate(Action<ModelBuilder>? before, Action<ModelBuilder>? after)
    {
        await using var source = new PartitionContext(_database.ConnectionString, before ?? (_ => { }));
        await using var target = new PartitionContext(_database.ConnectionString, after ?? (_ => { }));
        var operations = ModelMigration.Differences(before is null ? null : source, after is null ? null : target);
        await target.ExecuteAsync(operations);
        return operations;
    }
}
