using EfTenancy.Infrastructure.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Administration.Internal;

/// <summary>Finds the places of tenants, and works in each of them with a context of the application's.</summary>
public sealed class TenantPlaces<TContext>(
    TenantDatabases databases,
    ApplicationContexts<TContext> contexts,
    TenantAdministrationOptions options)
    where TContext : DbContext
{
    /// <summary>Administration in each place of the tenants, with those that are there.</summary>
    public async Task<List<TenantAdministrationResult>> AtAsync(
        HashSet<string> ids,
        Func<TenantPlace, bool> places,
        Func<TenantAdministrator, IReadOnlySet<string>, Task<TenantAdministrationResult>> work,
        CancellationToken cancellationToken)
    {
        var results = new List<TenantAdministrationResult>();
        foreach (var tenants in (await KnownAsync(ids, cancellationToken).ConfigureAwait(false)).Where(t => places(t.Place))
                     .GroupBy(t => t.Tenant.Destination))
        {
            results.Add(
                await AtAsync(
                    tenants.First().Place,
                    c => work(new TenantAdministrator(c, options), tenants.Select(t => t.Tenant.TenantId).ToHashSet()),
                    cancellationToken).ConfigureAwait(false));
        }

        return results;
    }

    public Task<T> AtAsync<T>(TenantPlace place, Func<TContext, Task<T>> work, CancellationToken cancellationToken)
        => contexts.UseAsync(
            context =>
            {
                context.GetService<CurrentTenant>().UsePlace(place, tenantId: null);
                return work(context);
            },
            cancellationToken);

    /// <exception cref="UnknownTenantException">One is nowhere.</exception>
    public async Task<List<(AssignedTenant Tenant, TenantPlace Place)>> KnownAsync(HashSet<string> ids, CancellationToken cancellationToken)
    {
        var tenants = (await databases.Directory.ListAsync(cancellationToken).ConfigureAwait(false)).Where(t => ids.Contains(t.Tenant.TenantId)).ToList();
        foreach (var id in ids.Except(tenants.Select(t => t.Tenant.TenantId)))
        {
            tenants.Add(
                databases.Directory.Home is { IsShared: true, IsSharedPart: false } home
                    ? (new AssignedTenant(id, home.Destination, IsDisabled: false), home)
                    : throw new UnknownTenantException(TenancyStrings.TenantHasNoDestination(id), id));
        }

        return tenants;
    }

    /// <summary>Those that share the home database without a row in the registry get one, to say more about them.</summary>
    public async Task<List<(AssignedTenant Tenant, TenantPlace Place)>> RegisteredAsync(HashSet<string> ids, CancellationToken cancellationToken)
    {
        var tenants = await KnownAsync(ids, cancellationToken).ConfigureAwait(false);
        var content = await databases.Registered.ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (var (tenant, _) in tenants.Where(t => !content.Tenants.ContainsKey(t.Tenant.TenantId)))
        {
            await databases.Registered.RegisterAsync(tenant.TenantId, tenant.Destination, cancellationToken).ConfigureAwait(false);
            await databases.Registered.ActivateAsync(tenant.TenantId, cancellationToken).ConfigureAwait(false);
        }

        return tenants;
    }
}
