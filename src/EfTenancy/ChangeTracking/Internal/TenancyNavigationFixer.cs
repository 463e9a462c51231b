using System.Collections;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Refuses to join rows of two tenants by a many-to-many navigation. EF would make a link of one tenant with the ids of both, and the
///     database would take it for one of the rows that this tenant has under those ids.
/// </summary>
#pragma warning disable EF1001 // Only EF's fix-up knows which objects a link is made for.
public class TenancyNavigationFixer(IEntityGraphAttacher attacher, IStructuralTypeMaterializerSource entityMaterializerSource)
    : NavigationFixer(attacher, entityMaterializerSource)
{
    public override void NavigationCollectionChanged(
        InternalEntityEntry entry,
        INavigationBase navigationBase,
        IEnumerable<object> added,
        IEnumerable<object> removed)
    {
        if (navigationBase is ISkipNavigation navigation && MayHoldOthers(entry))
        {
            RefuseOthers(entry, navigation, added);
        }

        base.NavigationCollectionChanged(entry, navigationBase, added, removed);
    }

    public override void StateChanging(InternalEntityEntry entry, EntityState newState)
    {
        if (entry.EntityState == EntityState.Detached && MayHoldOthers(entry))
        {
            foreach (var navigation in entry.EntityType.GetSkipNavigations())
            {
                if (entry[navigation] is IEnumerable related)
                {
                    RefuseOthers(entry, navigation, related);
                }
            }

            foreach (var (navigation, referrer) in entry.StateManager.GetRecordedReferrers(entry.Entity, clear: false))
            {
                if (navigation is ISkipNavigation skip)
                {
                    RefuseOther(referrer, skip, entry);
                }
            }
        }

        base.StateChanging(entry, newState);
    }

    private static bool MayHoldOthers(InternalEntityEntry entry)
        => ((TenancyStateManager)entry.StateManager).Tenant.MayHoldOthers;

    private static void RefuseOthers(InternalEntityEntry entry, ISkipNavigation navigation, IEnumerable related)
    {
        foreach (var one in related)
        {
            if (entry.StateManager.TryGetEntry(one, navigation.TargetEntityType) is { EntityState: not EntityState.Detached } other)
            {
                RefuseOther(entry, navigation, other);
            }
        }
    }

    private static void RefuseOther(InternalEntityEntry entry, ISkipNavigation navigation, InternalEntityEntry other)
    {
        var ids = ((TenancyStateManager)entry.StateManager).Tenant.IdConverter;
        if (entry.EntityType.FindTenantProperty() is { } property
            && other.EntityType.FindTenantProperty() is { } otherProperty
            && ids.ToTenantIdOf(entry[property]) is var tenantId
            && ids.ToTenantIdOf(other[otherProperty]) is var otherTenantId
            && tenantId != otherTenantId)
        {
            throw new InvalidOperationException(
                TenancyStrings.LinkOfTwoTenants(
                    entry.EntityType.DisplayName(), navigation.Name, other.EntityType.DisplayName(), tenantId, otherTenantId));
        }
    }
}
#pragma warning restore EF1001
