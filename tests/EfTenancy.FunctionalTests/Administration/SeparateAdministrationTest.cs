using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>The administration of conjoined tenants, called for tenants that have a database or a schema: the same calls.</summary>
public sealed class SeparateAdministrationTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _home = null!;

    public async ValueTask InitializeAsync()
        => _home = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _home.DisposeAsync();

    [Fact]
    public async Task A_tenant_with_a_schema_is_added_with_its_tables_listed_emptied_disabled_and_removed()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();

        await tenants.AddAsync(["acme", "Globex"]);
        await tenants.AddAsync(["acme"]);
        await AddRowAsync("acme");
        await AddRowAsync("Globex");
        await _home.ExecuteAsync("ANALYZE");

        var listed = await tenants.ListAsync();
        Assert.Equal(["Globex", "acme"], listed.Select(t => t.TenantId));
        Assert.All(listed, t => Assert.Equal((TenantState.Active, 3), (t.State, t.EstimatedRows)));
        Assert.All(listed, t => Assert.InRange(t.Bytes, 1, 10_000_000));

        // Looking again and again opens no more pools.
        var sources = services.GetRequiredService<TenantDatabases>().Sources.Count;
        await tenants.ListAsync();
        await tenants.AddAsync(["acme"]);
        Assert.Equal(sources, services.GetRequiredService<TenantDatabases>().Sources.Count);

        await tenants.DeleteDataAsync(["acme"]);
        Assert.Equal(0, await CountAsync("acme"));
        Assert.Equal(1, await CountAsync("Globex"));
        Assert.Equal(["m"], await _home.ColumnAsync("""SELECT "Code" FROM shared."Units" """));

        await tenants.DisableAsync(["acme"]);
        await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync("acme"));
        await tenants.EnableAsync(["acme"]);
        Assert.Equal(0, await CountAsync("acme"));

        var globex = (await services.GetRequiredService<TenantDatabases>().FindAsync("Globex")).Schema!;
        Assert.Equal(["", "tenant_acme", globex], await JournalAsync());
        await tenants.RemoveAsync(["acme"]);
        Assert.Equal(["", globex], await JournalAsync());
        await Assert.ThrowsAsync<UnknownTenantException>(() => factory.CreateDbContextAsync("acme"));
        Assert.Equal(
            ["Globex"],
            (await tenants.ListAsync()).Select(t => t.TenantId));
        Assert.Single(await _home.ColumnAsync("SELECT nspname FROM pg_namespace WHERE nspname ~ '^tenant_'"));
        await Assert.ThrowsAsync<UnknownTenantException>(() => tenants.RemoveAsync(["acme"]));

        async Task AddRowAsync(string tenant)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            db.Set<Dictionary<string, object>>("Table0").Add(new Dictionary<string, object> { ["Name"] = tenant, ["UnitCode"] = "m" });
            await db.SaveChangesAsync();
        }

        Task<List<string>> JournalAsync()
            => _home.ColumnAsync("""SELECT schema_name FROM tenants.tenant_migrations ORDER BY schema_name COLLATE "C" """);

        async Task<int> CountAsync(string tenant)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            return await db.Set<Dictionary<string, object>>("Table0").CountAsync();
        }
    }

    [Fact]
    public async Task A_tenant_with_a_database_of_its_own_is_added_and_removed_with_it()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedWithSingleServer(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();

        await tenants.AddAsync(["acme"]);
        var database = (await services.GetRequiredService<TenantDatabases>().FindAsync("acme")).Database!;
        Assert.Equal([database], await _home.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{database}'"));
        await using (var db = await services.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme"))
        {
            Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        }

        await tenants.RemoveAsync(["acme"]);
        Assert.Empty(await _home.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{database}'"));
        Assert.Empty(await tenants.ListAsync());
        Assert.Empty(await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_databases"));
        Assert.Empty(await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_migrations"));

        // The connections to the old database must not be taken for ones to the new.
        await tenants.AddAsync(["acme"]);
        await using (var db = await services.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme"))
        {
            Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        }

        await tenants.RemoveAsync(["acme"]);
    }

    [Fact]
    public async Task A_database_that_was_not_made_here_is_not_dropped()
    {
        var given = await postgres.CreateDatabaseAsync();
        await using var services = DepotContext.Services(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddDatabaseAsync("given", given.ConnectionString);
        await databases.AddAsync("acme", TenantDestination.InDatabase("given"));

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => services.GetRequiredService<ITenantAdministration<DepotContext>>().RemoveAsync(["acme"]));

        Assert.Contains("TenantDatabases.RemoveAsync", refused.Message, StringComparison.Ordinal);
        Assert.Equal("given", (await databases.FindAsync("acme")).Database);

        // It is forgotten by the tenant, and still registered for others; what was told of its migrations goes with the last.
        await databases.AddAsync("Globex", TenantDestination.InDatabase("given"));
        await _home.ExecuteAsync("INSERT INTO tenants.tenant_migrations VALUES ('context', 'given', '', NULL, NULL, 1, now()), ('context', '', '', NULL, NULL, 1, now())");
        await databases.RemoveAsync("acme");
        Assert.Equal(["", "given"], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_migrations ORDER BY 1"));
        await databases.RemoveAsync("Globex");
        Assert.Equal([""], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_migrations"));
        Assert.Equal(["given"], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_databases"));
        await services.DisposeAsync();
        await given.DisposeAsync();
    }

    [Fact]
    public async Task A_tenant_that_is_only_half_added_is_not_let_in_and_is_finished_by_a_repair()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();
        await tenants.AddAsync(["other"]);
        await _home.ExecuteAsync("INSERT INTO tenants.tenant_destinations (tenant_id, schema_name, state) VALUES ('half', 'tenant_half', 'adding')");
        await Task.Delay(300);

        await Assert.ThrowsAsync<UnknownTenantException>(() => factory.CreateDbContextAsync("half"));
        Assert.Equal("half", Assert.Single(await tenants.RepairAsync()).TenantId);

        await using var db = await factory.CreateDbContextAsync("half");
        Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task The_tables_of_a_schema_have_no_partitions_and_those_of_a_database_do()
    {
        await using var services = new ServiceCollection()
            .AddTenantDatabases(x => x.MultiTenantedSchemas(_home.ConnectionString))
            .AddDbContextFactory<WarehouseContext>(
                (s, options) => options.UseNpgsql()
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .UseTenancy(
                        t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry)
                            .UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<WarehouseContext>()
            .BuildServiceProvider();
        await services.GetRequiredService<ITenantAdministration<WarehouseContext>>().AddAsync(["acme"]);

        await using var db = await services.GetRequiredService<IDbContextFactory<WarehouseContext>>().CreateDbContextAsync("acme");
        db.AddRows(1);
        await db.SaveChangesAsync();

        Assert.Equal(
            ["acme r"],
            await _home.ColumnAsync("""SELECT o."TenantId" || ' ' || c.relkind::text FROM tenant_acme."Orders" o JOIN pg_class c ON c.oid = o.tableoid"""));
        Assert.Equal(0, await _home.ScalarAsync<long>("SELECT count(*) FROM pg_inherits"));
        Assert.Throws<InvalidOperationException>(() => db.Tenancy().Administration);
    }
}
