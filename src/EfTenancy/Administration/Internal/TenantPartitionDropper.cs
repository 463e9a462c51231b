using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>Drops partitions of tenants that go, a few in one short transaction, without CASCADE.</summary>
public sealed class TenantPartitionDropper(TenantDatabase database, TenantConnection connection, TenantCatalog catalog)
{
    private static readonly Version NamesKeysAfterKeys = new(18, 0);

    private readonly TenantTableLocks _locks = new(database, connection, catalog);

    /// <summary>
    ///     In a table with foreign keys a concurrent detach would be no gain: it takes ACCESS EXCLUSIVE on the tables that reference this
    ///     one, and dropping what was detached takes it on those that this one references. So all of it is one transaction, which is
    ///     undone as a whole; where nothing references the table, nothing but the table is locked, and nothing is detached.
    /// </summary>
    /// <returns>How many were dropped.</returns>
    public Task<int> DropAttachedAsync(
        TenantTable table,
        Func<TenantTablePartition, bool> isOwn,
        TenantPace pace,
        CancellationToken cancellationToken)
        => connection.InTransactionAsync(
            async () =>
            {
                await _locks.LockOutAsync(table.IsReferenced ? [table.Oid] : [], [table], cancellationToken).ConfigureAwait(false);

                // Only now nobody can change them.
                await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);
                var names = table.Partitions.Where(p => isOwn(p) && !p.IsDetachPending).Take(pace.AtOnce).Select(database.Name).ToList();
                if (names.Count == 0)
                {
                    return 0;
                }

                await pace.ExecuteAsync(connection, DropSql(table, names), names.Count, cancellationToken).ConfigureAwait(false);
                return names.Count;
            },
            cancellationToken);

    /// <summary>
    ///     The same for partitions of several tables, which must all be there as they were seen. One attempt, so that a call that could go
    ///     table by table does not wait for the locks of all tables.
    /// </summary>
    /// <param name="childrenFirst">Tables with those of their partitions that are to go.</param>
    /// <param name="isOwn">What they have in common.</param>
    /// <param name="cancellationToken">Cancels it.</param>
    /// <returns>False if nothing was changed.</returns>
    public Task<bool> TryDropAttachedAsync(
        IReadOnlyList<(TenantTable Table, IReadOnlyList<TenantTablePartition> Partitions)> childrenFirst,
        Func<TenantTablePartition, bool> isOwn,
        CancellationToken cancellationToken)
        => connection.TryInTransactionAsync(
            async () =>
            {
                var tables = childrenFirst.Select(c => c.Table).ToList();
                await _locks.LockOutAsync([.. tables.Where(t => t.IsReferenced).Select(t => t.Oid)], tables, cancellationToken)
                    .ConfigureAwait(false);

                var now = await TenantCatalog.PartitionsAsync(connection, tables.Select(t => t.Oid), cancellationToken).ConfigureAwait(false);
                var seen = childrenFirst.SelectMany(c => c.Partitions).ToList();
                var there = now.Select(n => n.Partition).Where(isOwn).ToList();
                if (there.Exists(p => p.IsDetachPending) || !there.Select(p => p.Oid).ToHashSet().SetEquals(seen.Select(p => p.Oid)))
                {
                    throw new TenantLockException("partitions were changed at the same time");
                }

                var names = there.ToDictionary(p => p.Oid, database.Name);
                await new TenantPace(seen.Count, seen.Count).ExecuteAsync(
                    connection,
                    childrenFirst.SelectMany(c => DropSql(c.Table, [.. c.Partitions.Select(p => names[p.Oid])])),
                    seen.Count,
                    cancellationToken).ConfigureAwait(false);
            },
            cancellationToken);

    /// <summary>Those of the numbers that are tables of their own now. What an earlier call has detached is looked at first.</summary>
    public Task<int> DropDetachedAsync(uint[] oids, IReadOnlySet<string> tenantIds, bool isOld, CancellationToken cancellationToken)
        => connection.InTransactionAsync(
            async () =>
            {
                var tables = await connection.QueryAsync(
                    """
                    SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                    WHERE c.oid = ANY(@oids) AND c.relkind = 'r' AND NOT c.relispartition ORDER BY c.oid
                    """,
                    r => (Oid: r.GetFieldValue<uint>(0), Name: database.Sql.DelimitIdentifier(r.GetString(2), r.GetString(1))),
                    cancellationToken,
                    TenantCatalog.Parameter("oids", NpgsqlDbType.Oid, oids)).ConfigureAwait(false);

                foreach (var table in tables)
                {
                    if (isOld)
                    {
                        await RefuseRowsOfOthersAsync(table.Oid, table.Name, tenantIds, cancellationToken).ConfigureAwait(false);
                    }

                    await _locks.LockOutAsync([table.Oid], [], cancellationToken).ConfigureAwait(false);
                    await connection.ExecuteAsync([TenantPartitionSql.DropDetached(table.Name)], cancellationToken).ConfigureAwait(false);
                }

                return tables.Count;
            },
            cancellationToken);

    // Dropped while it is attached, a partition that is referenced would take the foreign keys of whole tables with it.
    private IEnumerable<string> DropSql(TenantTable table, IReadOnlyCollection<string> partitions)
        =>
        [
            .. partitions.Where(_ => table.IsReferenced && table.HasReferences && connection.ServerVersion >= NamesKeysAfterKeys)
                .Select(database.PartitionSql.RenameForeignKeys),
            .. partitions.Where(_ => table.IsReferenced).Select(p => TenantPartitionSql.DetachPartition(database.Name(table), p)),
            TenantPartitionSql.DropDetached(partitions),
        ];

    // The number of a table that is gone may have been given to another since.
    private async Task RefuseRowsOfOthersAsync(uint oid, string table, IReadOnlySet<string> tenantIds, CancellationToken cancellationToken)
    {
        var columns = await connection.QueryAsync(
            "SELECT attname FROM pg_attribute WHERE attrelid = @oid AND attname = ANY(@columns) AND NOT attisdropped",
            r => r.GetString(0),
            cancellationToken,
            new NpgsqlParameter("oid", NpgsqlDbType.Oid) { Value = oid },
            TenantCatalog.Parameter(
                "columns", NpgsqlDbType.Text, catalog.Managed.Select(t => t.TenantColumn).Distinct().ToArray())).ConfigureAwait(false);

        if (columns.Count == 0
            || (await connection.QueryAsync(
                $"SELECT 1 FROM {table} WHERE NOT ({database.Sql.DelimitIdentifier(columns[0])}::text = ANY(@ids)) LIMIT 1",
                r => r.GetInt32(0),
                cancellationToken,
                TenantCatalog.Parameter("ids", NpgsqlDbType.Text, tenantIds.ToArray())).ConfigureAwait(false)).Count > 0)
        {
            throw new InvalidOperationException(TenancyStrings.NotDropped(table));
        }
    }
}
