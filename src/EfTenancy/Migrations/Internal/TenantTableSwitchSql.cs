using EfTenancy.Metadata;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     The DDL text that puts another table in the place of a table that has rows: a partitioned one that takes the old one as its
///     first partition, or one that the rows are copied into. Whatever stands on the old table is found in the catalog when it is
///     applied, and stands on the new one afterwards, under the same names.
/// </summary>
public sealed class TenantTableSwitchSql(
    ISqlGenerationHelper sqlGenerationHelper,
    IRelationalTypeMappingSource typeMappingSource,
    TenantIdSql idSql)
{
    private readonly TenantPartitionSql _partitionSql = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);
    private readonly TenantAdoptionSql _adoptionSql = new(sqlGenerationHelper, typeMappingSource, idSql);
    private readonly FirstPartitionBoundSql _bound = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableInventorySql _inventory = new(sqlGenerationHelper, typeMappingSource);

    /// <summary>
    ///     The statements in their order, each a transaction of its own, and each may be sent again: it looks at what is there first. Validation,
    ///     and the last one, read the rows without keeping anybody from them.
    /// </summary>
    public IEnumerable<string> PartitionExistingTable(string table, string? schema, string column, TenantPartitioning partitioning, string firstSuffix)
    {
        var bucket = Bucket(partitioning, firstSuffix);
        foreach (var close in CloseToOthers(table, schema, column, partitioning, firstSuffix))
        {
            yield return close;
        }

        yield return _block.Block(
            table,
            schema,
            "",
            WhilePlain(
                table,
                schema,
                $"""
                IF EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = '{FirstPartitionBoundSql.Constraint}' AND NOT convalidated) THEN
                    EXECUTE format('ALTER TABLE %s VALIDATE CONSTRAINT {FirstPartitionBoundSql.Constraint}', target);
                END IF;
                """));

        yield return _block.Block(
            table,
            schema,
            TableInventorySql.Declarations + TenantRegistrySql.PartitionDeclarations + "tenants text[]; has_rows boolean;",
            WhilePlain(
                table,
                schema,
                $"""
                {_inventory.Refusals(table)}
                {bucket?.Lock}
                {TableInventorySql.Locks}
                tenants := obj_description(
                    (SELECT oid FROM pg_constraint WHERE conrelid = target AND conname = '{FirstPartitionBoundSql.Constraint}'), 'pg_constraint')::text[];
                EXECUTE format('SELECT EXISTS (SELECT FROM %s)', target) INTO has_rows;
                IF tenants IS NULL AND has_rows THEN
                    RAISE EXCEPTION USING MESSAGE = {_block.Text(TenancyStrings.RowsCameInBetween(table))};
                END IF;
                {bucket?.Widen}
                {TableInventorySql.Capture}
                {_inventory.MoveAside(_block.Text(TenantPartitionNaming.PartitionName(table, firstSuffix)), firstSuffix)}
                EXECUTE format('CREATE TABLE %s ({TableInventorySql.Like}) {PartitionBy(partitioning.Strategy, column)}', name, old);
                {TableBlockSql.RunEach("keys")}
                {TableBlockSql.RunEach("outbound")}
                {TableBlockSql.RunEach("hand_over")}
                IF tenants IS NULL THEN
                    -- Views stand on it until they are replaced, and its name may be that of a partition.
                    EXECUTE format('ALTER TABLE %s RENAME TO %I', old, 'tenancy_old_' || target::oid);
                    old := target::text;
                ELSE
                    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES IN (%s)', name, old, {FirstPartitionBoundSql.Literals});
                    EXECUTE format('ALTER TABLE %s DROP CONSTRAINT {FirstPartitionBoundSql.Constraint}', old);
                END IF;
                {bucket?.CreateOtherPartitions(table, schema)}
                {CreateUnlessInFirst(table, schema, partitioning)}
                {TableInventorySql.References}
                {TableBlockSql.RunEach("rest")}
                IF tenants IS NULL THEN
                    EXECUTE format('DROP TABLE %s', old);
                END IF;
                """));

        yield return ValidateReferences(table, schema);
    }

    /// <summary>Registers the tenants of a table that is to follow the registry, without keeping anybody from its rows.</summary>
    public string RegisterTenants(string table, string? schema, string column, TenantPartitioning partitioning, string firstSuffix)
    {
        var bucket = Bucket(partitioning, firstSuffix)!;
        return _block.Block(
            table,
            schema,
            "tenants text[];",
            WhilePlain(
                table,
                schema,
                $"""
                {_inventory.TenantsOfRows(column, "tenants")}
                {bucket.Lock}
                IF tenants IS NOT NULL THEN
                    {bucket.Register(table)}
                    tenants := {bucket.All("tenants")};
                    {_bound.RefuseTooMany(table, schema, column)}
                END IF;
                """));
    }

    /// <summary>
    ///     From then on the table takes no rows but those of the tenants that the first partition will be for. A table that is to follow the registry
    ///     is closed first, to all who are not registered; who came just before is found without keeping anybody from the rows.
    /// </summary>
    public IEnumerable<string> CloseToOthers(string table, string? schema, string column, TenantPartitioning partitioning, string firstSuffix)
    {
        if (Bucket(partitioning, firstSuffix) is not { } bucket)
        {
            yield return CloseToThoseFound(table, schema, column);
            yield break;
        }

        yield return Bind("", bucket.All("held"));
        yield return Bind(
            $"""
            {_inventory.TenantsOfRows(column, "tenants")}
            {bucket.Lock}
            {bucket.Register(table)}
            """,
            bucket.All("held || tenants"));

        string Bind(string find, string bound)
            => _block.Block(
                table,
                schema,
                "tenants text[]; held text[];",
                WhilePlain(
                    table,
                    schema,
                    $"""
                    {_inventory.Refusals(table)}
                    {find}
                    {bucket.Lock}
                    SELECT obj_description(oid, 'pg_constraint')::text[] INTO held FROM pg_constraint WHERE conrelid = target AND conname = '{FirstPartitionBoundSql.Constraint}';
                    tenants := {bound};
                    IF tenants IS DISTINCT FROM held THEN
                        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT IF EXISTS {FirstPartitionBoundSql.Constraint}', target);
                        {_bound.Add(column)}
                    END IF;
                    """));
    }

    private string CloseToThoseFound(string table, string? schema, string column)
        => _block.Block(
            table,
            schema,
            "tenants text[];",
            WhilePlain(
                table,
                schema,
                $"""
                IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = '{FirstPartitionBoundSql.Constraint}') THEN
                    {_inventory.Refusals(table)}
                    EXECUTE format('LOCK TABLE %s IN ACCESS EXCLUSIVE MODE', target);
                    {_inventory.TenantsOfRows(column, "tenants")}
                    IF tenants IS NOT NULL THEN
                        {_bound.RefuseTooMany(table, schema, column)}
                        {_bound.Add(column)}
                    END IF;
                END IF;
                """));

    /// <summary>
    ///     Nobody reads or writes the tables until the transaction ends, in which they are copied. All locks at once: whoever has one of them and
    ///     wants another is let through.
    /// </summary>
    public string CloseToAll(IReadOnlyList<(string Table, string? Schema, TenantPartitioning? Partitioning)> tables)
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
    public IEnumerable<string> RebuildByCopying(string table, string? schema, string column, string? collation, TenantPartitioning? partitioning)
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

        yield return ValidateReferences(table, schema);
    }

    // References from other tables, and from the table to itself, were added without looking at the rows.
    private string ValidateReferences(string table, string? schema)
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

    // Another process may have gone this step, or all of them, while this one waited.
    private string WhilePlain(string table, string? schema, string statements)
        => TableBlockSql.Retried(
            $"""
            {_block.Alone(table, schema)}
            IF (SELECT relkind FROM pg_class WHERE oid = target) <> 'p' THEN
                {statements}
            END IF;
            """);

    private TenantBucketSql? Bucket(TenantPartitioning partitioning, string suffix)
        => partitioning.RegistrySchema is { } registrySchema
            ? new TenantBucketSql(Registry(registrySchema), idSql, suffix)
            : null;

    private TenantRegistrySql Registry(string registrySchema)
        => new(sqlGenerationHelper, typeMappingSource, registrySchema);

    // Of the tenants that a partition is for, those whose rows are in the first one stay there until they are split off.
    private string CreateUnlessInFirst(string table, string? schema, TenantPartitioning partitioning)
        => string.Join("\n", (partitioning.Partitions ?? []).Select(p => _adoptionSql.CreateUnlessHeld(table, schema, p, "tenants")));

    private string MakePartitioned(TenantPartitionStrategy strategy, string column)
        => $"""
            shape := name::regclass;
            EXECUTE format('ALTER TABLE %s RENAME TO tenancy_shape', name);
            EXECUTE format('CREATE TABLE %s ({TableInventorySql.Like}) {PartitionBy(strategy, column)}', name, shape::text);
            EXECUTE format('DROP TABLE %s', shape);
            """;

    private string Collation(string? collation)
        => _block.Text(sqlGenerationHelper.DelimitIdentifier(collation ?? "default"));

    private string PartitionBy(TenantPartitionStrategy strategy, string column)
        => _partitionSql.PartitionBy(strategy, column).Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);
}
