using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     The DDL text that puts another table in the place of a table that has rows, and copies these. Whatever stands on the old table is found
///     in the catalog when it is applied, and stands on the new one afterwards, under the same names.
/// </summary>
public sealed class TenantTableCopySql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    private readonly TenantPartitionSql _partitionSql = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableInventorySql _inventory = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableReferencesSql _references = new(sqlGenerationHelper, typeMappingSource);

    /// <summary>
    ///     Nobody reads or writes the tables until the transaction ends, in which they are copied. All locks at once: whoever has one of them and
    ///     wants another is let through.
    /// </summary>
    public string Close(IReadOnlyList<(string Table, string? Schema, TenantPartitioning? Partitioning)> tables)
        => _block.Block(
            tables[0].Table,
            tables[0].Schema,
            "part record;",
            $"""
            {string.Join("\n", tables.Select(t => t.Partitioning?.RegistrySchema).OfType<string>().Distinct().Select(s => Registry(s).Locked))}
            {TableBlockSql.Retried(string.Join("\n", tables.Select(
                t => $"""
                {_block.Alone(t.Table, t.Schema)}
                {_inventory.Refusals(t.Table)}
                {TableInventorySql.Locks}
                """)))}
            """);

    /// <summary>
    ///     Copies the rows into a table that is partitioned in another way, or not at all, in the transaction of the migration. Nobody reads
    ///     or writes meanwhile.
    /// </summary>
    public IEnumerable<string> Rebuild(string table, string? schema, string column, string? collation, TenantPartitioning? partitioning)
    {
        var registry = partitioning?.RegistrySchema is { } registrySchema ? Registry(registrySchema) : null;
        yield return _block.Block(
            table,
            schema,
            TableInventorySql.Declarations + TenantRegistrySql.PartitionDeclarations,
            $"""
            {registry?.Locked}
            {_block.Alone(table, schema)}
            {_inventory.Refusals(table)}
            {TableInventorySql.Locks}
            {(partitioning is null ? "" : _inventory.RefuseRowsWithoutTenant(table, column))}
            {TableInventorySql.Capture}
            FOR part IN SELECT p.relid FROM pg_partition_tree(target) AS p WHERE p.level > 0 LOOP
                EXECUTE format('ALTER TABLE %s RENAME TO %I', part.relid::regclass, 'tenancy_old_' || part.relid::oid);
            END LOOP;
            {_inventory.MoveAside("'tenancy_old_' || target::oid", "old")}
            EXECUTE format('CREATE TABLE %s ({TableInventorySql.Like})', name, old);
            -- Bounds of ranges mean the same in every database, whatever its collation; a partitioned table's column cannot change.
            IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = target AND attname = {_block.Text(column)} AND attcollation NOT IN (0, {Collation(collation)}::regcollation)) THEN
                EXECUTE format('ALTER TABLE %s ALTER COLUMN %I TYPE %s COLLATE %s', name, {_block.Text(column)},
                    (SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = target AND attname = {_block.Text(column)}), {Collation(collation)});
            END IF;
            {(partitioning is null ? "" : MakePartitioned(partitioning.Strategy, column))}
            {string.Join("\n", (partitioning?.Partitions ?? []).SelectMany(p => _partitionSql.CreatePartition(table, schema, p)).Select(_block.Execute))}
            {registry?.CreatePartitions(table, schema, "ARRAY[]::text[]")}
            EXECUTE (
                SELECT format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %2$s FROM %3$s', name, string_agg(quote_ident(attname), ', '), old)
                FROM pg_attribute WHERE attrelid = target AND attnum > 0 AND NOT attisdropped AND attgenerated = '');
            {TableBlockSql.RunEach("hand_over")}
            {TableBlockSql.RunEach("rest")}
            EXECUTE format('DROP TABLE %s', old);
            {TableBlockSql.RunEach("keys")}
            {TableBlockSql.RunEach("outbound")}
            {TableInventorySql.References}
            """);

        yield return _references.Validate(table, schema);
    }

    private TenantRegistrySql Registry(string registrySchema)
        => new(sqlGenerationHelper, typeMappingSource, registrySchema);

    private string MakePartitioned(TenantPartitionStrategy strategy, string column)
        => $"""
            shape := name::regclass;
            EXECUTE format('ALTER TABLE %s RENAME TO tenancy_shape', name);
            EXECUTE format('CREATE TABLE %s ({TableInventorySql.Like}) {_partitionSql.PartitionByInFormat(strategy, column)}', name, shape::text);
            EXECUTE format('DROP TABLE %s', shape);
            """;

    private string Collation(string? collation)
        => _block.Text(sqlGenerationHelper.DelimitIdentifier(collation ?? "default"));
}
