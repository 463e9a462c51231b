using EfTenancy.Metadata;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>The text that lets list partitions, which stay as they are, follow the registry or a list of the model instead of what they followed.</summary>
public sealed class TenantAdoptionSql(
    ISqlGenerationHelper sqlGenerationHelper,
    IRelationalTypeMappingSource typeMappingSource,
    TenantIdSql idSql)
{
    private readonly TenantPartitionSql _partitionSql = new(sqlGenerationHelper, typeMappingSource);
    private readonly TableBlockSql _block = new(sqlGenerationHelper, typeMappingSource);

    /// <summary>A query for the list partitions of a table, <c>relname</c> and <c>bound</c>. A DEFAULT partition has nobody to register.</summary>
    public static string Partitions(string table)
        => $"""
            SELECT c.relname, pg_get_expr(c.relpartbound, 0) AS bound FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
            WHERE i.inhparent = {table} AND pg_get_expr(c.relpartbound, 0) LIKE 'FOR VALUES IN (%' ORDER BY 1
            """;

    /// <summary>In PL/pgSQL: the values of a bound, which PostgreSQL has written, into an array.</summary>
    public static string Values(string bound, string into)
        => $"EXECUTE 'SELECT array_remove(ARRAY[' || substring({bound} FROM '^FOR VALUES IN \\((.*)\\)$') || ']::text[], NULL)' INTO {into};";

    /// <summary>An expression: the suffix that the name of a partition tells. Somebody else may have made it, so that the name may be any; a suffix becomes part of others.</summary>
    public string SuffixOf(string table, string name)
        => $"regexp_replace(CASE WHEN starts_with({name}, {_block.Text(table + "_")}) AND {name} <> {_block.Text(table + "_")} "
            + $"THEN substr({name}, length({_block.Text(table + "_")}) + 1) ELSE {name} END, '[^A-Za-z0-9_$]', '_', 'g')";

    public IEnumerable<string> Register(
        string table,
        string? schema,
        TenantRegistrySql registry,
        TenantPartitioning? known,
        TenantRegistrySql? former)
    {
        var names = (known?.Partitions ?? []).Select(
            p => $"WHEN {_block.Text(TenantPartitionNaming.PartitionName(table, p.Suffix))} THEN {_block.Text(p.Suffix)} ");

        yield return _block.Block(
            table,
            schema,
            "part record; tenants text[];",
            $"""
            {former?.Locked}
            {registry.Locked}
            {(former is null ? "" : registry.TakeOver(former, table))}
            FOR part IN {Partitions("target")} LOOP
                {Values("part.bound", "tenants")}
                {idSql.Refuse("tenants", table)}
                {registry.Insert(
                    "tenants",
                    $"CASE part.relname {string.Concat(names)}WHEN '' THEN '' ELSE {SuffixOf(table, "part.relname")} END")}
            END LOOP;
            """);
    }

    public IEnumerable<string> Keep(string table, string? schema, TenantPartitioning partitioning)
    {
        yield return _block.Block(
            table,
            schema,
            "part record; tenants text[]; held text[] := ARRAY[]::text[]; statement text;",
            $"""
            FOR part IN {Partitions("target")} LOOP
                {Values("part.bound", "tenants")}
                held := held || tenants;
            END LOOP;
            {string.Join("\n", (partitioning.Partitions ?? []).Select(p => CreateUnlessHeld(table, schema, p, "held")))}
            """);
    }

    /// <summary>In PL/pgSQL: a partition for those of its tenants that an array does not hold, if there are any.</summary>
    public string CreateUnlessHeld(string table, string? schema, TenantPartition partition, string held)
    {
        if (partition.Values is not { } values)
        {
            return string.Join("\n", _partitionSql.CreatePartition(table, schema, partition).Select(_block.Execute));
        }

        // A partition of that name may be there for its other tenants: those that it lacks were removed at run time, or split off and removed.
        return $"""
            SELECT string_agg(quote_literal(v), ', ') INTO statement FROM unnest(ARRAY[{string.Join(", ", values.Select(_block.Text))}]) AS v WHERE NOT v = ANY (coalesce({held}, ARRAY[]::text[]));
            IF statement IS NOT NULL AND {Exists(partition.Suffix)} THEN
                {Create(partition.Suffix + "_rest")}
            ELSIF statement IS NOT NULL THEN
                {Create(partition.Suffix)}
            END IF;
            """;

        string Exists(string suffix)
            => $"to_regclass({_block.Text(sqlGenerationHelper.DelimitIdentifier(TenantPartitionNaming.PartitionName(table, suffix), schema))}) IS NOT NULL";

        string Create(string suffix)
        {
            var (create, attach) = _partitionSql.CreatePartition(table, schema, suffix);
            return $"""
                EXECUTE {_block.Text(create)};
                EXECUTE {_block.Text(attach)} || ' FOR VALUES IN (' || statement || ')';
                """;
        }
    }
}
