using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>The SQL text of the registry of tenants. Migrations and administration both call it.</summary>
public sealed class TenantRegistrySql(
    ISqlGenerationHelper sqlGenerationHelper,
    IRelationalTypeMappingSource typeMappingSource,
    string registrySchema)
{
    public const string TableName = "tenant_partitions";

    /// <summary>Half added: the call that adds the tenant has not come to its end.</summary>
    public const string Adding = "adding";

    public const string Active = "active";

    /// <summary>Half removed: its partitions are going, and nothing may make them again.</summary>
    public const string Removing = "removing";

    // The values of a partition are kept in a row of at most 8 kB, in a form that is compressed: there is room for twice as much.
    private const int BytesInPartition = 4000;
    private const int BytesBesideValue = 8;

    private readonly RelationalTypeMapping _text = typeMappingSource.FindMapping(typeof(string))!;

    /// <summary>The registry, delimited.</summary>
    public string Table { get; } = sqlGenerationHelper.DelimitIdentifier(TableName, registrySchema);

    /// <summary>All but the first two columns have defaults, so that a tenant can be registered by hand.</summary>
    public IEnumerable<string> CreateRegistry()
    {
        // IF NOT EXISTS alone fails beside another process that creates them.
        yield return $"DO {_text.GenerateSqlLiteral($"BEGIN {Locked} END")};";
        yield return $"CREATE SCHEMA IF NOT EXISTS {sqlGenerationHelper.DelimitIdentifier(registrySchema)};";
        yield return
            $"""
            CREATE TABLE IF NOT EXISTS {Table} (
                partition_value text NOT NULL PRIMARY KEY,
                partition_name text NOT NULL,
                disabled boolean NOT NULL DEFAULT false,
                state text NOT NULL DEFAULT '{Active}' CHECK (state IN ('{Adding}', '{Active}', '{Removing}')),
                removing oid[] NOT NULL DEFAULT '{"{}"}'
            );
            """;
    }

    /// <summary>Tenants that are registered may have partitions in tables of another context.</summary>
    public IEnumerable<string> DropEmptyRegistry()
    {
        yield return "DO " + _text.GenerateSqlLiteral(
            $"""
            BEGIN
                IF NOT EXISTS (SELECT FROM {Table}) THEN
                    DROP TABLE {Table};
                END IF;
            END
            """) + ";";
    }

    /// <summary>
    ///     For the rest of the transaction no tenant is registered or taken away, so that a new table and a new tenant cannot miss
    ///     each other.
    /// </summary>
    public string Lock()
        => $"SELECT pg_advisory_xact_lock({LockKey});";

    /// <summary>Whether the session may split shared partitions now: one at a time, and no partition gets or loses tenants meanwhile.</summary>
    public string LockSplit()
        => $"SELECT pg_try_advisory_lock({SplitKey})";

    public string UnlockSplit()
        => $"SELECT pg_advisory_unlock({SplitKey})";

    /// <summary>Whether no other session splits, nor does one begin before the transaction ends.</summary>
    public string LockOutSplit()
        => $"SELECT pg_try_advisory_xact_lock_shared({SplitKey})";

    /// <summary>The tenants that contexts must refuse, and whether they are being removed.</summary>
    public string SelectRefused()
        => $"SELECT partition_value, state = '{Removing}' FROM {Table} WHERE disabled OR state = '{Removing}'";

    private string LockKey
        => $"hashtextextended({_text.GenerateSqlLiteral("EfTenancy " + registrySchema)}, 0)";

    private string SplitKey
        => $"hashtextextended({_text.GenerateSqlLiteral("EfTenancy split " + registrySchema)}, 0)";

    /// <summary>The partitions of a table for all registered tenants. Those that are there already stay as they are.</summary>
    public IEnumerable<string> CreateRegisteredPartitions(string table, string? schema)
    {
        // As a string literal: a dollar quote would end at a name that holds it.
        yield return "DO " + _text.GenerateSqlLiteral(
            $"""
            DECLARE
                {PartitionDeclarations}
                tenants text[];
                held text[] := ARRAY[]::text[];
            BEGIN
                {Locked}
                FOR registered IN {TenantAdoptionSql.Partitions(Text(sqlGenerationHelper.DelimitIdentifier(table, schema)) + "::regclass")} LOOP
                    {TenantAdoptionSql.Values("registered.bound", "tenants")}
                    held := held || tenants;
                END LOOP;
                {CreatePartitions(table, schema, "held")}
            END
            """) + ";";
    }

    /// <summary>What <see cref="CreatePartitions" /> declares.</summary>
    public const string PartitionDeclarations =
        """
        registered record;
        partition text;
        """;

    /// <summary>In PL/pgSQL: nobody else registers tenants for the rest of the transaction.</summary>
    public string Locked
        => $"PERFORM pg_advisory_xact_lock({LockKey});";

    /// <summary>In PL/pgSQL: tenants get a suffix that they share, unless they are registered. It may be nobody's own.</summary>
    public string Register(string tenants, string suffix, string table)
        => $"""
            IF EXISTS (SELECT FROM unnest({tenants}) AS v WHERE v NOT IN (SELECT partition_value FROM {Table}))
                AND (SELECT count(*) = 1 AND min(partition_value) = {Text(suffix)} FROM {Table} WHERE partition_name = {Text(suffix)}) THEN
                RAISE EXCEPTION USING MESSAGE = {Text(TenancyStrings.FirstPartitionIsTaken(table, suffix))};
            END IF;
            {Insert(tenants, Text(suffix))}
            """;

    /// <summary>In PL/pgSQL: who is registered elsewhere is here too, and disabled if either says so. Who is half removed is neither here nor there.</summary>
    public string TakeOver(TenantRegistrySql former, string table)
        => $"""
            IF EXISTS (SELECT FROM {former.Table} WHERE state = '{Removing}') THEN
                RAISE EXCEPTION USING MESSAGE = {Text(TenancyStrings.RegistryHasHalfRemovedTenants(table, former.Table))};
            END IF;
            INSERT INTO {Table} AS r (partition_value, partition_name, disabled, state) SELECT partition_value, partition_name, disabled, state FROM {former.Table}
            ON CONFLICT (partition_value) DO UPDATE SET disabled = r.disabled OR excluded.disabled;
            """;

    /// <summary>
    ///     In PL/pgSQL: tenants get a suffix that they share, unless they are registered, or further ones with a number where there are more of them
    ///     than one partition can be for.
    /// </summary>
    public string Share(string tenants, string suffix)
        => $"""
            IF (SELECT count(*) = 1 AND min(partition_value) = {suffix} FROM {Table} WHERE partition_name = {suffix}) THEN
                {suffix} := {suffix} || '_rows';
            END IF;
            INSERT INTO {Table} (partition_value, partition_name)
            SELECT v, {suffix} || CASE WHEN n = 0 THEN '' ELSE '_' || n + 1 END
            FROM (
                SELECT v, (sum(octet_length(v) + {BytesBesideValue}) OVER (ORDER BY v COLLATE "C") + (
                    SELECT coalesce(sum(octet_length(partition_value) + {BytesBesideValue}), 0) FROM {Table}
                    WHERE partition_name = {suffix}
                        OR (starts_with(partition_name, {suffix} || '_') AND substr(partition_name, length({suffix}) + 2) ~ '^[0-9]+$')))
                    / {BytesInPartition} AS n
                FROM unnest({tenants}) AS v WHERE v NOT IN (SELECT partition_value FROM {Table})) AS u
            ON CONFLICT (partition_value) DO NOTHING;
            """;

    /// <summary>In PL/pgSQL: tenants get a suffix, unless they are registered.</summary>
    public string Insert(string tenants, string suffix)
        => $"""
            INSERT INTO {Table} (partition_value, partition_name) SELECT v, {suffix} FROM unnest({tenants}) AS v
            ON CONFLICT (partition_value) DO NOTHING;
            """;

    /// <summary>An expression: an array with further tenants, those of all registered ones for whom a condition holds.</summary>
    public string WithRegistered(string tenants, string condition = "true")
        => $"""
            ARRAY(
                SELECT v FROM (
                    SELECT unnest({tenants}) AS v
                    UNION SELECT partition_value FROM {Table} AS r WHERE state <> '{Removing}' AND {condition}) AS u
                ORDER BY v COLLATE "C")
            """;

    /// <summary>A condition: a registered tenant <c>r</c> has a suffix, or shares one with tenants of an array.</summary>
    public string SharesSuffix(string suffix, string tenants)
        => $"(r.partition_name = {Text(suffix)} OR r.partition_name IN (SELECT partition_name FROM {Table} WHERE partition_value = ANY ({tenants})))";

    /// <summary>In PL/pgSQL: the partitions of registered tenants, but for those of an array and for who shares their suffixes.</summary>
    public string CreatePartitions(string table, string? schema, string held)
    {
        var parent = sqlGenerationHelper.DelimitIdentifier(table, schema);
        return $"""
            FOR registered IN
                SELECT {Text(table + "_")} || partition_name AS name,
                    string_agg(quote_literal(partition_value), ', ' ORDER BY partition_value COLLATE "C") AS tenants
                FROM {Table} WHERE state <> '{Removing}' GROUP BY 1 HAVING NOT bool_or(partition_value = ANY ({held})) ORDER BY 1
            LOOP
                partition := registered.name;
                IF octet_length(convert_to(partition, 'UTF8')) > {TenantPartitionNaming.MaxIdentifierBytes} THEN
                    WHILE octet_length(convert_to(partition, 'UTF8')) > {TenantPartitionNaming.MaxCutBytes} LOOP
                        partition := left(partition, -1);
                    END LOOP;
                    partition := partition || '{TenantPartitionNaming.HashSeparator}'
                        || left(encode(sha256(convert_to(registered.name, 'UTF8')), 'hex'), {TenantPartitionNaming.HashLength});
                END IF;
                partition := {(schema is null ? "" : Text(sqlGenerationHelper.DelimitIdentifier(schema) + ".") + " || ")}quote_ident(partition);
                IF to_regclass(partition) IS NULL THEN
                    EXECUTE 'CREATE TABLE ' || partition || {Text(TenantPartitionSql.LikeParent(parent))};
                    EXECUTE {Text(TenantPartitionSql.Attach(parent))} || partition || ' FOR VALUES IN (' || registered.tenants || ')';
                END IF;
            END LOOP;
            """;
    }

    private string Text(string text)
        => _text.GenerateSqlLiteral(text);
}
