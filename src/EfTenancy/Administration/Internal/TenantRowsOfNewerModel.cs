using EfTenancy.Properties;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Refuses to remove a tenant that would leave rows behind in tables of a newer version of the application, where a later tenant of the same
///     id would see them. Tables of others may have such a column too, so that it takes a migration of a newer version to look for them.
/// </summary>
public sealed class TenantRowsOfNewerModel(TenantDatabase database, TenantConnection connection)
{
    // A global table whose tenant column the model maps itself is the application's to look after.
    private const string TablesSql =
        $"""
        WITH known AS (
            SELECT to_regclass(k.name)::oid AS oid, k.tenant_column, k.is_told
            FROM unnest(@names, @columns, @told) AS k(name, tenant_column, is_told)
        )
        SELECT DISTINCT format('%I.%I', n.nspname, c.relname), quote_ident(a.attname)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = ANY(@columns) AND a.attnum > 0 AND NOT a.attisdropped
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace IN (SELECT relnamespace FROM pg_class JOIN known ON known.oid = pg_class.oid WHERE known.tenant_column IS NOT NULL)
            AND NOT c.oid = ANY(@removed) AND c.oid NOT IN (SELECT oid FROM known WHERE is_told AND oid IS NOT NULL)
            AND has_table_privilege(c.oid, 'SELECT')
            AND obj_description(c.oid, 'pg_class') IS DISTINCT FROM '{Migrations.Internal.TenantSplitSql.Mark}'
        """;

    public async Task RefuseAsync(IReadOnlyCollection<string> tenantIds, CancellationToken cancellationToken)
    {
        if (await NewerMigrationAsync(cancellationToken).ConfigureAwait(false) is not { } migration)
        {
            return;
        }

        var catalog = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
        var known = database.TablesOfModel.Tables;
        var tables = await connection.QueryAsync(
            TablesSql,
            r => (Name: r.GetString(0), Column: r.GetString(1)),
            cancellationToken,
            TenantCatalog.Parameter("names", NpgsqlDbType.Text, known.Select(t => database.Sql.DelimitIdentifier(t.Name, t.Schema)).ToArray()),
            TenantCatalog.Parameter("columns", NpgsqlDbType.Text, known.Select(t => t.TenantColumn).ToArray()),
            TenantCatalog.Parameter("told", NpgsqlDbType.Boolean, known.Select(t => database.MapsTenantColumn(t.Name, t.Schema)).ToArray()),
            TenantCatalog.Parameter("removed", NpgsqlDbType.Oid, catalog.Tables.Select(t => t.Oid).ToArray())).ConfigureAwait(false);

        foreach (var (table, column) in tables)
        {
            var found = await connection.QueryAsync(
                $"SELECT {column}::text FROM {table} WHERE {column}::text = ANY(@ids) LIMIT 1",
                r => r.GetString(0),
                cancellationToken,
                TenantCatalog.Parameter("ids", NpgsqlDbType.Text, tenantIds.ToArray())).ConfigureAwait(false);
            if (found is [var tenantId])
            {
                tenantId = database.IdOf(tenantId);
                throw new TenantDatabaseException(
                    TenancyStrings.RowsOfNewerModel(tenantId, table, database.ContextName, migration),
                    TenantDatabaseError.MigrationsAhead, tenantId, database.Destination);
            }
        }
    }

    private async Task<string?> NewerMigrationAsync(CancellationToken cancellationToken)
    {
        var history = database.History();
        if (history.Last is not { } last)
        {
            return null;
        }

        try
        {
            return (await connection.MigrationsAsync(history, cancellationToken).ConfigureAwait(false))
                .Where(m => string.CompareOrdinal(m, last) > 0).Max(StringComparer.Ordinal);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
        {
            // A role that may administer and not migrate.
            return null;
        }
    }
}
