using EfTenancy.Properties;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     The steps of a removal around <see cref="TenantRemover" />: tenants are marked before anything of them goes, so that contexts refuse
///     them and a repair knows what was begun; their registration goes last.
/// </summary>
public sealed class TenantRemoval(TenantDatabase database, TenantConnection connection, TenantAdministrationReport report)
{
    /// <summary>Refuses what <see cref="RemoveAsync" /> would refuse first, and changes nothing.</summary>
    public Task CheckAsync(IReadOnlyCollection<string> ids, CancellationToken cancellationToken)
        => new TenantRowsOfNewerModel(database, connection).RefuseAsync(ids, cancellationToken);

    /// <param name="ids">The tenants.</param>
    /// <param name="begun">Called when nothing refuses any more; until then nothing was changed.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task RemoveAsync(HashSet<string> ids, Action? begun, CancellationToken cancellationToken)
    {
        await CheckAsync(ids, cancellationToken).ConfigureAwait(false);
        if (database.FindRegistry() is not { } registry)
        {
            begun?.Invoke();
            var all = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
            var budgetOfAll = await TenantLockBudget.LoadAsync(connection, all, cancellationToken).ConfigureAwait(false);
            await new TenantRemover(database, connection, all, budgetOfAll, report).RemoveAsync(ids, [], cancellationToken).ConfigureAwait(false);
            return;
        }

        var (catalog, budget, detaching) = await connection.InTransactionAsync(
            () => MarkAsync(registry, ids, cancellationToken), cancellationToken).ConfigureAwait(false);
        begun?.Invoke();
        database.StatesChanged();

        // Nobody comes into a partition of a tenant that is being removed, so those that others share were shared then.
        var areShared = catalog.Managed.SelectMany(t => t.Partitions).Any(p => p.Values?.Any(ids.Contains) == true && !p.Values.All(ids.Contains));
        await new TenantRemover(database, connection, catalog, budget, report).RemoveAsync(ids, detaching, cancellationToken).ConfigureAwait(false);
        if (areShared && !report.HasFailed)
        {
            await new TenantPartitionRebinder(database, connection, registry)
                .NarrowAsync(ids, report, cancellationToken).ConfigureAwait(false);
        }

        if (!report.HasFailed)
        {
            await registry.RemoveAsync(connection, ids, cancellationToken).ConfigureAwait(false);
            database.StatesChanged();
        }
    }

    private async Task<(TenantCatalog, TenantLockBudget, IReadOnlyCollection<uint> Detaching)> MarkAsync(
        TenantRegistry registry,
        HashSet<string> ids,
        CancellationToken cancellationToken)
    {
        await registry.LockAsync(connection, cancellationToken).ConfigureAwait(false);
        var registered = await registry.ReadKnownAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
        var budget = await TenantLockBudget.LoadAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        foreach (var table in catalog.Managed)
        {
            budget.RefuseTooMany(table);
        }

        RefuseHalfAddedCoTenant(registered, ids);
        var own = catalog.Managed.SelectMany(t => t.Partitions).Where(p => p.Values?.All(ids.Contains) == true).ToList();
        var removing = new HashSet<uint>();
        foreach (var id in ids)
        {
            var isAlone = !registered.Values.Any(r => r.Suffix == registered[id].Suffix && !ids.Contains(r.TenantId));
            var detached = await TenantCatalog.DetachedAsync(
                connection, isAlone ? catalog.Managed : [], registered[id].Suffix, cancellationToken).ConfigureAwait(false);
            removing.UnionWith(
                await registry.StartRemovingAsync(
                    connection, id, own.Where(p => p.Values!.Contains(id)).Select(p => p.Oid).Concat(detached), cancellationToken)
                    .ConfigureAwait(false)
                ?? throw new UnknownTenantException(TenancyStrings.TenantNotRegistered([id]), id));
        }

        return (catalog, budget, removing);
    }

    // It is about to get its place in a partition that would be dropped.
    private static void RefuseHalfAddedCoTenant(Dictionary<string, TenantRegistration> registered, HashSet<string> ids)
    {
        var suffixes = ids.Select(id => registered[id].Suffix).ToHashSet();
        if (registered.Values.FirstOrDefault(r => r.State == TenantState.Adding && suffixes.Contains(r.Suffix) && !ids.Contains(r.TenantId))
            is { } adding)
        {
            throw new InvalidOperationException(TenancyStrings.CoTenantIsBeingAdded(adding.TenantId, adding.Suffix));
        }
    }
}
