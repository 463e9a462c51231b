using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Takes tenants that the registry marks as being removed out of all tables, children first: partitions of their own are
///     dropped, rows elsewhere deleted. Each step looks first whether it is done, so that it can be cut off anywhere and repeated.
/// </summary>
public sealed class TenantRemover(
    TenantDatabase database,
    TenantConnection connection,
    TenantCatalog catalog,
    TenantLockBudget budget,
    TenantAdministrationReport report)
{
    private const int MostAttempts = 5;

    private const int FewAtOnce = 2;
    private const int MostAtOnce = 32;

    private readonly TenantDetacher _detacher = new(database, connection);
    private readonly TenantPartitionDropper _dropper = new(database, connection, catalog);
    private readonly TenantRowDeleter _deleter = new(database, connection, report);

    /// <summary>What is left afterwards are shared partitions, which still name the tenants.</summary>
    public async Task RemoveAsync(
        IReadOnlySet<string> tenantIds,
        IReadOnlyCollection<uint> detaching,
        CancellationToken cancellationToken)
    {
        // What an earlier call detached and did not come to drop is in nobody's way, but nobody would find it later.
        foreach (var oid in detaching.Except(catalog.Managed.SelectMany(t => t.Partitions).Select(p => p.Oid)))
        {
            await _dropper.DropDetachedAsync([oid], tenantIds, isOld: true, cancellationToken).ConfigureAwait(false);
        }

        var atOnce = new TenantRemovalAtOnce(catalog, _dropper, budget, report);

        // A detached table that was dropped just now looked like one of somebody's own.
        var childrenFirst = catalog.Groups.Reverse().SelectMany(g => g.Select(t => (Group: g, Table: t)))
            .Where(t => !detaching.Contains(t.Table.Oid)).ToList();
        for (var done = 0; done < childrenFirst.Count;)
        {
            // Rows that are deleted may be many, and take a transaction of their own.
            var run = childrenFirst.Skip(done).TakeWhile(t => !IdsWithRows(t.Group, t.Table, tenantIds).Any()).Select(t => t.Table).ToList();
            var areGone = run.Count > 0 && await atOnce.RemoveAsync(run, tenantIds, cancellationToken).ConfigureAwait(false);
            foreach (var (group, table) in childrenFirst.Skip(done).Take(areGone ? 0 : Math.Max(run.Count, 1)))
            {
                try
                {
                    await RemoveAsync(group, table, tenantIds, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    // Its parents hold rows that are referenced still.
                    report.Failed(table, exception);
                    return;
                }
            }

            done += Math.Max(run.Count, 1);
        }
    }

    private async Task RemoveAsync(
        IReadOnlyList<TenantTable> group,
        TenantTable table,
        IReadOnlySet<string> tenantIds,
        CancellationToken cancellationToken)
    {
        for (var attempt = 1;; attempt++)
        {
            try
            {
                await DeleteRowsAsync(group, table, tenantIds, cancellationToken).ConfigureAwait(false);
                if (table.IsManaged)
                {
                    await DropPartitionsAsync(table, tenantIds, cancellationToken).ConfigureAwait(false);
                }

                return;
            }
            catch (PostgresException exception)
                when (exception.SqlState == PostgresErrorCodes.ForeignKeyViolation && attempt < MostAttempts)
            {
                // Contexts that were open before the tenant was refused may have written once more.
                foreach (var children in catalog.Groups.Reverse().TakeWhile(g => g != group))
                {
                    foreach (var child in children)
                    {
                        await DeleteRowsAsync(children, child, tenantIds, cancellationToken).ConfigureAwait(false);
                    }
                }
            }
        }
    }

    private async Task DeleteRowsAsync(
        IReadOnlyList<TenantTable> group,
        TenantTable table,
        IReadOnlySet<string> tenantIds,
        CancellationToken cancellationToken)
    {
        foreach (var tenantId in IdsWithRows(group, table, tenantIds).ToList())
        {
            await _deleter.DeleteAsync(IsCircle(group) ? group : [table], tenantId, cancellationToken).ConfigureAwait(false);
        }
    }

    // The tenants whose rows do not go with a partition.
    private IEnumerable<string> IdsWithRows(IReadOnlyList<TenantTable> group, TenantTable table, IReadOnlySet<string> tenantIds)
    {
        if (IsCircle(group) || !table.IsManaged)
        {
            return tenantIds;
        }

        var ofOwn = table.Partitions.Where(p => p.Values?.All(tenantIds.Contains) == true).SelectMany(p => p.Values!).ToHashSet();
        return tenantIds.Where(id => !ofOwn.Contains(id) && (table.PartitionOf(id) is not null || table.Partitions.Exists(p => p.Values is null)));
    }

    private bool IsCircle(IReadOnlyList<TenantTable> group)
        => group.Count > 1 || catalog.ForeignKeys.Any(f => f.Table == group[0].Oid && f.Principal == group[0].Oid);

    private async Task DropPartitionsAsync(TenantTable table, IReadOnlySet<string> tenantIds, CancellationToken cancellationToken)
    {
        // Also those that another process has detached and not dropped: nobody would find them once the tenants are not registered.
        var own = table.Partitions.ToList();
        await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);
        own = [.. own.UnionBy(table.Partitions, p => p.Oid).Where(IsOwn)];
        var done = 0;

        var isConcurrent = !table.IsReferenced && !table.HasReferences && !table.Partitions.Exists(p => p.Values is null || p.IsDetachPending);
        foreach (var partition in own.Where(p => isConcurrent || table.Partitions.Find(t => t.Oid == p.Oid)?.IsDetachPending != false))
        {
            await _detacher.DetachAsync(table, partition, cancellationToken).ConfigureAwait(false);
            Dropped(await _dropper.DropDetachedAsync([partition.Oid], tenantIds, isOld: false, cancellationToken).ConfigureAwait(false));
        }

        var pace = new TenantPace(FewAtOnce, Math.Min(MostAtOnce, budget.PartitionsAtOnce(table)));
        while (done < own.Count)
        {
            var dropped = await _dropper.DropAttachedAsync(table, IsOwn, pace, cancellationToken).ConfigureAwait(false);
            if (dropped == 0)
            {
                return;
            }

            Dropped(dropped);
        }

        bool IsOwn(TenantTablePartition partition)
            => partition.Values?.All(tenantIds.Contains) == true;

        void Dropped(int partitions)
        {
            done += partitions;
            report.Changed(table, partitions);
            report.Progress(table, done, own.Count);
        }
    }
}
