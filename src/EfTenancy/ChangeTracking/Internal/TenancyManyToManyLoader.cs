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
        => TenantNavigationLoader.Query(_navigation, entry, base.Query);

    public override void Load(InternalEntityEntry entry, LoadOptions options)
        => TenantNavigationLoader.Load(_navigation, entry, options, base.Query, () => base.Load(entry, options));

    public override Task LoadAsync(InternalEntityEntry entry, LoadOptions options, CancellationToken cancellationToken = default)
        => TenantNavigationLoader.LoadAsync(
            _navigation, entry, options, base.Query, () => base.LoadAsync(entry, options, cancellationToken), cancellationToken);
}
#pragma warning restore EF1001
