using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     PL/pgSQL for the foreign keys to a table that took another one's place: from other tables and from itself, which were added without
///     looking at the rows.
/// </summary>
public sealed class TableReferencesSql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);

    public string Validate(string table, string? schema)
        => _block.Block(
            table,
            schema,
            "reference record;",
            $"""
            -- PostgreSQL 18 shows a foreign key that is NOT ENFORCED as not validated, and refuses to validate it.
            FOR reference IN
                SELECT conrelid::regclass AS dependent, conname FROM pg_constraint
                WHERE confrelid = target AND contype = 'f' AND conparentid = 0 AND NOT convalidated AND pg_get_constraintdef(oid) NOT LIKE '% NOT ENFORCED'
            LOOP
                {TableBlockSql.Retried("EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT %I', reference.dependent, reference.conname);")}
            END LOOP;

            -- A partitioned table takes over those of its partitions.
            FOR reference IN
                SELECT DISTINCT pg_partition_root(conrelid) AS dependent, conname, pg_get_constraintdef(oid) AS definition FROM pg_constraint
                WHERE confrelid = target AND contype = 'f' AND conparentid = 0
                    AND conrelid IN (SELECT inhrelid FROM pg_inherits) AND conrelid <> target
            LOOP
                {TableBlockSql.Retried(
                $"""
                {_block.Alone(table, schema)}
                IF NOT EXISTS (
                    SELECT FROM pg_constraint WHERE conrelid = reference.dependent AND conname = reference.conname AND confrelid = target AND contype = 'f') THEN
                    EXECUTE format('ALTER TABLE %s ADD CONSTRAINT %I %s', reference.dependent, reference.conname, reference.definition);
                END IF;
                """)}
            END LOOP;
            """);
}
