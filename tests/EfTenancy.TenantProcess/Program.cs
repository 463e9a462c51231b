using EfTenancy.Administration;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

if (args[1] == "migrate")
{
    await using var services = DepotContext.Services(x => x.MultiTenantedSchemas(args[0]));
    Console.WriteLine("ready");
    await services.MigrateTenantsAsync<DepotContext>();
    Console.WriteLine("done");
    return;
}

if (args[1] == "move")
{
    // Home, the tenant, and the destination; the registry has the connection strings.
    await using var services = StudioContext.Services(args[0]);
    var mover = services.GetRequiredService<ITenantMover<StudioContext>>();
    _ = await services.GetRequiredService<TenantDatabases>().ListAsync();
    var (database, schema) = (args[3], args[4]);
    var destination = database.Length > 0 ? TenantDestination.InDatabase(database, schema.Length > 0 ? schema : null)
        : schema.Length > 0 ? TenantDestination.InSchema(schema)
        : TenantDestination.Home;
    Console.WriteLine("ready");
    _ = await mover.MoveAsync(args[2], destination);
    Console.WriteLine("done");
    return;
}

// Says when it is about to start, so that a test can kill it a random moment later.
var (connectionString, command, tenants) = (args[0], args[1], args[2].Split(','));
if (command is "convert" or "manage")
{
    await using var converted = ConversionContext.Create(connectionString, isManaged: command == "manage");
    _ = converted.Model;
    await converted.Database.ExecuteSqlAsync($"SELECT 1");
    Console.WriteLine("ready");
    await converted.Database.MigrateAsync();
    Console.WriteLine("done");
    return;
}

await using var context = WarehouseContext.Create(connectionString);
_ = context.Model;
var administration = context.Tenancy().Administration;
_ = await administration.ListAsync();

Console.WriteLine("ready");
_ = command switch
{
    "add" => await administration.AddAsync(tenants.Select(t => t.Split('=')).ToDictionary(t => t[0], t => t[1])),
    "split" => await administration.SplitAsync(tenants),
    "remove" => await administration.RemoveAsync(tenants),
    _ => throw new ArgumentException(command),
};
Console.WriteLine("done");
