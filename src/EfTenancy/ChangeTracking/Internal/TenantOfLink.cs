using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Gives the row that EF makes for a many-to-many navigation the tenant of the two that it links. Elsewhere its foreign keys do that;
///     where keys are ids only they do not hold the tenant.
/// </summary>
#pragma warning disable EF1001 // See TenancyStateManager; this is one step of its StartTracking.
public sealed class TenantOfLink(StateManager stateManager, CurrentTenant tenant)
{
    public void Inherit(InternalEntityEntry entry)
    {
        if (!tenant.IsWorkingFor
            && entry.EntityType.FindTenantProperty() is { } property
            && (property.IsShadowProperty() || property.IsIndexerProperty())
            && TenantsOfEnds(entry) is [{ } ofBoth, _, ..] tenants
            && tenants.TrueForAll(ofBoth.Equals))
        {
            entry[property] = ofBoth;
        }
    }

    private List<object?> TenantsOfEnds(InternalEntityEntry entry)
        => [.. entry.EntityType.GetForeignKeys()
            .Where(fk => fk.GetReferencingSkipNavigations().Any())
            .Select(fk => stateManager.FindPrincipal(entry, fk))
            .Select(end => end?.EntityType.FindTenantProperty() is { } property ? end[property] : null)];
}
#pragma warning restore EF1001
