using System.Collections.Frozen;
using EfTenancy.Properties;

namespace EfTenancy.Storage.Internal;

/// <summary>Tenants as the application's code lists them. As Marten's <c>MultiTenantedDatabases</c>.</summary>
public sealed class StaticTenantDirectory(IReadOnlyDictionary<string, TenantPlace> places) : TenantDirectory
{
    private readonly FrozenDictionary<string, TenantPlace> _places = places.ToFrozenDictionary();

    public override TenantPlace? Home
        => null;

    public override TenantPlace Find(string tenantId)
        => _places.TryGetValue(tenantId, out var place)
            ? place
            : throw new UnknownTenantException(TenancyStrings.TenantNotMapped(tenantId), tenantId);

    public override TenantPlace Locate(string tenantId)
        => Find(tenantId);

    public override bool HasTenantsElsewhere(TenantPlace place)
        => _places.Values.Any(p => !p.IsSameAs(place));

    public override ValueTask<TenantPlace> FindAsync(string tenantId, CancellationToken cancellationToken)
        => new(Find(tenantId));

    public override Task<IReadOnlyList<(AssignedTenant, TenantPlace)>> ListAsync(CancellationToken cancellationToken)
        => Task.FromResult<IReadOnlyList<(AssignedTenant, TenantPlace)>>(
            [
                .. _places.OrderBy(p => p.Key, StringComparer.Ordinal)
                    .Select(p => (new AssignedTenant(p.Key, p.Value.Destination, IsDisabled: false), p.Value)),
            ]);
}
