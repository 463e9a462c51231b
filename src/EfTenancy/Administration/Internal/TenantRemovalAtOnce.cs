namespace EfTenancy.Administration.Internal;

/// <summary>
///     Takes the partitions of tenants out of several tables in one transaction, where that is short and its locks can be had at once. What
///     it leaves is for going table by table, which any number of requests may delay.
/// </summary>
public sealed class TenantRemovalAtOnce(
    TenantCatalog catalog,
    TenantPartitionDropper dropper,
    TenantLockBudget budget,
    TenantAdministrationReport report)
{
    // About a tenth of a second. For a detached partition PostgreSQL writes the foreign keys anew, for each partition of the tables that it
    // references: for ten about as long as all the rest takes.
    private const double Most = 32;
    private const double WorkOfReferenced = 0.1;

    /// <returns>Whether all of them are gone.</returns>
    public async Task<bool> RemoveAsync(
        IReadOnlyList<TenantTable> childrenFirst,
        IReadOnlySet<string> tenantIds,
        CancellationToken cancellationToken)
    {
        var own = childrenFirst.Select(t => (Table: t, Partitions: Own(t, tenantIds))).Where(t => t.Partitions.Count > 0).ToList();
        var atOnce = AtOnce([.. own.Select(t => t.Table)]);
        if (atOnce == 0 || own.Exists(t => t.Partitions.Exists(p => p.IsDetachPending)))
        {
            return false;
        }

        var totals = own.ToDictionary(t => t.Table, t => t.Partitions.Count);
        foreach (var ids in tenantIds.Order(StringComparer.Ordinal).Chunk(atOnce).Select(c => c.ToHashSet()))
        {
            var going = own.Select(t => (t.Table, Partitions: (IReadOnlyList<TenantTablePartition>)Own(t.Table, ids)))
                .Where(t => t.Partitions.Count > 0).ToList();
            if (going.Count > 0 && !await dropper.TryDropAttachedAsync(going, p => IsOwn(p, ids), cancellationToken).ConfigureAwait(false))
            {
                return false;
            }

            foreach (var (table, partitions) in going)
            {
                table.Partitions.RemoveAll(partitions.Contains);
                report.Changed(table, partitions.Count);
                report.Progress(table, totals[table] - Own(table, tenantIds).Count, totals[table]);
            }
        }

        return own.TrueForAll(t => Own(t.Table, tenantIds).Count == 0);
    }

    // Of how many tenants.
    private int AtOnce(IReadOnlyCollection<TenantTable> tables)
    {
        var atOnce = tables.Count == 0 ? int.MaxValue : (int)(Most / tables.Sum(Work));
        while (tables.Count > 0 && atOnce > 0 && !budget.Allows(tables, atOnce))
        {
            atOnce--;
        }

        return atOnce;
    }

    private double Work(TenantTable table)
        => 1 + (table.IsReferenced ? WorkOfReferenced * Principals(table).Sum(p => p.Partitions.Count) : 0);

    private IEnumerable<TenantTable> Principals(TenantTable table)
        => catalog.ForeignKeys.Where(f => f.Table == table.Oid).Select(f => catalog.Tables.First(t => t.Oid == f.Principal));

    private static List<TenantTablePartition> Own(TenantTable table, IReadOnlySet<string> tenantIds)
        => table.Partitions.FindAll(p => IsOwn(p, tenantIds));

    private static bool IsOwn(TenantTablePartition partition, IReadOnlySet<string> tenantIds)
        => partition.Values?.All(tenantIds.Contains) == true;
}
