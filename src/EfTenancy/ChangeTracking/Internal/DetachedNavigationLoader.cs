using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Loads navigations of entities that are not tracked, as EF does. EF itself refuses where a part of the key is a shadow property;
///     the tenant is one that is known: the context's, as long as it can have read no other tenant's rows.
/// </summary>
/// <remarks>Each method receives EF's own query for an entry that is tracked; the tenant filter is on it.</remarks>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public static class DetachedNavigationLoader
{
    public static bool Loads(INavigationBase navigation, InternalEntityEntry entry)
        => entry.EntityState == EntityState.Detached
            && entry.EntityType.FindTenantProperty() is { } tenant
            && tenant.IsShadowProperty()
            && ((TenancyStateManager)entry.StateManager).Tenant.HasReadOnlyOwn(entry.EntityType)
            && Key(navigation) is var key
            && key.Contains(tenant)
            && key.All(p => p == tenant || !p.IsShadowProperty());

    public static IQueryable<TRelated> Query<TRelated>(
        INavigationBase navigation,
        InternalEntityEntry entry,
        Func<InternalEntityEntry, IQueryable<TRelated>> query)
        where TRelated : class
    {
        using var relationship = new DetachedRelationship(navigation, entry, LoadOptions.None);
        return relationship.Query(query);
    }

    public static void Load<TRelated>(
        INavigationBase navigation,
        InternalEntityEntry entry,
        LoadOptions options,
        Func<InternalEntityEntry, IQueryable<TRelated>> query)
        where TRelated : class
    {
        if (HasKey(navigation, entry))
        {
            using var relationship = new DetachedRelationship(navigation, entry, options);
            if (navigation.IsCollection)
            {
                foreach (var related in relationship.Query(query))
                {
                    relationship.Add(related);
                }
            }
            else
            {
                relationship.Set(relationship.Query(query).FirstOrDefault());
            }
        }

        entry.SetIsLoaded(navigation);
    }

    public static async Task LoadAsync<TRelated>(
        INavigationBase navigation,
        InternalEntityEntry entry,
        LoadOptions options,
        Func<InternalEntityEntry, IQueryable<TRelated>> query,
        CancellationToken cancellationToken)
        where TRelated : class
    {
        if (HasKey(navigation, entry))
        {
            using var relationship = new DetachedRelationship(navigation, entry, options);
            if (navigation.IsCollection)
            {
                await foreach (var related in relationship.Query(query)
                                   .AsAsyncEnumerable().WithCancellation(cancellationToken).ConfigureAwait(false))
                {
                    relationship.Add(related);
                }
            }
            else
            {
                relationship.Set(await relationship.Query(query).FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false));
            }
        }

        entry.SetIsLoaded(navigation);
    }

    public static bool HasKey(INavigationBase navigation, InternalEntityEntry entry)
        => Key(navigation).All(p => entry[p] is not null);

    private static IReadOnlyList<IProperty> Key(INavigationBase navigation)
        => navigation switch
        {
            ISkipNavigation skip => skip.ForeignKey.PrincipalKey.Properties,
            INavigation { IsOnDependent: true } reference => reference.ForeignKey.Properties,
            _ => ((INavigation)navigation).ForeignKey.PrincipalKey.Properties,
        };
}
#pragma warning restore EF1001
