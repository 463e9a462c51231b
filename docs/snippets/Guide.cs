using System.CommandLine;
using EfTenancy.Administration;
using EfTenancy.CommandLine;
using EfTenancy.Diagnostics;
using EfTenancy.Metadata;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace EfTenancy.Snippets;

/// <summary>What README and guide show, compiled; a test holds their text against this folder.</summary>
public static class Guide
{
    public static void FiveLines(IServiceCollection services, string connectionString)
    {
        services.AddDbContextPool<ShopContext>(options => options
            .UseNpgsql(connectionString)
            .UseTenancy(tenancy => tenancy.AllEntitiesAreMultiTenanted()));
        services.AddHttpContextAccessor();
        services.AddSingleton<ITenantAccessor, HttpTenantAccessor>();
    }

    public static void Policies(DbContextOptionsBuilder options)
        => options.UseTenancy(tenancy => tenancy
            .AllEntitiesAreMultiTenanted()
            .PartitionMultiTenantedEntities(x => x.ByHash("one", "two", "three"))
            .DisableDefaultTenant());

    public static void Entities(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Order>().IsMultiTenanted();
        modelBuilder.Entity<Country>().IsSingleTenanted();
        modelBuilder.Entity<Customer>().HasIndex(c => c.Email).IsUnique();               // becomes (TenantId, Email)
        modelBuilder.Entity<Customer>().HasIndex(c => c.Email, "Global").IsUnique().IsGlobal();   // stays as it is
    }

    public static void Partitions(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Order>().IsPartitionedByTenant(x => x.ByList()
            .AddTenants("acme", "Globex")                    // a partition each
            .AddPartition("small", "tenant1", "tenant2"));   // one for both
        modelBuilder.Entity<Customer>().IsPartitionedByTenant(x => x.ByRange().AddRange("asia", "a", "azzz"));
        modelBuilder.Entity<Country>().DoNotPartition();
    }

    public static void ExternallyManaged(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Order>().IsPartitionedByTenant(x => x.ByExternallyManagedListPartitions());

    public static void ManagedTenants(IServiceCollection services, string connectionString)
    {
        services.AddDbContextFactory<ShopContext>(options => options
            .UseNpgsql(connectionString)
            .UseTenancy(tenancy => tenancy
                .AllEntitiesAreMultiTenanted()
                .PartitionMultiTenantedEntitiesManaged(schema: "tenants")));
        services.AddTenantAdministration<ShopContext>();
    }

    public static async Task ComeAndGo(ITenantAdministration<ShopContext> tenants, CancellationToken cancellationToken)
    {
        await tenants.AddAsync(["acme", "Globex"], cancellationToken);           // a partition each, in every table
        await tenants.AddAsync(new Dictionary<string, string>                    // id → suffix; the same suffix: the same partition
        {
            ["tenant1"] = "small",
            ["tenant2"] = "small",
        }, cancellationToken);

        await tenants.SplitAsync(["tenant1"], cancellationToken);                // out of the shared partition into its own

        await tenants.DisableAsync(["acme"], cancellationToken);                 // contexts refuse it: TenantDisabledException
        await tenants.EnableAsync(["acme"], cancellationToken);
        await tenants.DeleteDataAsync(["acme"], cancellationToken);              // its rows; it stays registered
        await tenants.RemoveAsync(["acme", "tenant1"], cancellationToken);       // rows and registration; tenant2 stays

        foreach (var tenant in await tenants.ListAsync(cancellationToken))
        {
            Console.WriteLine($"{tenant.TenantId} {tenant.State} {tenant.Partitions} {tenant.EstimatedRows} {tenant.Bytes}");
        }
    }

    public static void HandWritten(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTenantPartition(table: "Orders", suffix: "t3", values: ["T3"]);
        migrationBuilder.DropTenantPartition(table: "Orders", suffix: "t2");   // fails, and loses nothing, if it holds rows
    }

    public static void Adopts(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.Sql("""UPDATE "Customers" SET "TenantId" = 'acme'; UPDATE "Orders" SET "TenantId" = 'acme';""");
    }

    public static void Switches(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.PartitionExistingTable(
            table: "Orders", column: "TenantId", partitioning: x => x.ByList().AddTenants("acme", "Globex"), firstPartition: "initial");
        migrationBuilder.EnsureTenantRegistry(schema: "tenants");
        migrationBuilder.PartitionExistingTable(
            table: "Orders", column: "TenantId", partitioning: x => x.ByManagedListPartitions("tenants"), firstPartition: "initial");
        migrationBuilder.RegisterTenantPartitions(
            table: "Orders", registrySchema: "tenants", partitioning: x => x.ByList().AddTenants("acme", "Globex"));
        migrationBuilder.KeepTenantPartitions(table: "Orders", partitioning: x => x.ByList().AddTenants("acme", "Globex"));
        migrationBuilder.RegisterTenantPartitions(table: "Orders", registrySchema: "crm", formerRegistrySchema: "tenants");
        migrationBuilder.RebuildTableByCopying(table: "Customers", column: "TenantId", partitioning: x => x.ByHash("one", "two", "three"));
        migrationBuilder.RebuildTableByCopying(table: "Customers", column: "TenantId", partitioning: x => x.ByManagedListPartitions("tenants"));
    }

    public static async Task<int> CommandLine(string[] args, IServiceProvider services)
    {
        if (args is ["tenants", ..])
        {
            return await new RootCommand { TenantCommands.Create<ShopContext>(services) }.Parse(args).InvokeAsync();
        }

        return 0;
    }

    public static async Task Tenants(IDbContextFactory<ShopContext> factory)
    {
        await using var green = await factory.CreateDbContextAsync("Green");
        green.Add(new Customer { Email = "a@example.org" });        // belongs to Green
        await green.SaveChangesAsync();

        var customer = await green.Customers.FindAsync(1);          // Green's customer 1, or null
        green.Remove(new Order { Id = 1 });                         // Green's order 1; if only Red has one:
        await green.SaveChangesAsync();                             // DbUpdateConcurrencyException, and Red's stays
    }

    public static async Task CrossTenant(ShopContext db)
    {
        var some = await db.Orders.Where(o => o.TenantIsOneOf("Green", "Red") && o.Paid).ToListAsync();
        var all = await db.Orders.Where(o => o.AnyTenant() && o.Paid).ToListAsync();
        var unfiltered = await db.Orders.IgnoreQueryFilters([TenancyDefaults.QueryFilterName]).ToListAsync();
    }

    public static async Task OtherTenants(ShopContext db, Order order)
    {
        db.Tenancy().ForTenant("Red").Add(order);
        var reds = await db.Tenancy().ForTenant("Red").Set<Order>().Where(o => o.Paid).ToListAsync();
        await db.SaveChangesAsync();                                         // one transaction for both tenants

        using (db.Tenancy().AcrossTenants("monthly invoice run"))            // logged, with its reason
        {
            await db.Orders.Where(o => o.Paid).ExecuteDeleteAsync();         // of all tenants
        }
    }

    public static void Ids(DbContextOptionsBuilder options)
        => options.UseTenancy(tenancy => tenancy
            .UseTenantIdStyle(TenantIdStyle.ForceLowerCase)                  // Acme, ACME and acme are one tenant
            .UseTenantProperty("CustomerId", maxLength: 36));

    public static async Task BulkInsert(ShopContext db, IEnumerable<Order> orders, IAsyncEnumerable<Order> stream)
    {
        await db.Tenancy().BulkInsertAsync(orders);                          // the tenant of the context
        await db.Tenancy().BulkInsertAsync("Green", stream);                 // a named one
        await db.Tenancy().BulkInsertAsync(o => o.Title[..2], orders);       // each row's own, in one COPY
    }

    public static void TypeOfIds(DbContextOptionsBuilder options)
        => options.UseTenancy(tenancy => tenancy.AllEntitiesAreMultiTenanted().UseTenantProperty<Guid>());

    public static void KeyStyle(DbContextOptionsBuilder options)
        => options.UseTenancy(tenancy => tenancy.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant));

    public static void SharedRows(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Country>().IsMultiTenanted(t => t.WithSharedRows());

    public static async Task SeveralTenants(ShopContext db)
    {
        db.Tenancy().Use(["Green", "Red"]);
        var orders = await db.Orders.ToListAsync();                          // Green's and Red's
        db.Tenancy().ForTenant("Red").Add(new Order { Title = "written" });  // writing names the tenant
        _ = orders;
    }

    public static void Telemetry(MeterProviderBuilder metrics, TracerProviderBuilder traces)
    {
        metrics.AddMeter(TenancyTelemetry.MeterName);
        traces.AddSource(TenancyTelemetry.ActivitySourceName);
    }

    public static void HealthChecks(IServiceCollection services)
        => services.AddHealthChecks().AddTenancyHealthChecks(o => o.MaxDatabases = 50);

    public static async Task BulkInsertGraph(ShopContext db, List<Customer> customers)
    {
        await db.Tenancy().BulkInsertAsync(customers, returnGeneratedValues: true);      // customers[0].Id is that of its row
        await db.Tenancy().BulkInsertAsync(
            customers.SelectMany(c => c.Orders, (c, o) => new Order { Title = o.Title, CustomerId = c.Id }));
    }

    public static async Task Move(ITenantMover<ShopContext> tenants, CancellationToken cancellationToken)
    {
        await tenants.MoveAsync("acme", TenantDestination.InSchema("acme"), cancellationToken);          // from the shared tables
        await tenants.MoveAsync("acme", TenantDestination.InDatabase("big"), cancellationToken);         // to a database
        await tenants.MoveAsync("acme", TenantDestination.InDatabase("big", "acme"), cancellationToken); // a schema in it
        await tenants.MoveAsync("acme", TenantDestination.Home, cancellationToken);                      // and back
    }

    public static async Task Export(ITenantMover<ShopContext> tenants, CancellationToken cancellationToken)
    {
        await tenants.ExportAsync("acme", "backup/acme", cancellationToken);
        await tenants.ImportAsync("acme", "backup/acme", cancellationToken);   // where the tenant is now, and has no rows
    }
}
