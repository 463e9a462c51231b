using EfTenancy.Administration;
using Spectre.Console;
using WebApi.Model;

namespace WebApi;

/// <summary>Makes the airports tenants when the application starts for the first time. Later they come and go as operators say.</summary>
public sealed class AirportTenants(ITenantAdministration<FlightContext> tenants, IAnsiConsole console)
{
    public async Task AddIfNoneAsync(CancellationToken cancellationToken = default)
    {
        if ((await tenants.ListAsync(cancellationToken)).Count == 0)
        {
            await console.Status().StartAsync(
                $"Adding {Tenants.All.Count} tenants", _ => tenants.AddAsync(Tenants.All, cancellationToken));
        }
    }
}
