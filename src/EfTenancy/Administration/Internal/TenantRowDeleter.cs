using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>Deletes the rows of tenants, those that reference others first.</summary>
public sealed class TenantRowDeleter(TenantDatabase database, TenantConnection connection, TenantAdministrationReport report)
{
    /// <summary>From tables in a circle of references by one statement: PostgreSQL checks foreign keys at its end.</summary>
    public async Task DeleteAsync(IReadOnlyList<TenantTable> group, string tenantId, CancellationToken cancellationToken)
    {
        var deletes = group.Select(
            (t, i) => $"d{i} AS (DELETE FROM {database.Name(t)} WHERE {database.Sql.DelimitIdentifier(t.TenantColumn)} = @id RETURNING 1)");
        var counts = group.Select((_, i) => $"(SELECT count(*) FROM d{i})");

        var rows = await connection.InTransactionAsync(
            () => connection.QueryAsync(
                $"WITH {string.Join(", ", deletes)} SELECT {string.Join(", ", counts)}",
                r => group.Select((_, i) => r.GetInt64(i)).ToList(),
                cancellationToken,
                // PostgreSQL takes the text for whatever type the column has.
                new NpgsqlParameter("id", NpgsqlDbType.Unknown) { Value = tenantId }),
            cancellationToken).ConfigureAwait(false);

        foreach (var (table, count) in group.Zip(rows[0]))
        {
            report.Changed(table, deletedRows: count);
        }
    }
}
