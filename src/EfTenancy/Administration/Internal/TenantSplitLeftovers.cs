using EfTenancy.Migrations.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>What a split made that has not come to its end: none of it is in use, and all of it is dropped.</summary>
public sealed class TenantSplitLeftovers(TenantDatabase database, TenantConnection connection)
{
    /// <summary>No other session must be splitting.</summary>
    /// <returns>The partitions that were being split.</returns>
    public async Task<IReadOnlyList<string>> DropAsync(TenantCatalog catalog, CancellationToken cancellationToken)
    {
        var schemas = TenantCatalog.Parameter(
            "schemas", NpgsqlDbType.Text,
            catalog.Tables.Select(t => t.Schema).Concat(catalog.Managed.SelectMany(t => t.Partitions).Select(p => p.Schema)).Distinct().ToArray());

        // The log first: without a function, or a table, that it is written to, nobody could write to the partition.
        var partitions = await NamesAsync(
            """
            SELECT n.nspname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE t.tgname = @trigger AND n.nspname = ANY(@schemas) ORDER BY c.oid
            """,
            schemas, new NpgsqlParameter("trigger", TenantSplitSql.Trigger), cancellationToken).ConfigureAwait(false);
        foreach (var partition in partitions)
        {
            await InTransactionAsync([TenantSplitSql.DropTrigger(partition)], cancellationToken).ConfigureAwait(false);
        }

        var functions = await NamesAsync(
            """
            SELECT n.nspname, p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
            WHERE p.proname ~ ('^' || @prefix || '[0-9]+$') AND p.prorettype = 'trigger'::regtype AND n.nspname = ANY(@schemas)
            """,
            schemas.Clone(), new NpgsqlParameter("prefix", TenantSplitSql.Prefix), cancellationToken).ConfigureAwait(false);
        var tables = await NamesAsync(
            """
            SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND NOT c.relispartition AND obj_description(c.oid, 'pg_class') = @mark AND n.nspname = ANY(@schemas)
            """,
            schemas.Clone(), new NpgsqlParameter("mark", TenantSplitSql.Mark), cancellationToken).ConfigureAwait(false);
        await InTransactionAsync(
            [.. functions.Select(TenantSplitSql.DropFunction), .. tables.Select(t => TenantPartitionSql.DropDetached(t))], cancellationToken)
            .ConfigureAwait(false);
        return partitions;
    }

    private Task<List<string>> NamesAsync(string sql, NpgsqlParameter schemas, NpgsqlParameter what, CancellationToken cancellationToken)
        => connection.QueryAsync(
            sql, r => database.Sql.DelimitIdentifier(r.GetString(1), r.GetString(0)), cancellationToken, schemas, what);

    private Task<bool> InTransactionAsync(IReadOnlyList<string> statements, CancellationToken cancellationToken)
        => connection.InTransactionAsync(
            async () =>
            {
                await connection.ExecuteAsync(statements, cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken);
}
