using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>Questions to the tables in which EF keeps what was migrated, of many schemas at once.</summary>
public sealed class TenantHistorySql(ISqlGenerationHelper sqlGenerationHelper, string table, string? schema)
{
    /// <summary>Each table of a query takes a lock, of which there are some thousands by default.</summary>
    public const int SchemasInOneQuery = 500;

    public string Table
        => table;

    /// <summary>Null through a pooler, where the lock would stay behind in the session of somebody else.</summary>
    public string TryLock(int processId)
        => $"SELECT CASE WHEN pg_backend_pid() = {processId} THEN pg_try_advisory_lock({LockKey}) END";

    public string Unlock
        => $"SELECT pg_advisory_unlock({LockKey})";

    public string LockInTransaction
        => $"SELECT pg_advisory_xact_lock({LockKey})";

    // One for each history: the schemas of a database do not wait for each other.
    private string LockKey
        => $"hashtextextended('EfTenancy migrations ' || concat_ws('.', {(schema is null ? "current_schema()::text" : SqlLiteral.Of(schema))}, {SqlLiteral.Of(table)}), 0)";

    /// <summary>The history where the context's options have it.</summary>
    public static TenantHistorySql Create(ISqlGenerationHelper sqlGenerationHelper, IDbContextOptions options)
    {
        var extension = RelationalOptionsExtension.Extract(options);
        return new(
            sqlGenerationHelper, extension.MigrationsHistoryTableName ?? HistoryRepository.DefaultTableName, extension.MigrationsHistoryTableSchema);
    }

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
                s => $"SELECT {SqlLiteral.Of(s)}::text, h.* FROM {sqlGenerationHelper.DelimitIdentifier(table, s)} AS h"))
            + " ORDER BY 1, 2";
}
