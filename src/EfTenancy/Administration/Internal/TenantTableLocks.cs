using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Takes the locks that DDL is about to take around foreign keys, parents first, as applications write. Left to itself PostgreSQL
///     takes a partition before its table, and waits for requests that have the table and wait for that partition.
/// </summary>
public sealed class TenantTableLocks(TenantDatabase database, TenantConnection connection, TenantCatalog catalog)
{
    private const string NeighboursSql =
        """
        SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT c.relispartition AND c.relkind IN ('r', 'p') AND c.oid IN (
            SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY(@tables)
            UNION SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND confrelid = ANY(@tables))
        """;

    /// <summary>For a new partition: no writing in the tables that its table references, perhaps itself, and in those that reference it.</summary>
    public Task LockAroundAsync(TenantTable table, CancellationToken cancellationToken)
        => LockAsync([table.Oid], [], "SHARE ROW EXCLUSIVE", cancellationToken);

    /// <summary>For dropping foreign keys: nothing at all in the tables on their other side, and in those given.</summary>
    public Task LockOutAsync(uint[] detached, IEnumerable<TenantTable> tables, CancellationToken cancellationToken)
        => LockAsync(detached, tables, "ACCESS EXCLUSIVE", cancellationToken);

    private async Task LockAsync(uint[] around, IEnumerable<TenantTable> tables, string mode, CancellationToken cancellationToken)
    {
        var neighbours = await connection.QueryAsync(
            NeighboursSql,
            r => (Oid: r.GetFieldValue<uint>(0), Name: database.Sql.DelimitIdentifier(r.GetString(2), r.GetString(1))),
            cancellationToken,
            TenantCatalog.Parameter("tables", NpgsqlDbType.Oid, around)).ConfigureAwait(false);

        // Global tables, which the catalog does not hold, are everybody's parents.
        var order = catalog.Tables.Index().ToDictionary(t => t.Item.Oid, t => t.Index);
        var names = neighbours.Concat(tables.Select(t => (t.Oid, Name: database.Name(t))))
            .DistinctBy(t => t.Oid)
            .OrderBy(t => order.GetValueOrDefault(t.Oid, -1))
            .Select(t => $"ONLY {t.Name}")
            .ToList();
        if (names.Count > 0)
        {
            // All of them in the time of one: requests wait for those that are locked already.
            await connection.ExecuteAsync(
                [
                    "SELECT set_config('statement_timeout', current_setting('lock_timeout'), true)",
                    $"LOCK TABLE {string.Join(", ", names)} IN {mode} MODE",
                    "SET LOCAL statement_timeout = 0",
                ],
                cancellationToken).ConfigureAwait(false);
        }
    }
}
