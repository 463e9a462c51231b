using EfTenancy.Storage.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Takes the locks that DDL is about to take around foreign keys, parents first, as applications write. Left to itself PostgreSQL
///     takes a partition before its table, and waits for requests that have the table and wait for that partition.
/// </summary>
public sealed class TenantTableLocks(TenantDatabase database, TenantConnection connection, TenantCatalog catalog)
{
    private const string NoWriting = "SHARE ROW EXCLUSIVE";

    // A table of another owner that lets itself only be referenced is locked by PostgreSQL alone.
    private const string NeighboursSql =
        """
        SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE NOT c.relispartition AND c.relkind IN ('r', 'p') AND c.oid IN (
            SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(@tables)
            UNION SELECT conrelid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND confrelid = ANY(@tables))
            AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
        """;

    /// <summary>For a new partition: no writing in the tables that its table references, perhaps itself, and in those that reference it.</summary>
    public Task LockAroundAsync(TenantTable table, CancellationToken cancellationToken)
        => LockAsync([table.Oid], [], [NoWriting], cancellationToken);

    /// <summary>For dropping foreign keys: nothing at all in the tables on their other side, and in those given. Nor can these keys change.</summary>
    public Task LockOutAsync(uint[] around, IEnumerable<TenantTable> tables, CancellationToken cancellationToken)
        // A request that has written rows looks at those that they reference, parents last. So writing ends first, which lets it look.
        => LockAsync(around, tables, [NoWriting, "ACCESS EXCLUSIVE"], cancellationToken);

    private async Task LockAsync(uint[] around, IEnumerable<TenantTable> tables, string[] modes, CancellationToken cancellationToken)
    {
        var neighbours = await NeighboursAsync(around, cancellationToken).ConfigureAwait(false);

        // Global tables, which the catalog does not hold, are everybody's parents.
        var order = catalog.Tables.Index().ToDictionary(t => t.Item.Oid, t => t.Index);
        var names = neighbours.Concat(tables.Select(t => (t.Oid, Name: database.Name(t))))
            .DistinctBy(t => t.Oid)
            .OrderBy(t => order.GetValueOrDefault(t.Oid, -1))
            .ThenBy(t => t.Name, StringComparer.Ordinal)
            .Select(t => $"ONLY {t.Name}")
            .ToList();
        if (names.Count > 0)
        {
            await LockAsync(
                string.Concat(modes.Select(m => $"LOCK TABLE {string.Join(", ", names)} IN {m} MODE; ")), cancellationToken).ConfigureAwait(false);
        }

        // What was looked at before may have changed before it was locked, and cannot any more.
        if (!neighbours.SetEquals(await NeighboursAsync(around, cancellationToken).ConfigureAwait(false)))
        {
            throw new TenantLockException("foreign keys were changed at the same time");
        }
    }

    // All of them in the time of one: requests wait for those that are locked already.
    private async Task LockAsync(string statements, CancellationToken cancellationToken)
    {
        try
        {
            await connection.ExecuteAsync(
                [
                    "SELECT set_config('statement_timeout', current_setting('lock_timeout'), true)",
                    "DO " + SqlLiteral.Of($"BEGIN {statements}END"),
                    "SET LOCAL statement_timeout = 0",
                ],
                cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.UndefinedTable)
        {
            // The timeout, or a table that another process dropped since its name was read.
            throw new TenantLockException(exception.MessageText, exception);
        }
    }

    private async Task<HashSet<(uint Oid, string Name)>> NeighboursAsync(uint[] around, CancellationToken cancellationToken)
        => around.Length == 0
            ? []
            : [.. await connection.QueryAsync(
                NeighboursSql,
                r => (Oid: r.GetFieldValue<uint>(0), Name: database.Sql.DelimitIdentifier(r.GetString(2), r.GetString(1))),
                cancellationToken,
                TenantCatalog.Parameter("tables", NpgsqlDbType.Oid, around)).ConfigureAwait(false)];
}
