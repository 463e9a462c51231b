using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Loads navigations of one entity: as EF does, but from the rows of the entity's tenant, and also where it is not tracked.</summary>
/// <remarks>Each method receives EF's own query for an entry that is tracked, and loading what EF does itself.</remarks>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public static class TenantNavigationLoader
{
    public static IQueryable<TRelated> Query<TRelated>(
        INavigationBase navigation,
        InternalEntityEntry entry,
        Func<InternalEntityEntry, IQueryable<TRelated>> query)
        where TRelated : class
        => OtherTenantNavigation.TenantOf(navigation, entry) is { } tenantId ? OtherTenantNavigation.Of(tenantId, query(entry))
            : DetachedNavigationLoader.Loads(navigation, entry) ? DetachedNavigationLoader.Query(navigation, entry, query)
            : query(entry);

    public static void Load<TRelated>(
        INavigationBase navigation,
        InternalEntityEntry entry,
        LoadOptions options,
        Func<InternalEntityEntry, IQueryable<TRelated>> query,
        Action load)
        where TRelated : class
    {
        if (OtherTenantNavigation.TenantOf(navigation, entry) is { } tenantId)
        {
            if (entry.EntityState == EntityState.Detached)
            {
                DetachedNavigationLoader.Load(navigation, entry, options, e => OtherTenantNavigation.Of(tenantId, query(e)));
                return;
            }

            OtherTenantNavigation.Of(tenantId, query(entry)).Load();
            entry.SetIsLoaded(navigation);
        }
        else if (DetachedNavigationLoader.Loads(navigation, entry))
        {
            DetachedNavigationLoader.Load(navigation, entry, options, query);
        }
        else
        {
            load();
        }
    }

    public static async Task LoadAsync<TRelated>(
        INavigationBase navigation,
        InternalEntityEntry entry,
        LoadOptions options,
        Func<InternalEntityEntry, IQueryable<TRelated>> query,
        Func<Task> load,
        CancellationToken cancellationToken)
        where TRelated : class
    {
        if (OtherTenantNavigation.TenantOf(navigation, entry) is { } tenantId)
        {
            if (entry.EntityState == EntityState.Detached)
            {
                await DetachedNavigationLoader.LoadAsync(
                    navigation, entry, options, e => OtherTenantNavigation.Of(tenantId, query(e)), cancellationToken).ConfigureAwait(false);
                return;
            }

            await OtherTenantNavigation.Of(tenantId, query(entry)).LoadAsync(cancellationToken).ConfigureAwait(false);
            entry.SetIsLoaded(navigation);
        }
        else if (DetachedNavigationLoader.Loads(navigation, entry))
        {
            await DetachedNavigationLoader.LoadAsync(navigation, entry, options, query, cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await load().ConfigureAwait(false);
        }
    }
}
#pragma warning restore EF1001
