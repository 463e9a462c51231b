using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Takes tenants that the registry marks as being removed out of all tables, children first: partitions of their own are detached and
///     dropped, rows elsewhere deleted. Each step looks first whether it is done, so that it can be cut off anywhere and repeated.
/// </summary>
public sealed class TenantRemover(
    TenantDatabase database,
    TenantConnection connection,
    TenantCatalog catalog,
    TenantAdministrationReport report)
{
    private const int MostAttempts = 5;

    // Dropping takes ACCESS EXCLUSIVE on the tables that the dropped one references: seldom, then, and for several at once.
    private const int DropsAtOnce = 32;

    private readonly TenantTableLocks _locks = new(database, connection, catalog);
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
            await DropAsync([oid], tenantIds, isOurs: false, cancellationToken).ConfigureAwait(false);
        }

        foreach (var group in catalog.Groups.Reverse())
        {
            // A detached table that was dropped just now looked like one of somebody's own.
            foreach (var table in group.Where(t => !detaching.Contains(t.Oid)))
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
        var isCircle = group.Count > 1 || catalog.ForeignKeys.Any(f => f.Table == table.Oid && f.Principal == table.Oid);
        var ofOwn = isCircle
            ? []
            : table.Partitions.Where(p => p.Values?.All(tenantIds.Contains) == true).SelectMany(p => p.Values!).ToHashSet();

        foreach (var tenantId in tenantIds.Where(id => !ofOwn.Contains(id)))
        {
            if (!table.IsManaged || isCircle || table.PartitionOf(tenantId) is not null || table.Partitions.Exists(p => p.Values is null))
            {
                await _deleter.DeleteAsync(isCircle ? group : [table], tenantId, cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private async Task DropPartitionsAsync(TenantTable table, IReadOnlySet<string> tenantIds, CancellationToken cancellationToken)
    {
        // Also those that another process has detached and not dropped: their rows would keep the tables that they reference.
        var own = table.Partitions.ToList();
        await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);
        own = [.. own.UnionBy(table.Partitions, p => p.Oid).Where(p => p.Values?.All(tenantIds.Contains) == true)];
        var done = 0;
        foreach (var partitions in own.Chunk(DropsAtOnce))
        {
            foreach (var partition in partitions)
            {
                await connection.LockTableAsync(
                    table.Oid,
                    () => connection.RetryAsync(() => DetachAsync(table, partition, cancellationToken), cancellationToken),
                    cancellationToken).ConfigureAwait(false);
            }

            await DropAsync([.. partitions.Select(p => p.Oid)], tenantIds, isOurs: true, cancellationToken).ConfigureAwait(false);
            report.Changed(table, partitions.Length);
            report.Progress(table, done += partitions.Length, own.Count);
        }
    }

    // A concurrent detach locks the tables that reference this one, and so may wait only for so long; when it is cut off later, while
    // it waits for older transactions, it leaves the partition invisible and pending, and what remains locks nobody out.
    private async Task<bool> DetachAsync(TenantTable table, TenantTablePartition partition, CancellationToken cancellationToken)
    {
        await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);
        if (table.Partitions.Find(p => p.Oid == partition.Oid) is not { } attached)
        {
            return true;
        }

        var (parent, child) = (database.Name(table), database.Name(partition));
        if (attached.IsDetachPending)
        {
            await connection.ExecutePatientlyAsync(TenantPartitionSql.FinalizeDetach(parent, child), cancellationToken).ConfigureAwait(false);
        }
        else if (table.Partitions.Find(p => p.IsDetachPending) is { } pending)
        {
            throw new InvalidOperationException(TenancyStrings.PartitionIsPending(database.Name(pending)));
        }
        else if (table.Partitions.Exists(p => p.Values is null))
        {
            // PostgreSQL refuses CONCURRENTLY beside a DEFAULT partition.
            await connection.ExecuteAsync([TenantPartitionSql.DetachPartition(parent, child)], cancellationToken).ConfigureAwait(false);
        }
        else
        {
            await connection.ExecuteAsync(
                [TenantPartitionSql.DetachPartitionConcurrently(parent, child)], cancellationToken).ConfigureAwait(false);
        }

        return true;
    }

    private Task<bool> DropAsync(
        uint[] oids,
        IReadOnlySet<string> tenantIds,
        bool isOurs,
        CancellationToken cancellationToken)
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

                foreach (var table in isOurs ? [] : tables)
                {
                    await RefuseRowsOfOthersAsync(table.Oid, table.Name, tenantIds, cancellationToken).ConfigureAwait(false);
                }

                if (tables.Count > 0)
                {
                    await _locks.LockOutAsync([.. tables.Select(t => t.Oid)], [], cancellationToken).ConfigureAwait(false);
                    await connection.ExecuteAsync(
                        [TenantPartitionSql.DropDetached(tables.Select(t => t.Name))], cancellationToken).ConfigureAwait(false);
                }

                return true;
            },
            cancellationToken);

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
