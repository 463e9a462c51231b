using EfTenancy.Metadata;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Changes the tenants of shared partitions. PostgreSQL cannot change a bound: a partition is detached and attached again, and one
///     that holds referenced rows cannot be detached while the rows that reference them are there. So all tables change in one
///     transaction: detached children first, without the foreign keys between them, and attached parents first, which checks the keys
///     anew. The rows stay where they are; readers and writers of these tables wait meanwhile.
/// </summary>
public sealed class TenantPartitionRebinder(
    TenantDatabase database,
    TenantConnection connection,
    TenantRegistry registry,
    TenantCatalog catalog)
{
    private readonly TenantTableLocks _locks = new(database, connection, catalog);

    /// <summary>Gives partitions the tenants that the registry says share them and no partition of the table holds.</summary>
    public Task WidenAsync(IReadOnlySet<string> suffixes, TenantAdministrationReport report, CancellationToken cancellationToken)
        => RebindAsync(
            (table, registered) => registered
                .Where(r => !r.IsBeingRemoved && suffixes.Contains(r.Suffix) && table.PartitionOf(r.TenantId) is null)
                .GroupBy(r => r.Suffix, r => r.TenantId)
                .Select(g => (Partition: SharedPartition(table, g.Key, registered), TenantIds: g.ToList()))
                .Where(s => s.Partition?.Values is not null)
                .Select(s => new Change(table, s.Partition!, [.. s.Partition!.Values!, .. s.TenantIds.Order(StringComparer.Ordinal)], s.TenantIds)),
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
                .Select(p => new Change(table, p, [.. p.Values!.Where(v => !tenantIds.Contains(v))], [.. p.Values!.Where(tenantIds.Contains)]))
                .Where(c => c.Values.Count > 0),
            change => report.Changed(change.Table, changes: 1),
            report,
            cancellationToken);

    // That of the co-tenants, whatever it is called, else the one with the name.
    private static TenantTablePartition? SharedPartition(TenantTable table, string suffix, IReadOnlyCollection<TenantRegistration> registered)
        => registered.Where(r => r.Suffix == suffix).Select(r => table.PartitionOf(r.TenantId)).FirstOrDefault(p => p is not null)
            ?? table.Partitions.Find(p => p.Name == TenantPartitionNaming.PartitionName(table.Name, suffix));

    private async Task RebindAsync(
        Func<TenantTable, IReadOnlyCollection<TenantRegistration>, IEnumerable<Change>> changesOf,
        Action<Change> done,
        TenantAdministrationReport report,
        CancellationToken cancellationToken)
    {
        // Most calls change no shared partition; those take no lock.
        var expected = await FindAsync(changesOf, cancellationToken).ConfigureAwait(false);
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
                    var changes = await FindAsync(changesOf, cancellationToken).ConfigureAwait(false);
                    await RebindAsync(changes, cancellationToken).ConfigureAwait(false);
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

    private async Task<List<Change>> FindAsync(
        Func<TenantTable, IReadOnlyCollection<TenantRegistration>, IEnumerable<Change>> changesOf,
        CancellationToken cancellationToken)
    {
        var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        var changes = new List<Change>();
        foreach (var table in catalog.Managed)
        {
            await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);
            changes.AddRange(changesOf(table, registered.Values));
        }

        return changes;
    }

    private async Task RebindAsync(List<Change> changes, CancellationToken cancellationToken)
    {
        var all = WithChildren(changes);
        await _locks.LockOutAsync(
            [.. all.Select(c => c.Table.Oid)], all.Select(c => c.Table), cancellationToken).ConfigureAwait(false);
        var tables = all.Select(c => c.Table).Distinct().ToDictionary(t => t.Oid);
        var foreignKeys = await DropForeignKeysFromOutsideAsync(tables, cancellationToken).ConfigureAwait(false);

        foreach (var change in all.OrderByDescending(Position))
        {
            await connection.ExecuteAsync(
                [TenantPartitionSql.DetachPartition(database.Name(change.Table), database.Name(change.Partition))],
                cancellationToken).ConfigureAwait(false);
            await DropForeignKeysAsync(change.Partition, tables.Keys, cancellationToken).ConfigureAwait(false);
        }

        await connection.ExecuteAsync(
            all.OrderBy(Position)
                .Select(
                    c => database.PartitionSql.Attach(
                        database.Name(c.Table), database.Name(c.Partition), new TenantPartition("") { Values = c.Values }))
                .Concat(foreignKeys),
            cancellationToken).ConfigureAwait(false);
    }

    private int Position(Change change)
        => catalog.Tables.ToList().IndexOf(change.Table);

    // Rows that reference those of a detached partition stand in the way, so their partitions go with it.
    private List<Change> WithChildren(List<Change> changes)
    {
        var all = changes.ToList();
        for (var i = 0; i < all.Count; i++)
        {
            foreach (var child in ChildrenOf(all[i].Table))
            {
                all.AddRange(
                    child.Partitions
                        .Where(p => p.Values?.Intersect(all[i].Partition.Values!).Any() == true && !all.Exists(c => c.Partition.Oid == p.Oid))
                        .Select(p => new Change(child, p, p.Values!, []))
                        .ToList());
            }
        }

        return all;
    }

    private IEnumerable<TenantTable> ChildrenOf(TenantTable table)
        => catalog.ForeignKeys.Where(f => f.Principal == table.Oid && f.Table != table.Oid)
            .Select(f => catalog.Tables.First(t => t.Oid == f.Table))
            .Where(t => t.IsManaged);

    /// <summary>
    ///     Foreign keys that detaching in order does not get out of the way: of plain tables, of a table to itself, around a circle. They
    ///     are dropped and, by the statements given back, made again.
    /// </summary>
    private async Task<List<string>> DropForeignKeysFromOutsideAsync(
        Dictionary<uint, TenantTable> tables,
        CancellationToken cancellationToken)
    {
        var outside = catalog.ForeignKeys
            .Where(f => tables.ContainsKey(f.Principal))
            .Where(f => !tables.ContainsKey(f.Table) || catalog.Groups.Any(g => g.Any(t => t.Oid == f.Table) && g.Any(t => t.Oid == f.Principal)))
            .ToList();

        var restore = new List<string>();
        foreach (var foreignKey in outside)
        {
            var table = database.Name(catalog.Tables.First(t => t.Oid == foreignKey.Table));
            var name = database.Sql.DelimitIdentifier(foreignKey.Name);
            var definitions = await connection.QueryAsync(
                "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = @table AND conname = @name AND contype = 'f'",
                r => r.GetString(0),
                cancellationToken,
                new Npgsql.NpgsqlParameter("table", NpgsqlDbType.Oid) { Value = foreignKey.Table },
                new Npgsql.NpgsqlParameter("name", foreignKey.Name)).ConfigureAwait(false);
            // A table that was dropped since the catalog was read has none.
            if (definitions.Count == 0)
            {
                continue;
            }

            restore.Add($"ALTER TABLE {table} ADD CONSTRAINT {name} {definitions[0]}");
            await connection.ExecuteAsync([$"ALTER TABLE {table} DROP CONSTRAINT {name}"], cancellationToken).ConfigureAwait(false);
        }

        return restore;
    }

    private async Task DropForeignKeysAsync(TenantTablePartition partition, IEnumerable<uint> principals, CancellationToken cancellationToken)
    {
        var names = await connection.QueryAsync(
            """
            SELECT conname FROM pg_constraint
            WHERE conrelid = @partition AND contype = 'f' AND conparentid = 0 AND confrelid = ANY(@principals)
            """,
            r => r.GetString(0),
            cancellationToken,
            new Npgsql.NpgsqlParameter("partition", NpgsqlDbType.Oid) { Value = partition.Oid },
            TenantCatalog.Parameter("principals", NpgsqlDbType.Oid, principals.ToArray())).ConfigureAwait(false);
        await connection.ExecuteAsync(
            names.Select(n => $"ALTER TABLE {database.Name(partition)} DROP CONSTRAINT {database.Sql.DelimitIdentifier(n)}"),
            cancellationToken).ConfigureAwait(false);
    }

    private sealed record Change(
        TenantTable Table,
        TenantTablePartition Partition,
        IReadOnlyList<string> Values,
        IReadOnlyList<string> TenantIds);
}
