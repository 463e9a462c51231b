using System.Collections;
using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Loads navigations of entities that are not tracked, as EF does. EF itself refuses where a part of the key is a shadow property;
///     the tenant is one that is known: the context's, as long as it can have read no other tenant's rows.
/// </summary>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public sealed class DetachedNavigationLoader<TEntity>(
    TenancyStateManager stateManager,
    IDbSetSource setSource,
    IDbSetCache setCache,
    IEntityType entityType)
    where TEntity : class
{
    public bool Loads(INavigation navigation, InternalEntityEntry entry)
        => entry.EntityState == EntityState.Detached
            && !entityType.IsOwned()
            && stateManager.Tenant.HasReadOnlyOwn(entry.EntityType)
            && entry.EntityType.FindTenantProperty() is { } tenant
            && tenant.IsShadowProperty()
            && OwnProperties(navigation) is var properties
            && properties.Contains(tenant)
            && properties.All(p => p == tenant || !p.IsShadowProperty());

    public IQueryable<TEntity> Query(INavigation navigation, InternalEntityEntry entry)
    {
        var set = (IQueryable<TEntity>)(entityType.HasSharedClrType
            ? setCache.GetOrAddSet(setSource, entityType.Name, entityType.ClrType)
            : setCache.GetOrAddSet(setSource, entityType.ClrType));

        var values = OwnProperties(navigation).Select(p => entry[p]).ToArray();
        var entity = Expression.Parameter(typeof(TEntity), "e");

        return values.Any(v => v is null)
            ? set.Where(e => false)
            : set.AsNoTracking().Where(
                Expression.Lambda<Func<TEntity, bool>>(
                    ExpressionExtensions.BuildPredicate(OtherProperties(navigation), new ValueBuffer(values!), entity), entity));
    }

    public void Load(INavigation navigation, InternalEntityEntry entry, LoadOptions options)
    {
        if (HasKey(navigation, entry))
        {
            var query = Query(navigation, entry, options);
            using var target = new Target(stateManager, entry, navigation, options);
            if (navigation.IsCollection)
            {
                foreach (var loaded in query)
                {
                    target.Fixup(loaded);
                }
            }
            else
            {
                target.Fixup(query.FirstOrDefault());
            }
        }

        entry.SetIsLoaded(navigation);
    }

    public async Task LoadAsync(
        INavigation navigation,
        InternalEntityEntry entry,
        LoadOptions options,
        CancellationToken cancellationToken)
    {
        if (HasKey(navigation, entry))
        {
            var query = Query(navigation, entry, options);
            using var target = new Target(stateManager, entry, navigation, options);
            if (navigation.IsCollection)
            {
                await foreach (var loaded in query.AsAsyncEnumerable().WithCancellation(cancellationToken).ConfigureAwait(false))
                {
                    target.Fixup(loaded);
                }
            }
            else
            {
                target.Fixup(await query.FirstOrDefaultAsync(cancellationToken).ConfigureAwait(false));
            }
        }

        entry.SetIsLoaded(navigation);
    }

    private IQueryable<TEntity> Query(INavigation navigation, InternalEntityEntry entry, LoadOptions options)
        => options.HasFlag(LoadOptions.ForceIdentityResolution)
            ? Query(navigation, entry).AsNoTrackingWithIdentityResolution()
            : Query(navigation, entry);

    private static bool HasKey(INavigation navigation, InternalEntityEntry entry)
        => OwnProperties(navigation).All(p => entry[p] is not null);

    private static IReadOnlyList<IProperty> OwnProperties(INavigation navigation)
        => navigation.IsOnDependent ? navigation.ForeignKey.Properties : navigation.ForeignKey.PrincipalKey.Properties;

    private static IReadOnlyList<IProperty> OtherProperties(INavigation navigation)
        => navigation.IsOnDependent ? navigation.ForeignKey.PrincipalKey.Properties : navigation.ForeignKey.Properties;

    /// <summary>The entity that gets what is loaded.</summary>
    private sealed class Target : IDisposable
    {
        private readonly object _entity;
        private readonly INavigation _navigation;
        private readonly TenancyStateManager _stateManager;
        private readonly bool _resolvesIdentity;

        public Target(TenancyStateManager stateManager, InternalEntityEntry entry, INavigation navigation, LoadOptions options)
        {
            _entity = entry.Entity;
            _navigation = navigation;
            _resolvesIdentity = options.HasFlag(LoadOptions.ForceIdentityResolution);
            _stateManager = _resolvesIdentity ? stateManager.CreateAnother() : stateManager;

            if (_resolvesIdentity)
            {
                Track(_entity);
                var related = entry[navigation];
                foreach (var one in navigation.IsCollection ? (IEnumerable?)related ?? Array.Empty<object>() : new[] { related })
                {
                    Track(one);
                }
            }
        }

        public void Fixup(object? loaded)
        {
            Set(_entity, _navigation, loaded);
            if (loaded is not null && _navigation.Inverse is { } inverse)
            {
                Set(loaded, inverse, _entity);
            }
        }

        public void Dispose()
        {
            if (_resolvesIdentity)
            {
                _stateManager.Clear(resetting: false);
            }
        }

        private void Track(object? entity)
        {
            if (entity is not null)
            {
                _stateManager.StartTracking(_stateManager.GetOrCreateEntry(entity)).MarkUnchangedFromQuery();
            }
        }

        private void Set(object entity, INavigation navigation, object? value)
        {
            var entry = _stateManager.GetOrCreateEntry(entity);
            var tracked = _resolvesIdentity && value is not null ? Tracked(value) : null;
            if (!navigation.IsCollection)
            {
                entry.SetProperty(navigation, tracked ?? value, isMaterialization: true, setModified: false);
            }
            else if (value is not null && tracked is null)
            {
                entry.AddToCollection(navigation, value, forMaterialization: true);
            }
        }

        private object? Tracked(object value)
            => _stateManager.GetOrCreateEntry(value).EntityType.FindPrimaryKey() is { } key
                ? _stateManager.TryGetExistingEntry(value, key)?.Entity
                : null;
    }
}
#pragma warning restore EF1001
