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

// Says when it is about to start, so that a test can kill it a random moment later.
var (connectionString, command, tenants) = (args[0], args[1], args[2].Split(','));
if (command == "convert")
{
    await using var converted = new ConversionContext(connectionString);
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
