using EfTenancy.Metadata;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     The DDL text that puts a partitioned table in the place of a table that has rows, and takes the old one as its first partition. Whatever
///     stands on the old table is found in the catalog when it is applied, and stands on the new one afterwards, under the same names.
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
    private readonly TableReferencesSql _references = new(sqlGenerationHelper, typeMappingSource);

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
                EXECUTE format('CREATE TABLE %s ({TableInventorySql.Like}) {_partitionSql.PartitionByInFormat(partitioning.Strategy, column)}', name, old);
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

        yield return _references.Validate(table, schema);
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
                {_inventory.RefuseRowsWithoutTenant(table, column)}
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
    ///     From then on the table takes no rows but those of the tenants that the first partition will be for: of those found in it or, if it is to
    ///     follow the registry, registered. Who came just before it was closed is found afterwards, without keeping anybody from the rows.
    /// </summary>
    public IEnumerable<string> CloseToOthers(string table, string? schema, string column, TenantPartitioning partitioning, string firstSuffix)
    {
        if (Bucket(partitioning, firstSuffix) is not { } bucket)
        {
            foreach (var close in CloseToThoseFound(table, schema, column))
            {
                yield return close;
            }

            yield break;
        }

        yield return Bind("", bucket.All("held"));
        yield return Bind(
            $"""
            {_inventory.RefuseRowsWithoutTenant(table, column)}
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

    // The rows are looked at without keeping anybody from them. Who came just before the table was closed is found by the second look.
    private IEnumerable<string> CloseToThoseFound(string table, string? schema, string column)
    {
        yield return _block.Block(
            table,
            schema,
            "tenants text[];",
            WhilePlain(
                table,
                schema,
                $"""
                IF NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = target AND conname = '{FirstPartitionBoundSql.Constraint}') THEN
                    {_inventory.Refusals(table)}
                    {_inventory.RefuseRowsWithoutTenant(table, column)}
                    {_inventory.TenantsOfRows(column, "tenants")}
                    IF tenants IS NOT NULL THEN
                        {_bound.RefuseTooMany(table, schema, column)}
                        {_bound.Add(column)}
                    END IF;
                END IF;
                """));

        yield return _block.Block(
            table,
            schema,
            "tenants text[]; held text[];",
            WhilePlain(
                table,
                schema,
                $"""
                SELECT obj_description(oid, 'pg_constraint')::text[] INTO held FROM pg_constraint
                WHERE conrelid = target AND conname = '{FirstPartitionBoundSql.Constraint}' AND NOT convalidated;
                IF held IS NOT NULL THEN
                    {_inventory.RefuseRowsWithoutTenant(table, column)}
                    {_inventory.TenantsOfRows(column, "tenants")}
                    IF NOT tenants <@ held THEN
                        tenants := ARRAY(SELECT v FROM (SELECT unnest(held) AS v UNION SELECT unnest(tenants)) AS u ORDER BY v COLLATE "C");
                        {_bound.RefuseTooMany(table, schema, column)}
                        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT {FirstPartitionBoundSql.Constraint}', target);
                        {_bound.Add(column)}
                    END IF;
                END IF;
                """));
    }

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
}
