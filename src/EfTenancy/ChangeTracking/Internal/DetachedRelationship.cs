using System.Collections;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     An entity that is not tracked while one of its navigations is loaded: tracked beside the context for that time, where EF takes
///     its shadow tenant for known, and where identity is resolved if that is asked for.
/// </summary>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public sealed class DetachedRelationship : IDisposable
{
    private readonly INavigationBase _navigation;
    private readonly object _entity;
    private readonly InternalEntityEntry _trackedEntry;
    private readonly TenancyStateManager _besideContext;
    private readonly bool _resolvesIdentity;
    private readonly IStateManager _stateManager;

    public DetachedRelationship(INavigationBase navigation, InternalEntityEntry entry, LoadOptions options)
    {
        _navigation = navigation;
        _entity = entry.Entity;
        _besideContext = ((TenancyStateManager)entry.StateManager).CreateAnother();
        _trackedEntry = Track(_besideContext.GetOrCreateEntry(_entity, entry.EntityType));
        _resolvesIdentity = options.HasFlag(LoadOptions.ForceIdentityResolution);
        _stateManager = _resolvesIdentity ? _besideContext : entry.StateManager;

        if (_resolvesIdentity && entry[navigation] is { } related)
        {
            foreach (var one in navigation.IsCollection ? (IEnumerable)related : new[] { related })
            {
                Track(_besideContext.GetOrCreateEntry(one));
            }
        }
    }

    public IQueryable<TRelated> Query<TRelated>(Func<InternalEntityEntry, IQueryable<TRelated>> query)
        where TRelated : class
    {
        var related = query(_trackedEntry);
        if (_resolvesIdentity)
        {
            return related.AsNoTrackingWithIdentityResolution();
        }

        // The query has its key by now. A proxy that is tracked tells of what it is given, and that would be tracked too.
        Dispose();
        return related.AsNoTracking();
    }

    public void Add(object related)
    {
        if (_navigation is ISkipNavigation && Tracked(related) is { } tracked)
        {
            Entry(_entity).AddToCollection(_navigation, tracked, forMaterialization: true);
        }
        else
        {
            Set(related);
        }
    }

    public void Set(object? related)
    {
        Set(_entity, _navigation, related);
        if (related is not null && _navigation.Inverse is { } inverse)
        {
            Set(related, inverse, _entity);
        }
    }

    public void Dispose()
    {
        // Entries that come as from a query are not among those which clearing makes deaf.
        _besideContext.StopTracking(_trackedEntry, EntityState.Unchanged);
        _besideContext.Clear(resetting: false);
    }

    private static InternalEntityEntry Track(InternalEntityEntry entry)
    {
        entry.StateManager.StartTracking(entry).MarkUnchangedFromQuery();
        return entry;
    }

    private void Set(object entity, INavigationBase navigation, object? value)
    {
        var tracked = value is null ? null : Tracked(value);
        if (!navigation.IsCollection)
        {
            Entry(entity).SetProperty(navigation, tracked ?? value, isMaterialization: true, setModified: false);
        }
        else if (value is not null && (tracked is null || navigation is ISkipNavigation))
        {
            Entry(entity).AddToCollection(navigation, value, forMaterialization: true);
        }
    }

    private InternalEntityEntry Entry(object entity)
        => _stateManager.GetOrCreateEntry(entity);

    private object? Tracked(object entity)
        => _resolvesIdentity && Entry(entity) is var entry && entry.EntityType.FindPrimaryKey() is { } key
            ? _stateManager.TryGetExistingEntry(entity, key)?.Entity
            : null;
}
#pragma warning restore EF1001
