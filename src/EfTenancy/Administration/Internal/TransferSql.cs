using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>The SQL that copies, counts, compares and deletes the rows of a tenant.</summary>
public static class TransferSql
{
    /// <summary>What the text of a value depends on, so that the same rows have the same checksum everywhere, and files can be read anywhere.</summary>
    public const string Settings =
        "SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL extra_float_digits = 1; "
        + "SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'";

    /// <summary>
    ///     Statistics do not know a tenant that comes, and a plan for its id takes any index that begins with the tenant: each foreign key would
    ///     look through all of its rows.
    /// </summary>
    public const string PlanForAnyTenant = "SET LOCAL plan_cache_mode = force_generic_plan";

    /// <summary>The server notices at once that a process was killed, and ends what it began. Some systems cannot tell it.</summary>
    public const string NoticeDeath =
        """
        DO $$ BEGIN PERFORM set_config('client_connection_check_interval', '1s', false); EXCEPTION WHEN invalid_parameter_value THEN NULL; END $$
        """;

    public static string CopyOut(TransferTable table, bool isBinary)
        => $"COPY (SELECT {Columns(table)} FROM {table.Name}{table.Condition}) TO STDOUT{Format(isBinary)}";

    public static string CopyIn(TransferTable table, string into, bool isBinary)
        => $"COPY {into} ({Columns(table)}) FROM STDIN{Format(isBinary)}";

    public static string StagingOf(int index)
        => $"pg_temp.transfer_{index}";

    public static string CreateStaging(TransferTable table, int index)
        => $"CREATE TEMP TABLE transfer_{index} ON COMMIT DROP AS SELECT {Columns(table)} FROM {table.Name} WITH NO DATA";

    /// <summary>One statement: foreign keys in a circle are checked at its end.</summary>
    public static string InsertStaged(IReadOnlyList<TransferTable> tables)
    {
        var inserts = tables.Select(
            (t, i) => $"i{i} AS (INSERT INTO {t.Name} ({Columns(t)}) OVERRIDING SYSTEM VALUE SELECT {Columns(t)} FROM {StagingOf(i)})");
        return $"WITH {string.Join(", ", inserts)} SELECT";
    }

    public static string Count(TransferTable table)
        => $"SELECT count(*), {Checksum($"hashtextextended({Row(table)}, 0)")} FROM {table.Name}{table.Condition}";

    public static string HasRows(IEnumerable<TransferTable> tables)
        => string.Join(
            " UNION ALL ",
            tables.Select((t, i) => $"(SELECT {i} FROM {t.Name}{t.Condition} LIMIT 1)"));

    /// <summary>For each table how many rows are gone, and their checksum.</summary>
    public static string Delete(IReadOnlyList<TransferTable> tables)
    {
        var deletes = tables.Select(
            (t, i) => $"d{i} AS (DELETE FROM {t.Name}{t.Condition} RETURNING hashtextextended({Row(t)}, 0) AS hash)");
        var counts = tables.Select((_, i) => $"(SELECT count(*) FROM d{i}), (SELECT {Checksum("hash")} FROM d{i})");
        return $"WITH {string.Join(", ", deletes)} SELECT {string.Join(", ", counts)}";
    }

    public static string Lock(IEnumerable<string> tables, string mode)
        => $"LOCK TABLE {string.Join(", ", tables)} IN {mode} MODE";

    private static string Columns(TransferTable table)
        => string.Join(", ", table.Columns.Select(c => DestinationRegistrySql.Quote(c.Name)));

    private static string Row(TransferTable table)
        => $"ROW({string.Join(", ", table.Columns.Select(c => DestinationRegistrySql.Quote(c.Name)))})::text";

    // Of any order, and of any number of equal rows.
    private static string Checksum(string hash)
        => $"COALESCE(sum({hash}::numeric), 0)::text";

    private static string Format(bool isBinary)
        => isBinary ? " (FORMAT BINARY)" : "";
}
