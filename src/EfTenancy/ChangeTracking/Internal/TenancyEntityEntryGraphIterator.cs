using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Gives an entity that is reached from another one that one's tenant, so that a line hung under another tenant's order becomes
///     that tenant's; the guard then decides whether it may be written.
/// </summary>
#pragma warning disable EF1001 // Only the walk over a graph knows where an entity was reached from.
public class TenancyEntityEntryGraphIterator : EntityEntryGraphIterator
{
    public override void TraverseGraph<TState>(
        EntityEntryGraphNode<TState> node,
        Func<EntityEntryGraphNode<TState>, bool> handleNode)
    {
        InheritTenant(node);
        base.TraverseGraph(node, handleNode);
    }

    public override async Task TraverseGraphAsync<TState>(
        EntityEntryGraphNode<TState> node,
        Func<EntityEntryGraphNode<TState>, CancellationToken, Task<bool>> handleNode,
        CancellationToken cancellationToken = default)
    {
        InheritTenant(node);

        // EF chooses a generator of values, which may be of the tenant's place, before it waits for anything.
        if (OfContext(node.GetInfrastructure())?.Tenant.Place is { } place)
        {
            await place.FindAsync(cancellationToken).ConfigureAwait(false);
        }

        await base.TraverseGraphAsync(node, handleNode, cancellationToken).ConfigureAwait(false);
    }

    private static void InheritTenant(EntityEntryGraphNode node)
    {
        var entry = node.GetInfrastructure();
        if (entry.EntityState == EntityState.Detached
            && SourceOf(node, entry) is { } source
            && entry.EntityType.FindTenantProperty() is { } property
            && (property.IsShadowProperty() || OfContext(entry)?.HadNoTenant(entry) == true)
            && source.EntityType.FindTenantProperty() is { } sourceProperty)
        {
            entry[property] = source[sourceProperty];
        }
    }

    // Where EF comes to a new object by a look for changes, the object is the root of its graph; who references it, EF notes before.
    private static InternalEntityEntry? SourceOf(EntityEntryGraphNode node, InternalEntityEntry entry)
        => node.SourceEntry?.GetInfrastructure()
            ?? (OfContext(entry) is { Tenant.IsWorkingFor: false } stateManager
                ? stateManager.GetRecordedReferrers(entry.Entity, clear: false).LastOrDefault()?.Item2
                : null);

    // EF resolves the identities of rows that it does not track in a state manager of its own.
    private static TenancyStateManager? OfContext(InternalEntityEntry entry)
        => entry.StateManager as TenancyStateManager;
}
#pragma warning restore EF1001
