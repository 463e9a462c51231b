using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>Questions to the tables in which EF keeps what was migrated, of many schemas at once.</summary>
public sealed class TenantHistorySql(ISqlGenerationHelper sqlGenerationHelper, string table, string? schema)
{
    /// <summary>Each table of a query takes a lock, of which there are some thousands by default.</summary>
    public const int SchemasInOneQuery = 500;

    /// <summary>One migrates a schema; the schemas of a database do not wait for each other.</summary>
    public const string Lock = $"SELECT pg_advisory_lock({LockKey})";

    public const string Unlock = $"SELECT pg_advisory_unlock({LockKey})";

    private const string LockKey = "hashtextextended('EfTenancy migrations ' || current_setting('search_path'), 0)";

    public string Table
        => table;

    /// <summary>The history as the search path finds it, or in the schema that the context gives it. Its columns may have other names.</summary>
    public string SelectMigrations
        => $"SELECT h.* FROM {sqlGenerationHelper.DelimitIdentifier(table, schema)} AS h";

    public static string SelectSchemas
        => """
            SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relname = @table AND c.relkind IN ('r', 'p') AND n.nspname = ANY(@schemas)
            """;

    /// <summary>The schema, and then the columns of the history, of which the first is the migration.</summary>
    public string SelectMigrationsOf(IEnumerable<string> schemas)
        => string.Join(
            " UNION ALL ",
            schemas.Select(
                s => $"SELECT '{s.Replace("'", "''", StringComparison.Ordinal)}'::text, h.* FROM {sqlGenerationHelper.DelimitIdentifier(table, s)} AS h"))
            + " ORDER BY 1, 2";
}
