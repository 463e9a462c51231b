using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>The sequences that number rows: those of columns, and those of the model. They are only ever moved forward.</summary>
public static class TransferSequences
{
    private const string Sql =
        """
        SELECT s.oid, format('%I.%I', n.nspname, s.relname), d.refobjid, a.attname, q.seqincrement, pg_sequence_last_value(s.oid)
        FROM pg_class s
        JOIN pg_namespace n ON n.oid = s.relnamespace
        JOIN pg_sequence q ON q.seqrelid = s.oid
        LEFT JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
            AND d.deptype IN ('a', 'i') AND d.refobjsubid > 0
        LEFT JOIN pg_attribute a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE s.relkind = 'S' AND (d.refobjid = ANY(@tables) OR s.oid IN (SELECT to_regclass(name) FROM unnest(@names) AS k(name)))
        """;

    /// <summary>How far they are, by names that are the same in every place; those that gave no number yet are left out.</summary>
    public static async Task<Dictionary<string, long>> ReadAsync(
        TenantSite site,
        TransferConnection connection,
        TransferCatalog catalog,
        CancellationToken cancellationToken)
        => (await LoadAsync(site, connection, catalog, cancellationToken).ConfigureAwait(false))
            .Where(s => s.Last is not null).ToDictionary(s => s.Key, s => s.Last!.Value);

    /// <summary>Lets the sequences of a place go on behind these numbers, and behind the ids of the tenant's rows there.</summary>
    public static async Task AdvanceAsync(
        TenantSite site,
        TransferConnection connection,
        TransferCatalog catalog,
        Dictionary<string, long> numbers,
        CancellationToken cancellationToken)
    {
        foreach (var sequence in await LoadAsync(site, connection, catalog, cancellationToken).ConfigureAwait(false))
        {
            var number = numbers.TryGetValue(sequence.Key, out var given) ? given : (long?)null;
            if (sequence.Table is { } table && sequence.Increment > 0)
            {
                var highest = (await connection.Session.QueryAsync(
                    $"SELECT max({site.Database.Sql.DelimitIdentifier(sequence.Column!)})::bigint FROM {table.Name}{table.Condition}",
                    r => r.IsDBNull(0) ? (long?)null : r.GetInt64(0),
                    cancellationToken).ConfigureAwait(false))[0];
                number = number is null || highest > number ? highest : number;
            }

            if (number is { } target && (sequence.Last is not { } last || (sequence.Increment > 0 ? target > last : target < last)))
            {
                var furthest = sequence.Increment > 0 ? "GREATEST" : "LEAST";
                await connection.Session.ExecuteAsync(
                    [
                        // Changes nothing, and locks: between looking and setting nobody else takes a number.
                        $"ALTER SEQUENCE {sequence.Name} INCREMENT BY {sequence.Increment}",
                        $"SELECT setval({sequence.Oid}::oid::regclass, {furthest}({target}, COALESCE(pg_sequence_last_value({sequence.Oid}), {target})))",
                    ],
                    cancellationToken).ConfigureAwait(false);
            }
        }
    }

    private static async Task<List<SequenceOfRows>> LoadAsync(
        TenantSite site,
        TransferConnection connection,
        TransferCatalog catalog,
        CancellationToken cancellationToken)
    {
        var tables = catalog.Tables.ToDictionary(t => t.Oid);
        var ofModel = new Dictionary<uint, string>();
        foreach (var sequence in site.Context.Model.GetRelationalModel().Sequences)
        {
            var name = site.Database.Sql.DelimitIdentifier(sequence.Name, sequence.Schema);
            foreach (var oid in await connection.Session.QueryAsync(
                "SELECT to_regclass(@name)::oid", r => r.IsDBNull(0) ? (uint?)null : r.GetFieldValue<uint>(0), cancellationToken,
                new Npgsql.NpgsqlParameter("name", name)).ConfigureAwait(false))
            {
                if (oid is { } there)
                {
                    ofModel[there] = name;
                }
            }
        }

        return await connection.Session.QueryAsync(
            Sql,
            r =>
            {
                var oid = r.GetFieldValue<uint>(0);
                var table = r.IsDBNull(2) ? null : tables.GetValueOrDefault(r.GetFieldValue<uint>(2));
                var column = r.IsDBNull(3) ? null : r.GetString(3);
                return new SequenceOfRows(
                    oid, r.GetString(1), ofModel.GetValueOrDefault(oid) ?? $"{table?.Key}.{column}", table, column, r.GetInt64(4),
                    r.IsDBNull(5) ? null : r.GetInt64(5));
            },
            cancellationToken,
            TenantCatalog.Parameter("tables", NpgsqlDbType.Oid, tables.Keys.ToArray()),
            TenantCatalog.Parameter("names", NpgsqlDbType.Text, ofModel.Values.ToArray())).ConfigureAwait(false);
    }

    private sealed record SequenceOfRows(uint Oid, string Name, string Key, TransferTable? Table, string? Column, long Increment, long? Last);
}
