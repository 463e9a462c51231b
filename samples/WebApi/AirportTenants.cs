using EfTenancy.Administration;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;
using WebApi.Model;

namespace WebApi;

/// <summary>Brings the tenants' tables up to date when the application starts, and makes airports tenants when it does for the first time.</summary>
public sealed partial class AirportTenants(
    ITenantAdministration<FlightContext> tenants,
    FlightTenancy tenancy,
    IServiceProvider services,
    IAnsiConsole console,
    ILogger<AirportTenants> logger)
{
    public async Task MigrateAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await services.MigrateTenantsAsync<FlightContext>(cancellationToken: cancellationToken);
        }
        catch (TenantMigrationException exception) when (tenancy.Databases is not null)
        {
            // A tenant whose database is broken does not keep the others from theirs.
            LogFailure(exception.Message);
        }
    }

    /// <summary>Later tenants come and go as operators say.</summary>
    public async Task AddIfNoneAsync(CancellationToken cancellationToken = default)
    {
        var count = tenancy.Databases is { } databases
            ? (await databases.ListAsync(cancellationToken)).Count
            : (await tenants.ListAsync(cancellationToken)).Count;
        if (count == 0)
        {
            await console.Status().StartAsync(
                $"Adding {tenancy.FirstTenants.Count} tenants", _ => tenants.AddAsync(tenancy.FirstTenants, cancellationToken));
        }
    }

    [LoggerMessage(LogLevel.Error, "{Message}")]
    private partial void LogFailure(string message);
}
