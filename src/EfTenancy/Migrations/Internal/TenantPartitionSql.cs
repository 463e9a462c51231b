using EfTenancy.Metadata;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>The DDL text of tenant partitions, one method a statement. Migrations and administration both call it.</summary>
public sealed class TenantPartitionSql(ISqlGenerationHelper sqlGenerationHelper, IRelationalTypeMappingSource typeMappingSource)
{
    private readonly RelationalTypeMapping _text = typeMappingSource.FindMapping(typeof(string))!;

    public string PartitionBy(TenantPartitionStrategy strategy, string column)
        => $"PARTITION BY {strategy.ToString().ToUpperInvariant()} ({sqlGenerationHelper.DelimitIdentifier(column)})";

    /// <summary>The same inside of a template of PL/pgSQL's <c>format</c>.</summary>
    public string PartitionByInFormat(TenantPartitionStrategy strategy, string column)
        => PartitionBy(strategy, column).Replace("'", "''", StringComparison.Ordinal).Replace("%", "%%", StringComparison.Ordinal);

    /// <summary>
    ///     CREATE and ATTACH rather than PARTITION OF, which would take ACCESS EXCLUSIVE on the parent. Neither identity nor
    ///     indexes are copied: rows come through the parent's identity, and ATTACH makes indexes that belong to the parent's.
    /// </summary>
    public IEnumerable<string> CreatePartition(string table, string? schema, TenantPartition partition)
    {
        var (create, attach) = CreatePartition(table, schema, partition.Suffix);

        yield return create + ";";
        yield return $"{attach} {Bound(partition)};";
    }

    /// <summary>The same without the bound, which comes behind.</summary>
    public (string Create, string Attach) CreatePartition(string table, string? schema, string suffix)
    {
        var parent = sqlGenerationHelper.DelimitIdentifier(table, schema);
        var child = PartitionIdentifier(table, schema, suffix);

        return ($"CREATE TABLE {child}{LikeParent(parent)}", Attach(parent) + child);
    }

    /// <summary>Attaches a table that is there already, whose rows must be those of the bound.</summary>
    public IEnumerable<string> AttachPartition(string table, string? schema, TenantPartition partition)
    {
        yield return Attach(
            sqlGenerationHelper.DelimitIdentifier(table, schema), PartitionIdentifier(table, schema, partition.Suffix), partition);
    }

    public string Attach(string parent, string child, TenantPartition partition)
        => $"{Attach(parent)}{child} {Bound(partition)};";

    /// <summary>In a transaction, with ACCESS EXCLUSIVE on both.</summary>
    public static string DetachPartition(string parent, string child)
        => $"ALTER TABLE {parent} DETACH PARTITION {child};";

    /// <summary>
    ///     Before a partition is detached from between foreign keys. PostgreSQL 18 names the keys that it writes then after the old one, with
    ///     a number; it tries one number after the other, and after a name that others share most are taken.
    /// </summary>
    public string RenameForeignKeys(string child)
        => "DO " + _text.GenerateSqlLiteral(
            $"""
            DECLARE key record;
            BEGIN
                FOR key IN
                    SELECT oid, conname FROM pg_constraint
                    WHERE conrelid = {_text.GenerateSqlLiteral(child)}::regclass AND contype = 'f' AND conparentid <> 0
                LOOP
                    EXECUTE format('ALTER TABLE %s RENAME CONSTRAINT %I TO %I', {_text.GenerateSqlLiteral(child)}, key.conname, 'detached' || key.oid);
                END LOOP;
            END
            """) + ";";

    /// <summary>Outside of a transaction, and not beside a DEFAULT partition. Cut off, it must be finished before another one.</summary>
    public static string DetachPartitionConcurrently(string parent, string child)
        => $"ALTER TABLE {parent} DETACH PARTITION {child} CONCURRENTLY;";

    public static string FinalizeDetach(string parent, string child)
        => $"ALTER TABLE {parent} DETACH PARTITION {child} FINALIZE;";

    /// <summary>Without CASCADE, which would drop the foreign keys of whole tables.</summary>
    public static string DropDetached(params IEnumerable<string> tables)
        => $"DROP TABLE {string.Join(", ", tables)};";

    public static string LikeParent(string parent)
        => $" (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE)";

    /// <summary>The same with the indexes that attaching would otherwise build, and a proof of the bound that attaching would otherwise look for.</summary>
    public static string LikeParent(string parent, string check)
        => $" (LIKE {parent} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE INCLUDING INDEXES, {check})";

    public static string Attach(string parent)
        => $"ALTER TABLE {parent} ATTACH PARTITION ";

    /// <summary>DETACH first: dropping an attached partition that foreign keys reference would need CASCADE, which drops those keys.</summary>
    public IEnumerable<string> DropEmptyPartition(string table, string? schema, string suffix)
    {
        var parent = sqlGenerationHelper.DelimitIdentifier(table, schema);
        var child = PartitionIdentifier(table, schema, suffix);

        // As a string literal: a dollar quote would end at a name that holds it.
        yield return "DO " + _text.GenerateSqlLiteral(
            $"""
            BEGIN
                IF EXISTS (SELECT FROM {child}) THEN
                    RAISE EXCEPTION USING MESSAGE = {_text.GenerateSqlLiteral(TenancyStrings.PartitionHoldsRows(child, parent))};
                END IF;
            END
            """) + ";";
        yield return DetachPartition(parent, child);
        yield return DropDetached(child);
    }

    private string PartitionIdentifier(string table, string? schema, string suffix)
        => sqlGenerationHelper.DelimitIdentifier(TenantPartitionNaming.PartitionName(table, suffix), schema);

    private string Bound(TenantPartition partition)
        => partition switch
        {
            { Values: { } values } => $"FOR VALUES IN ({string.Join(", ", values.Select(_text.GenerateSqlLiteral))})",
            { From: { } from, To: { } to }
                => $"FOR VALUES FROM ({_text.GenerateSqlLiteral(from)}) TO ({_text.GenerateSqlLiteral(to)})",
            { Modulus: { } modulus, Remainder: { } remainder } => $"FOR VALUES WITH (MODULUS {modulus}, REMAINDER {remainder})",
            _ => "DEFAULT",
        };
}
