using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Loads many-to-many navigations, those of entities that are not tracked too.</summary>
#pragma warning disable EF1001 // See TenancyEntityFinderSource: the finder does the same for all other navigations.
public sealed class TenancyManyToManyLoader<TEntity, TSourceEntity>(ISkipNavigation navigation)
    : ManyToManyLoader<TEntity, TSourceEntity>(navigation)
    where TEntity : class
    where TSourceEntity : class
{
    private readonly ISkipNavigation _navigation = navigation;

    public override IQueryable<TEntity> Query(InternalEntityEntry entry)
        => OtherTenantNavigation.TenantOf(_navigation, entry) is { } tenantId
                ? OtherTenantNavigation.Of(tenantId, base.Query(entry))
            : DetachedNavigationLoader.Loads(_navigation, entry)
                ? DetachedNavigationLoader.Query(_navigation, entry, base.Query)
            : base.Query(entry);

    public override void Load(InternalEntityEntry entry, LoadOptions options)
    {
        if (OtherTenantNavigation.TenantOf(_navigation, entry) is { } tenantId)
        {
            OtherTenantNavigation.Load(_navigation, entry, options, e => OtherTenantNavigation.Of(tenantId, base.Query(e)));
        }
        else if (DetachedNavigationLoader.Loads(_navigation, entry))
        {
            DetachedNavigationLoader.Load(_navigation, entry, options, base.Query);
        }
        else
        {
            base.Load(entry, options);
        }
    }

    public override Task LoadAsync(InternalEntityEntry entry, LoadOptions options, CancellationToken cancellationToken = default)
        => OtherTenantNavigation.TenantOf(_navigation, entry) is { } tenantId
                ? OtherTenantNavigation.LoadAsync(
                    _navigation, entry, options, e => OtherTenantNavigation.Of(tenantId, base.Query(e)), cancellationToken)
            : DetachedNavigationLoader.Loads(_navigation, entry)
                ? DetachedNavigationLoader.LoadAsync(_navigation, entry, options, base.Query, cancellationToken)
            : base.LoadAsync(entry, options, cancellationToken);
}
#pragma warning restore EF1001
