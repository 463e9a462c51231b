using DevPostgres;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenario about shards, on two servers, and one application that mixes the styles.</summary>
public sealed class ShardScenariosTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private TestDatabase _home = null!;
    private TestDatabase _first = null!;
    private TestDatabase _second = null!;

    public override async ValueTask InitializeAsync()
    {
        var server = Own(await PostgresServer.StartAsync(TestContext.Current.CancellationToken));
        _home = await DatabaseAsync();
        _first = await DatabaseAsync();
        _second = Own(await TestDatabase.CreateAsync(server, "shard"));
        foreach (var shard in (TestDatabase[])[_first, _second])
        {
            await using var db = WarehouseContext.Create(shard.ConnectionString);
            await db.Database.EnsureCreatedAsync();
        }
    }

    [Fact]
    public async Task Scenario_49_a_hash_spreads_tenants_and_the_stored_row_wins()
    {
        await using var services = Services(s => s.AssignByHash());
        var tenants = services.GetRequiredService<ITenantAdministration<WarehouseContext>>();
        string[] ids = [.. Enumerable.Range(0, 8).Select(i => $"t{i}")];

        await tenants.AddAsync(ids);

        var destinations = await services.GetRequiredService<TenantDatabases>().ListAsync();
        Assert.Equal(["first", "second"], destinations.Select(d => d.Destination.Database).Distinct().Order());

        // A partition on the assigned shard, and on no other.
        foreach (var (shard, database) in ((string, TestDatabase)[])[("first", _first), ("second", _second)])
        {
            Assert.Equal(
                destinations.Where(d => d.Destination.Database == shard).Select(d => $"Orders_{d.TenantId}"),
                await database.ColumnAsync("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '\"Orders\"'::regclass ORDER BY 1")
                    .ContinueWith(c => c.Result.Select(n => n.Trim('"'))));
        }

        foreach (var id in ids)
        {
            await using var db = await services.GetRequiredService<IDbContextFactory<WarehouseContext>>().CreateDbContextAsync(id);
            db.AddRows(1);
            await db.SaveChangesAsync();
        }

        foreach (var (shard, database) in ((string, TestDatabase)[])[("first", _first), ("second", _second)])
        {
            Assert.Equal(
                destinations.Where(d => d.Destination.Database == shard).Select(d => d.TenantId),
                await database.ColumnAsync("""SELECT "TenantId" FROM "Orders" ORDER BY 1"""));
        }

        // Another strategy, another moment: the tenant stays.
        await using var other = Services(s => s.AssignBy((_, shards) => shards[0].Name));
        await other.GetRequiredService<ITenantAdministration<WarehouseContext>>().AddAsync(ids);
        Assert.Equal(destinations, await other.GetRequiredService<TenantDatabases>().ListAsync());
    }

    [Fact]
    public async Task Scenario_49_the_smallest_shard_is_picked_and_a_full_one_is_not()
    {
        await using var services = Services(s => s.AssignToSmallest());
        var databases = services.GetRequiredService<TenantDatabases>();
        var tenants = services.GetRequiredService<ITenantAdministration<WarehouseContext>>();

        await tenants.AddAsync(["a", "b", "c"]);
        Assert.Equal(
            [("a", "first"), ("b", "second"), ("c", "first")],
            (await databases.ListAsync()).Select(t => (t.TenantId, t.Destination.Database!)));

        await databases.AddDatabaseAsync("second");
        await databases.SetFullAsync("second");
        await tenants.AddAsync(["d", "e"]);
        Assert.All((await databases.ListAsync()).Where(t => t.TenantId is "d" or "e"), t => Assert.Equal("first", t.Destination.Database));

        await databases.AddDatabaseAsync("first");
        await databases.SetFullAsync("first");
        var full = await Assert.ThrowsAsync<InvalidOperationException>(() => tenants.AddAsync(["f"]));
        Assert.Contains("SetFullAsync", full.Message, StringComparison.Ordinal);
        await databases.SetFullAsync("second", isFull: false);
        await tenants.AddAsync(["f"]);
        Assert.Equal("second", (await databases.FindAsync("f")).Database);
    }

    [Fact]
    public async Task Scenario_49_where_assignment_is_explicit_an_unknown_tenant_throws()
    {
        await using var services = Services(s => s.AssignExplicitly());
        var factory = services.GetRequiredService<IDbContextFactory<WarehouseContext>>();
        var databases = services.GetRequiredService<TenantDatabases>();

        await Assert.ThrowsAsync<UnknownTenantException>(() => factory.CreateDbContextAsync("a"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => databases.AddAsync("a"));
        await databases.AddAsync("a", TenantDestination.InDatabase("second"));
        await services.GetRequiredService<ITenantAdministration<WarehouseContext>>().AddAsync(["a"]);

        await using var db = await factory.CreateDbContextAsync("a");
        db.AddRows(1);
        await db.SaveChangesAsync();
        Assert.Equal(["a"], await _second.ColumnAsync("""SELECT "TenantId" FROM "Orders" """));
    }

    [Fact]
    public async Task A_shard_that_is_gone_is_not_made_anew_for_the_next_tenant_and_keeps_nobody_from_being_repaired()
    {
        await using var services = Services(s => s.AssignToSmallest());
        var tenants = services.GetRequiredService<ITenantAdministration<WarehouseContext>>();
        await tenants.AddAsync(["a", "b"]);
        await _home.ExecuteAsync($"""DROP DATABASE "{_first.Name}" WITH (FORCE)""");

        var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => tenants.AddAsync(["c"]));
        Assert.Equal((TenantDatabaseError.DatabaseMissing, "c", "first"), (refused.Error, refused.TenantId, refused.Destination.Database));
        Assert.Empty(await _home.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{_first.Name}'"));

        await _home.ExecuteAsync("INSERT INTO tenants.tenant_destinations (tenant_id, database_name, state) VALUES ('d', 'second', 'adding')");
        Assert.Equal(
            [("a", false), ("c", false), ("d", true)],
            (await tenants.RepairAsync()).Select(r => (r.TenantId!, r.IsMended)).Distinct().Order());
        await using var db = await services.GetRequiredService<IDbContextFactory<WarehouseContext>>().CreateDbContextAsync("d");
        db.AddRows(1);
        await db.SaveChangesAsync();
    }

    [Fact]
    public async Task A_tenant_that_nobody_added_gets_a_shard_when_it_is_first_used_or_is_refused()
    {
        await using var services = Services(
            s =>
            {
                s.RefuseUnknownTenants();
                s.AssignToSmallest();
            });
        var factory = services.GetRequiredService<IDbContextFactory<WarehouseContext>>();
        await services.GetRequiredService<ITenantAdministration<WarehouseContext>>().AddAsync(["a"]);

        await Assert.ThrowsAsync<UnknownTenantException>(() => factory.CreateDbContextAsync("b"));
        await using var db = await factory.CreateDbContextAsync("a");
        Assert.Throws<UnknownTenantException>(() => db.Tenancy().ForTenant("b"));
        Assert.Equal(["a"], (await services.GetRequiredService<TenantDatabases>().ListAsync()).Select(t => t.TenantId));

        await using var others = Services(s => s.AssignToSmallest());
        await using var used = await others.GetRequiredService<IDbContextFactory<WarehouseContext>>().CreateDbContextAsync("b");
        Assert.Equal(["a", "b"], (await others.GetRequiredService<TenantDatabases>().ListAsync()).Select(t => t.TenantId));
    }

    [Fact]
    public async Task Scenario_49_a_disabled_tenant_is_not_resurrected_by_use_and_a_removed_one_is_gone_from_its_shard()
    {
        await using var services = Services(s => s.AssignToSmallest());
        var factory = services.GetRequiredService<IDbContextFactory<WarehouseContext>>();
        var tenants = services.GetRequiredService<ITenantAdministration<WarehouseContext>>();
        await tenants.AddAsync(["a", "b"]);
        await using (var db = await factory.CreateDbContextAsync("b"))
        {
            db.AddRows(1);
            await db.SaveChangesAsync();
        }

        await tenants.DisableAsync(["a"]);
        await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync("a"));
        await tenants.AddAsync(["a"]);
        await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync("a"));
        var listed = (await tenants.ListAsync()).Select(t => (t.TenantId, t.State, t.Partitions, t.Destination?.Database));
        Assert.Equal([("a", TenantState.Disabled, 10, "first"), ("b", TenantState.Active, 10, "second")], listed);

        await tenants.RemoveAsync(["a", "b"]);
        Assert.Empty(await tenants.ListAsync());
        foreach (var shard in (TestDatabase[])[_first, _second])
        {
            Assert.Equal(0, await shard.ScalarAsync<long>("SELECT count(*) FROM pg_inherits WHERE inhparent = '\"Orders\"'::regclass"));
            Assert.Equal(0, await shard.ScalarAsync<long>("""SELECT count(*) FROM "Orders" """));
        }

        await Assert.ThrowsAsync<UnknownTenantException>(() => tenants.RemoveAsync(["a"]));
    }

    [Fact]
    public async Task A_shard_that_is_gone_is_reported_by_a_repair_and_the_others_are_repaired()
    {
        await using var services = Services(s => s.AssignToSmallest());
        var tenants = services.GetRequiredService<ITenantAdministration<WarehouseContext>>();
        await tenants.AddAsync(["a", "b"]);
        await _home.ExecuteAsync($"""DROP DATABASE "{_first.Name}" WITH (FORCE)""");
        await _second.ExecuteAsync("""DROP TABLE "Payment_b" """);

        var repairs = await tenants.RepairAsync();

        Assert.Equal([("a", null, false), ("b", "public.Payment", true)], repairs.Select(r => (r.TenantId, r.Table, r.IsMended)));
        Assert.Contains("database 'first', which is gone", repairs[0].Description, StringComparison.Ordinal);
        Assert.Contains("MigrateTenantsAsync(", repairs[0].Description, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Some_tenants_share_the_home_database_and_others_have_a_schema_or_a_database()
    {
        await using var services = new ServiceCollection()
            .AddTenantDatabases(
                x => x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString, m => m.OthersShareTheHomeDatabase()))
            .AddPooledDbContextFactory<DepotContext>(
                (s, options) => options.UseNpgsql()
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<DepotContext>()
            .BuildServiceProvider();
        var databases = services.GetRequiredService<TenantDatabases>();
        var own = await DatabaseAsync();
        await databases.AddAsync("with schema", TenantDestination.InSchema("big"));
        await databases.AddDatabaseAsync("own", own.ConnectionString);
        await databases.AddAsync("with database", TenantDestination.InDatabase("own"));
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();
        string[] tenants = ["small 1", "with schema", "small 2", "with database"];
        foreach (var tenant in tenants)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            await db.Database.EnsureCreatedAsync();
        }

        foreach (var tenant in tenants)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            db.Set<Dictionary<string, object>>("Table0").Add(new Dictionary<string, object> { ["Name"] = tenant });
            await db.SaveChangesAsync();
        }

        foreach (var tenant in tenants)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            Assert.Equal(tenant, (await db.Set<Dictionary<string, object>>("Table0").SingleAsync())["Name"]);
        }

        const string Names = """SELECT "TenantId" || '/' || "Name" FROM {0}."Table0" ORDER BY 1""";
        Assert.Equal(["small 1/small 1", "small 2/small 2"], await _home.ColumnAsync(Names.Replace("{0}", "public", StringComparison.Ordinal)));
        Assert.Equal(["with schema/with schema"], await _home.ColumnAsync(Names.Replace("{0}", "big", StringComparison.Ordinal)));
        Assert.Equal(["with database/with database"], await own.ColumnAsync(Names.Replace("{0}", "public", StringComparison.Ordinal)));

        var administration = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        await administration.DeleteDataAsync(["with schema", "small 1"]);
        Assert.Equal(["small 2/small 2"], await _home.ColumnAsync(Names.Replace("{0}", "public", StringComparison.Ordinal)));
        Assert.Empty(await _home.ColumnAsync(Names.Replace("{0}", "big", StringComparison.Ordinal)));
        await administration.DisableAsync(["small 1"]);
        await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync("small 1"));
        await administration.EnableAsync(["small 1"]);

        // On its way to a place of its own, it must not get rows among the others' meanwhile.
        await _home.ExecuteAsync("INSERT INTO tenants.tenant_destinations (tenant_id, schema_name, state) VALUES ('half', 'half', 'adding')");
        await Task.Delay(300);
        await databases.FindAsync("with schema");
        await Assert.ThrowsAsync<UnknownTenantException>(
            async () =>
            {
                for (var i = 0; i < 30; i++)
                {
                    await using var half = await factory.CreateDbContextAsync("half");
                    await Task.Delay(200);
                }
            });

        await using var small = await factory.CreateDbContextAsync("small 1");
        small.Tenancy().ForTenant("small 2");
        Assert.Throws<InvalidTenantForDatabaseException>(() => small.Tenancy().ForTenant("with schema"));
    }

    private ServiceProvider Services(Action<ShardedDatabasesBuilder> shards)
        => new ServiceCollection()
            .AddTenantDatabases(
                x => x.MultiTenantedWithShardedDatabases(
                    _home.ConnectionString,
                    s =>
                    {
                        s.NameDatabase("first", _first.ConnectionString);
                        s.NameDatabase("second", _second.ConnectionString);
                        shards(s);
                    }))
            .AddPooledDbContextFactory<WarehouseContext>(
                (s, options) => options.UseNpgsql()
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .UseTenancy(
                        t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry)
                            .UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<WarehouseContext>()
            .BuildServiceProvider();
}
