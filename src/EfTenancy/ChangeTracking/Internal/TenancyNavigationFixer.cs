using System.Collections;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Refuses a row that references rows of two tenants: a link of a many-to-many navigation, or a new row with two parents. It would become
///     one tenant's, and the database would take its references for those to the rows that this tenant has under the same ids.
/// </summary>
#pragma warning disable EF1001 // Only EF's fix-up knows which objects are meant; what is saved has their ids.
public class TenancyNavigationFixer(IEntityGraphAttacher attacher, IStructuralTypeMaterializerSource entityMaterializerSource)
    : NavigationFixer(attacher, entityMaterializerSource)
{
    public override void NavigationReferenceChanged(
        InternalEntityEntry entry,
        INavigationBase navigationBase,
        object? oldValue,
        object? newValue)
    {
        if (newValue is not null && MayHoldOthers(entry))
        {
            RefuseOthers(entry, navigationBase, new[] { newValue });
        }

        base.NavigationReferenceChanged(entry, navigationBase, oldValue, newValue);
    }

    public override void NavigationCollectionChanged(
        InternalEntityEntry entry,
        INavigationBase navigationBase,
        IEnumerable<object> added,
        IEnumerable<object> removed)
    {
        if (MayHoldOthers(entry))
        {
            RefuseOthers(entry, navigationBase, added);
        }

        base.NavigationCollectionChanged(entry, navigationBase, added, removed);
    }

    public override void StateChanging(InternalEntityEntry entry, EntityState newState)
    {
        if (entry.EntityState == EntityState.Detached && MayHoldOthers(entry))
        {
            foreach (var navigation in entry.EntityType.GetNavigations().Concat<INavigationBase>(entry.EntityType.GetSkipNavigations()))
            {
                if (entry[navigation] is { } related)
                {
                    RefuseOthers(entry, navigation, navigation.IsCollection ? (IEnumerable)related : new[] { related });
                }
            }

            foreach (var (navigation, referrer) in entry.StateManager.GetRecordedReferrers(entry.Entity, clear: false))
            {
                RefuseOther(referrer, navigation, entry);
            }
        }

        base.StateChanging(entry, newState);
    }

    // A query that resolves identities without tracking has a state manager of EF's.
    private static bool MayHoldOthers(InternalEntityEntry entry)
        => entry.StateManager is TenancyStateManager { Tenant.MayHoldOthers: true };

    private static void RefuseOthers(InternalEntityEntry entry, INavigationBase navigation, IEnumerable related)
    {
        foreach (var one in related)
        {
            if (entry.StateManager.TryGetEntry(one, navigation.TargetEntityType) is { EntityState: not EntityState.Detached } other)
            {
                RefuseOther(entry, navigation, other);
            }
        }
    }

    private static void RefuseOther(InternalEntityEntry entry, INavigationBase navigation, InternalEntityEntry other)
    {
        switch (navigation)
        {
            case ISkipNavigation:
                RefuseTwoTenants(entry, navigation, other, entry);
                break;

            case INavigation { IsOnDependent: true }:
                RefuseOtherParents(entry, navigation, other);
                break;

            case INavigation { Inverse: { } reference }:
                RefuseOtherParents(other, reference, entry);
                break;
        }
    }

    // EF does not let a row change its tenant that is there. A new one becomes that of its parent.
    private static void RefuseOtherParents(InternalEntityEntry row, INavigationBase navigation, InternalEntityEntry parent)
    {
        if (row.EntityState is EntityState.Detached or EntityState.Added && row.EntityType.FindTenantProperty() is { } tenant)
        {
            foreach (var foreignKey in row.EntityType.GetForeignKeys())
            {
                if (foreignKey.Properties.Contains(tenant)
                    && foreignKey.DependentToPrincipal is { } another
                    && another != navigation
                    && row[another] is { } value
                    && row.StateManager.TryGetEntry(value, another.TargetEntityType) is { EntityState: not EntityState.Detached } otherParent)
                {
                    RefuseTwoTenants(row, navigation, parent, otherParent);
                }
            }
        }
    }

    private static void RefuseTwoTenants(InternalEntityEntry row, INavigationBase navigation, InternalEntityEntry one, InternalEntityEntry another)
    {
        var ids = ((TenancyStateManager)row.StateManager).Tenant.IdConverter;
        if (one.EntityType.FindTenantProperty() is { } oneProperty
            && another.EntityType.FindTenantProperty() is { } anotherProperty
            && ids.ToTenantIdOf(one[oneProperty]) is var oneTenant
            && ids.ToTenantIdOf(another[anotherProperty]) is var anotherTenant
            && oneTenant != anotherTenant)
        {
            throw new InvalidOperationException(
                TenancyStrings.RowOfTwoTenants(
                    row.EntityType.DisplayName(),
                    row.EntityType.GetSchemaQualifiedTableName(),
                    navigation.Name,
                    one.EntityType.DisplayName(),
                    oneTenant,
                    another.EntityType.DisplayName(),
                    anotherTenant));
        }
    }
}
#pragma warning restore EF1001
