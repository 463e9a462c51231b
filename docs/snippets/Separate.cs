using EfTenancy.Administration;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Snippets;

/// <summary>What the page about databases and schemas for tenants shows, compiled.</summary>
public static class Separate
{
    public static void Listed(IServiceCollection services, string green, string red, string small)
    {
        services.AddTenantDatabases(databases => databases.MultiTenantedDatabases(list => list
            .AddSingleTenantDatabase(green, "Green")
            .AddSingleTenantDatabase(red, "Red")
            .AddMultipleTenantDatabase(small, "Blue", "White")));
        services.AddDbContextPool<ShopContext>((provider, options) => options
            .UseNpgsql()
            .UseTenancy(tenancy => tenancy
                .AllEntitiesAreMultiTenanted()
                .UseTenantDatabases(provider.GetRequiredService<TenantDatabases>())));
        services.AddTenantAdministration<ShopContext>();
    }

    public static void SingleServer(IServiceCollection services, string home)
    {
        services.AddTenantDatabases(databases => databases.MultiTenantedWithSingleServer(home, server => server
            .UsePrefix("shop_")                          // database shop_acme for tenant acme
            .UseTemplate("shop_template")                // a copy of this one, tables and all
            .CreateDatabasesOnFirstUse()));              // as in Marten; else tenants are added
    }

    public static void Schemas(IServiceCollection services, string home)
    {
        services.AddTenantDatabases(databases => databases.MultiTenantedSchemas(home, schemas => schemas
            .UsePrefix("shop_")));
    }

    public static void SharedTable(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Country>().ToTable("Countries", "shared");
    }

    public static void MasterTable(IServiceCollection services, string home, string bigServer)
    {
        services.AddTenantDatabases(databases => databases.MultiTenantedDatabasesWithMasterDatabaseTable(home, table =>
        {
            table.OthersShareTheHomeDatabase();          // whoever has no row shares the tables there
            table.NameDatabase("big", bigServer);        // so that the table need not hold a password
        }));
    }

    public static void Shards(IServiceCollection services, string home, string first, string second)
    {
        services.AddTenantDatabases(databases => databases.MultiTenantedWithShardedDatabases(home, shards =>
        {
            shards.NameDatabase("first", first);
            shards.NameDatabase("second", second);
            shards.AssignToSmallest();                   // or AssignByHash(), AssignExplicitly(), AssignBy(...)
        }));
    }

    public static async Task AddAsync(TenantDatabases databases, string connectionString, CancellationToken cancellationToken)
    {
        await databases.AddDatabaseAsync("asia", connectionString, cancellationToken);
        await databases.AddAsync("acme", TenantDestination.InDatabase("asia"), cancellationToken);
        await databases.AddAsync("Globex", TenantDestination.InSchema("globex"), cancellationToken);
        await databases.DisableAsync("acme", cancellationToken);
        await databases.EnableAsync("acme", cancellationToken);
    }

    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancellationToken)
    {
        await services.MigrateTenantsAsync<ShopContext>(
            options =>
            {
                options.MaxParallelism = 8;
                options.Canaries = 3;
            },
            cancellationToken);
    }

    public static void Guarded(DbContextOptionsBuilder options, TenantDatabases databases)
        => options.UseTenancy(tenancy => tenancy.UseTenantDatabases(databases).RefusePendingMigrations());

    public static void Budget(IServiceCollection services, string home)
    {
        services.AddTenantDatabases(databases => databases
            .MultiTenantedWithSingleServer(home)
            .MaxConnections(50, wait: TimeSpan.FromSeconds(5))
            .MaxDataSources(100));
    }
}
