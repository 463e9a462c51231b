using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>Deletes the rows of tenants, those that reference others first.</summary>
public sealed class TenantRowDeleter(TenantDatabase database, TenantConnection connection, TenantAdministrationReport report)
{
    /// <summary>From tables in a circle of references by one statement: PostgreSQL checks foreign keys at its end.</summary>
    public async Task DeleteAsync(IReadOnlyList<TenantTable> group, string tenantId, CancellationToken cancellationToken)
    {
        for (var tables = group; tables.Count > 0;)
        {
            try
            {
                await DeleteFromAsync(tables, tenantId, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.UndefinedTable)
            {
                // A table that was dropped since it was seen has no rows.
                var left = await ThoseThereAsync(tables, cancellationToken).ConfigureAwait(false);
                if (left.Count == tables.Count)
                {
                    throw;
                }

                tables = left;
            }
        }
    }

    private async Task DeleteFromAsync(IReadOnlyList<TenantTable> tables, string tenantId, CancellationToken cancellationToken)
    {
        var deletes = tables.Select(
            (t, i) => $"d{i} AS (DELETE FROM {database.Name(t)} WHERE {database.Sql.DelimitIdentifier(t.TenantColumn)} = @id RETURNING 1)");
        var counts = tables.Select((_, i) => $"(SELECT count(*) FROM d{i})");

        var rows = await connection.InTransactionAsync(
            () => connection.QueryAsync(
                $"WITH {string.Join(", ", deletes)} SELECT {string.Join(", ", counts)}",
                r => tables.Select((_, i) => r.GetInt64(i)).ToList(),
                cancellationToken,
                // PostgreSQL takes the text for whatever type the column has.
                new NpgsqlParameter("id", NpgsqlDbType.Unknown) { Value = tenantId }),
            cancellationToken).ConfigureAwait(false);

        foreach (var (table, count) in tables.Zip(rows[0]))
        {
            report.Changed(table, deletedRows: count);
        }
    }

    private async Task<List<TenantTable>> ThoseThereAsync(IReadOnlyList<TenantTable> tables, CancellationToken cancellationToken)
    {
        var there = await connection.QueryAsync(
            "SELECT oid FROM pg_class WHERE oid = ANY(@oids)",
            r => r.GetFieldValue<uint>(0),
            cancellationToken,
            TenantCatalog.Parameter("oids", NpgsqlDbType.Oid, tables.Select(t => t.Oid).ToArray())).ConfigureAwait(false);
        return [.. tables.Where(t => there.Contains(t.Oid))];
    }
}
