using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     PL/pgSQL for tables whose rows are copied into partitions that follow the registry. Tenants that are not registered yet share the partitions
///     that they share now, whatever these were by: they can be split off like those of any shared partition.
/// </summary>
public sealed class TenantRegroupingSql(
    ISqlGenerationHelper sqlGenerationHelper,
    IRelationalTypeMappingSource typeMappingSource,
    TenantIdSql idSql)
{
    // What a plain table becomes where it is not copied.
    private const string FirstPartition = "initial";

    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableInventorySql _inventory = new(sqlGenerationHelper, typeMappingSource);
    private readonly TenantAdoptionSql _adoptionSql = new(sqlGenerationHelper, typeMappingSource, idSql);

    public string Register(string table, string? schema, string column, string registrySchema)
        => _block.Block(
            table,
            schema,
            "part record; tenants text[]; suffix text;",
            $"""
            {Registry(registrySchema).Locked}
            FOR part IN
                SELECT c.oid::regclass AS leaf, c.relname, coalesce(pg_get_expr(c.relpartbound, c.oid), 'DEFAULT') = 'DEFAULT' AS is_default
                FROM pg_class AS c
                WHERE c.oid IN (SELECT relid FROM pg_partition_tree(target) WHERE isleaf) OR (c.oid = target AND c.relkind = 'r')
                ORDER BY c.relname COLLATE "C"
            LOOP
                {_inventory.TenantsOfRows(column, "tenants", "part.leaf")}
                IF tenants IS NOT NULL THEN
                    {idSql.Refuse("tenants", table)}
                    suffix := CASE WHEN part.is_default THEN '{FirstPartition}' ELSE {_adoptionSql.SuffixOf(table, "part.relname")} END;
                    {Registry(registrySchema).Share("tenants", "suffix")}
                END IF;
            END LOOP;
            """);

    private TenantRegistrySql Registry(string registrySchema)
        => new(sqlGenerationHelper, typeMappingSource, registrySchema);
}
