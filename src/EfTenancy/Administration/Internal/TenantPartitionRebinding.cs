using EfTenancy.Metadata;
using EfTenancy.Migrations.Internal;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Changes the values of partitions, inside a transaction. PostgreSQL cannot change a bound: a partition is detached and attached
///     again, and one that holds referenced rows cannot be detached while the rows that reference them are there. So all tables change
///     together: detached children first, without the foreign keys between them, and attached parents first, which checks the keys
///     anew. The rows stay where they are; readers and writers of these tables wait meanwhile.
/// </summary>
public sealed class TenantPartitionRebinding(TenantDatabase database, TenantConnection connection, TenantCatalog catalog)
{
    private readonly TenantTableLocks _locks = new(database, connection, catalog);

    /// <summary>For the rest of the transaction nobody else reads or writes the tables that the changes concern.</summary>
    public Task LockAsync(IReadOnlyList<TenantPartitionChange> changes, CancellationToken cancellationToken)
    {
        var tables = WithChildren(changes).Select(c => c.Table).Distinct().ToList();
        return _locks.LockOutAsync([.. tables.Select(t => t.Oid)], tables, cancellationToken);
    }

    // That a foreign key is dropped and that it is there again are committed together or not at all.
    public async Task RunAsync(IReadOnlyList<TenantPartitionChange> changes, CancellationToken cancellationToken)
    {
        if (changes.Count == 0)
        {
            return;
        }

        var all = WithChildren(changes);
        var tables = all.Select(c => c.Table).Distinct().ToDictionary(t => t.Oid);
        await LockAsync(changes, cancellationToken).ConfigureAwait(false);

        var foreignKeys = await ForeignKeysInTheWayAsync(tables, cancellationToken).ConfigureAwait(false);
        await connection.ExecuteAsync(foreignKeys.Select(f => f.Drop), cancellationToken).ConfigureAwait(false);

        foreach (var change in all.OrderByDescending(Position))
        {
            await connection.ExecuteAsync(
                [TenantPartitionSql.DetachPartition(database.Name(change.Table), database.Name(change.Partition))],
                cancellationToken).ConfigureAwait(false);
            if (change.Replacement.Count > 0)
            {
                await connection.ExecuteAsync(change.Replacement, cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await DropForeignKeysAsync(change.Partition, tables.Keys, cancellationToken).ConfigureAwait(false);
            }
        }

        await connection.ExecuteAsync(
            all.OrderBy(Position)
                .SelectMany(
                    c => (c.Replacement.Count > 0 ? c.Pieces : [(database.Name(c.Partition), c.Values)]).Select(
                        p => database.PartitionSql.Attach(database.Name(c.Table), p.Name, new TenantPartition("") { Values = p.Values })))
                .Concat(foreignKeys.Select(f => f.Restore)),
            cancellationToken).ConfigureAwait(false);
    }

    private int Position(TenantPartitionChange change)
        => Position(change.Table.Oid);

    private int Position(uint table)
        => catalog.Groups.ToList().FindIndex(g => g.Any(t => t.Oid == table));

    // Rows that reference those of a detached partition stand in the way, so their partitions go with it.
    private List<TenantPartitionChange> WithChildren(IEnumerable<TenantPartitionChange> changes)
    {
        var all = changes.ToList();
        for (var i = 0; i < all.Count; i++)
        {
            foreach (var child in ChildrenOf(all[i].Table))
            {
                all.AddRange(
                    child.Partitions
                        .Where(p => ShareTenants(all[i], child, p) && !all.Exists(c => c.Partition.Oid == p.Oid))
                        .Select(p => new TenantPartitionChange(child, p, p.Values, []))
                        .ToList());
            }
        }

        return all;
    }

    // A DEFAULT partition holds the tenants that have no other.
    private static bool ShareTenants(TenantPartitionChange change, TenantTable child, TenantTablePartition partition)
        => (change.Partition.Values, partition.Values) switch
        {
            ({ } parents, { } children) => parents.Intersect(children).Any(),
            ({ } parents, null) => parents.Any(id => child.PartitionOf(id) is null),
            (null, { } children) => children.Any(id => change.Table.PartitionOf(id) is null),
            (null, null) => true,
        };

    private IEnumerable<TenantTable> ChildrenOf(TenantTable table)
        => catalog.ForeignKeys.Where(f => f.Principal == table.Oid && f.Table != table.Oid)
            .Select(f => catalog.Tables.First(t => t.Oid == f.Table))
            .Where(t => t.IsManaged);

    /// <summary>
    ///     Foreign keys that detaching in order does not get out of the way: of plain tables, of single partitions, of a table to itself,
    ///     around a circle.
    /// </summary>
    private async Task<List<(string Drop, string Restore)>> ForeignKeysInTheWayAsync(
        Dictionary<uint, TenantTable> tables,
        CancellationToken cancellationToken)
    {
        var all = await connection.QueryAsync(
            """
            SELECT f.conrelid, f.confrelid, n.nspname, c.relname, f.conname, pg_get_constraintdef(f.oid)
            FROM pg_constraint f JOIN pg_class c ON c.oid = f.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE f.contype = 'f' AND f.conparentid = 0 AND f.confrelid = ANY(@tables) ORDER BY f.oid
            """,
            r =>
            {
                var alter = $"ALTER TABLE {database.Sql.DelimitIdentifier(r.GetString(3), r.GetString(2))}";
                var name = database.Sql.DelimitIdentifier(r.GetString(4));
                return (
                    Table: r.GetFieldValue<uint>(0), Principal: r.GetFieldValue<uint>(1), Drop: $"{alter} DROP CONSTRAINT {name}",
                    Restore: $"{alter} ADD CONSTRAINT {name} {r.GetString(5)}");
            },
            cancellationToken,
            TenantCatalog.Parameter("tables", NpgsqlDbType.Oid, tables.Keys.ToArray())).ConfigureAwait(false);

        return
        [
            .. all.Where(f => !tables.ContainsKey(f.Table) || Position(f.Table) <= Position(f.Principal)).Select(f => (f.Drop, f.Restore)),
        ];
    }

    // Those that it had from its table, and has again when it is attached.
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
}
