using EfTenancy.Properties;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>Finds the shared partitions that get or lose tenants, and has all of them changed in one transaction.</summary>
public sealed class TenantPartitionRebinder(TenantDatabase database, TenantConnection connection, TenantRegistry registry)
{
    /// <summary>Gives partitions the tenants that the registry says share them and no partition of the table holds.</summary>
    public Task WidenAsync(IReadOnlySet<string> suffixes, TenantAdministrationReport report, CancellationToken cancellationToken)
        => RebindAsync(
            (table, registered) => registered
                .Where(r => !r.IsBeingRemoved && suffixes.Contains(r.Suffix) && table.PartitionOf(r.TenantId) is null)
                .GroupBy(r => r.Suffix, r => r.TenantId)
                .Select(g => (Partition: SharedPartition(table, g.Key, registered), TenantIds: g.ToList()))
                .Where(s => s.Partition?.Values is not null)
                .Select(
                    s => new TenantPartitionChange(
                        table, s.Partition!, [.. s.Partition!.Values!, .. s.TenantIds.Order(StringComparer.Ordinal)], s.TenantIds)),
            change =>
            {
                report.Changed(change.Table, changes: 1);
                if (report.AttachesDetached)
                {
                    report.Mended(
                        TenancyStrings.WidenedPartition(change.Partition.Name, TenantAdministrationReport.Quoted(change.TenantIds)),
                        change.Table, change.TenantIds is [var one] ? one : null);
                }
            },
            report,
            cancellationToken);

    /// <summary>Takes tenants out of the partitions that they share with others; their rows must be gone.</summary>
    public Task NarrowAsync(IReadOnlySet<string> tenantIds, TenantAdministrationReport report, CancellationToken cancellationToken)
        => RebindAsync(
            (table, _) => table.Partitions
                .Where(p => p.Values?.Any(tenantIds.Contains) == true)
                .Select(
                    p => new TenantPartitionChange(
                        table, p, [.. p.Values!.Where(v => !tenantIds.Contains(v))], [.. p.Values!.Where(tenantIds.Contains)]))
                .Where(c => c.Values!.Count > 0),
            change => report.Changed(change.Table, changes: 1),
            report,
            cancellationToken);

    // That of the co-tenants, whatever it is called, else the one with the name.
    private static TenantTablePartition? SharedPartition(TenantTable table, string suffix, IReadOnlyCollection<TenantRegistration> registered)
        => registered.Where(r => r.Suffix == suffix).Select(r => table.PartitionOf(r.TenantId)).FirstOrDefault(p => p is not null)
            ?? table.Partitions.Find(p => p.Name == TenantPartitionNaming.PartitionName(table.Name, suffix));

    private async Task RebindAsync(
        Func<TenantTable, IReadOnlyCollection<TenantRegistration>, IEnumerable<TenantPartitionChange>> changesOf,
        Action<TenantPartitionChange> done,
        TenantAdministrationReport report,
        CancellationToken cancellationToken)
    {
        // Most calls change no shared partition; those take no lock.
        var (_, expected) = await FindAsync(changesOf, cancellationToken).ConfigureAwait(false);
        if (expected.Count == 0)
        {
            return;
        }

        try
        {
            var changes = await connection.InTransactionAsync(
                async () =>
                {
                    await registry.LockAsync(connection, cancellationToken).ConfigureAwait(false);
                    await registry.RefuseBesideSplitAsync(connection, cancellationToken).ConfigureAwait(false);
                    var (catalog, changes) = await FindAsync(changesOf, cancellationToken).ConfigureAwait(false);
                    await new TenantPartitionRebinding(database, connection, catalog).RunAsync(changes, cancellationToken)
                        .ConfigureAwait(false);
                    return changes;
                },
                cancellationToken).ConfigureAwait(false);
            changes.ForEach(done);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            expected.ForEach(c => report.Failed(c.Table, exception));
        }
    }

    // The catalog of the call is too old: tables that it holds, detached ones above all, may be gone.
    private async Task<(TenantCatalog Catalog, List<TenantPartitionChange> Changes)> FindAsync(
        Func<TenantTable, IReadOnlyCollection<TenantRegistration>, IEnumerable<TenantPartitionChange>> changesOf,
        CancellationToken cancellationToken)
    {
        var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
        return (catalog, [.. catalog.Managed.SelectMany(t => changesOf(t, registered.Values))]);
    }
}

/// <summary>A partition and the values that it shall have.</summary>
/// <param name="Table">Its table.</param>
/// <param name="Partition">The partition as it is.</param>
/// <param name="Values">All values that it shall have; null for DEFAULT.</param>
/// <param name="TenantIds">Those that come or go.</param>
public sealed record TenantPartitionChange(
    TenantTable Table,
    TenantTablePartition Partition,
    IReadOnlyList<string>? Values,
    IReadOnlyList<string> TenantIds)
{
    /// <summary>Statements that put other tables in the place of the detached partition; none if it stays.</summary>
    public IReadOnlyList<string> Replacement { get; init; } = [];

    /// <summary>Those tables, delimited, with the values that each is attached with.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<string>? Values)> Pieces { get; init; } = [];
}
