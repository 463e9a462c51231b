using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>The text of anonymous blocks in PL/pgSQL that work on one table, <c>target</c>.</summary>
public sealed class TableBlockSql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    // How long a statement may stand in the queue, where it holds up those behind it, before it steps back and tries again.
    private const string LockTimeout = "200ms";
    private const int Attempts = 300;

    private readonly RelationalTypeMapping _text = typeMappingSource.FindMapping(typeof(string))!;

    /// <summary>A block in which row level security fails a statement that it would hide rows from: such rows would be lost.</summary>
    public string Block(string table, string? schema, string declarations, string body)
        // As a string literal: a dollar quote would end at a name that holds it.
        => "DO " + Text(
            $"""
            DECLARE
                target regclass := {Name(table, schema)};
                search_path_before text := current_setting('search_path');
                lock_timeout_before text := current_setting('lock_timeout');
                row_security_before text := current_setting('row_security');
                {declarations}
            BEGIN
                PERFORM set_config('row_security', 'off', true);
                {body}
                PERFORM set_config('row_security', row_security_before, true);
            END
            """) + ";";

    /// <summary>
    ///     No other process is in such a statement for the table until the transaction ends. What <c>target</c> was may have become a
    ///     partition meanwhile, or be gone.
    /// </summary>
    public string Alone(string table, string? schema)
        // Only a lock of a table lets a session hear of names that have changed; a constant of the type regclass would be looked up once.
        => $"""
            PERFORM pg_advisory_xact_lock(hashtextextended('EfTenancy switch ' || {Name(table, schema)}, 0));
            LOCK TABLE ONLY {sqlGenerationHelper.DelimitIdentifier(table, schema)} IN ACCESS SHARE MODE;
            target := to_regclass({Name(table, schema)});
            """;

    private string Name(string table, string? schema)
        => Text(sqlGenerationHelper.DelimitIdentifier(table, schema));

    public string Execute(string statement)
        => $"EXECUTE {Text(statement)};";

    public string Text(string text)
        => _text.GenerateSqlLiteral(text);

    public static string RunEach(string statements)
        => $"""
            FOREACH statement IN ARRAY {statements} LOOP
                EXECUTE statement;
            END LOOP;
            """;

    /// <summary>A rolled back attempt gives back its locks before it waits.</summary>
    public static string Retried(string statements)
        => $"""
            FOR attempt IN 1..{Attempts} LOOP
                BEGIN
                    PERFORM set_config('lock_timeout', '{LockTimeout}', true);
                    {statements}
                    PERFORM set_config('lock_timeout', lock_timeout_before, true);
                    EXIT;
                EXCEPTION WHEN lock_not_available OR deadlock_detected THEN
                    IF attempt = {Attempts} THEN
                        RAISE;
                    END IF;
                END;
                PERFORM pg_sleep(0.05 + 0.2 * random());
            END LOOP;
            """;
}
