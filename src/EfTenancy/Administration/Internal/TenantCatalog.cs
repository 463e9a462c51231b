using EfTenancy.Migrations.Internal;
using EfTenancy.Storage.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     The tables of tenants as the database has them, in the schemas of the model's: what the model does not know is told by its
///     partition key or, for the rest, by a primary key that leads with the tenant.
/// </summary>
public sealed class TenantCatalog
{
    private const string TablesSql =
        $"""
        WITH known AS (
            SELECT to_regclass(k.name)::oid AS oid, k.tenant_column, k.is_managed
            FROM unnest(@names, @columns, @managed) AS k(name, tenant_column, is_managed)
        ),
        keys AS (SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f' AND conparentid = 0)
        SELECT c.oid, n.nspname, c.relname, a.attname, known.is_managed,
            p.partstrat = 'l' AND p.partnatts = 1 AND p.partattrs[0] = a.attnum AS is_list,
            (SELECT count(*)::int FROM pg_index WHERE indrelid = c.oid),
            c.oid IN (SELECT confrelid FROM keys), c.oid IN (SELECT conrelid FROM keys)
        FROM pg_class c
        JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN known ON known.oid = c.oid
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
            AND CASE WHEN known.oid IS NULL THEN a.attname = ANY(@columns) ELSE a.attname = known.tenant_column END
        LEFT JOIN pg_partitioned_table p ON p.partrelid = c.oid
        LEFT JOIN pg_index pk ON pk.indrelid = c.oid AND pk.indisprimary
        WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relnamespace IN (SELECT relnamespace FROM pg_class JOIN known ON known.oid = pg_class.oid WHERE known.tenant_column IS NOT NULL)
            AND (known.oid IS NOT NULL
                OR (p.partstrat = 'l' AND p.partnatts = 1 AND p.partattrs[0] = a.attnum)
                OR (pk.indkey[0] = a.attnum AND pk.indnkeyatts > 1))
            AND obj_description(c.oid, 'pg_class') IS DISTINCT FROM '{TenantSplitSql.Mark}'
        """;

    // Told the table's number, pg_get_expr would open each partition, and wait for whoever has locked one of any tenant.
    private const string PartitionsSql =
        """
        SELECT i.inhparent, c.oid, n.nspname, c.relname, pg_get_expr(c.relpartbound, 0), i.inhdetachpending
        FROM pg_inherits i
        JOIN pg_class c ON c.oid = i.inhrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE i.inhparent = ANY(@tables) AND c.relpartbound IS NOT NULL
        """;

    private const string ForeignKeysSql =
        """
        SELECT conrelid, confrelid, conname FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(@tables) AND confrelid = ANY(@tables)
        """;

    private TenantCatalog(IReadOnlyList<TenantTable> tables, IReadOnlyList<TenantForeignKey> foreignKeys)
    {
        ForeignKeys = foreignKeys;
        Groups = TenantTableOrder.ParentsFirst(tables, foreignKeys);
        Tables = [.. Groups.SelectMany(g => g)];
    }

    /// <summary>All tables, parents before the tables that reference them.</summary>
    public IReadOnlyList<TenantTable> Tables { get; }

    /// <summary>The same, those that reference each other in a circle in one group.</summary>
    public IReadOnlyList<IReadOnlyList<TenantTable>> Groups { get; }

    public IReadOnlyList<TenantForeignKey> ForeignKeys { get; }

    public IEnumerable<TenantTable> Managed
        => Tables.Where(t => t.IsManaged);

    public static async Task<TenantCatalog> LoadAsync(
        TenantConnection connection,
        TenantDatabase database,
        CancellationToken cancellationToken)
    {
        var known = database.TablesOfModel.Tables;
        var tables = await connection.QueryAsync(
            TablesSql,
            r => new TenantTable(
                r.GetFieldValue<uint>(0), r.GetString(1), r.GetString(2), r.GetString(3),
                Kind(
                    isManaged: r.IsDBNull(4) ? null : r.GetBoolean(4), isList: !r.IsDBNull(5) && r.GetBoolean(5),
                    hasRegistry: database.TablesOfModel.RegistrySchema is not null),
                r.GetInt32(6)) { IsReferenced = r.GetBoolean(7), HasReferences = r.GetBoolean(8) },
            cancellationToken,
            Parameter("names", NpgsqlDbType.Text, known.Select(t => database.Sql.DelimitIdentifier(t.Name, t.Schema)).ToArray()),
            Parameter("columns", NpgsqlDbType.Text, known.Select(t => t.TenantColumn).ToArray()),
            Parameter("managed", NpgsqlDbType.Boolean, known.Select(t => t.IsManaged).ToArray())).ConfigureAwait(false);

        var managed = tables.Where(t => t.IsManaged).ToDictionary(t => t.Oid);
        foreach (var (parent, partition) in await PartitionsAsync(connection, managed.Keys, cancellationToken).ConfigureAwait(false))
        {
            managed[parent].Partitions.Add(partition);
        }

        var foreignKeys = await connection.QueryAsync(
            ForeignKeysSql,
            r => new TenantForeignKey(r.GetFieldValue<uint>(0), r.GetFieldValue<uint>(1), r.GetString(2)),
            cancellationToken,
            Parameter("tables", NpgsqlDbType.Oid, tables.Select(t => t.Oid).ToArray())).ConfigureAwait(false);

        return new TenantCatalog(tables, foreignKeys);
    }

    /// <summary>Looks at the partitions of one table again.</summary>
    public static async Task ReloadAsync(TenantConnection connection, TenantTable table, CancellationToken cancellationToken)
    {
        var partitions = await PartitionsAsync(connection, [table.Oid], cancellationToken).ConfigureAwait(false);
        table.Partitions.Clear();
        table.Partitions.AddRange(partitions.Select(p => p.Partition));
    }

    /// <summary>Tables that stand beside these under the name of a partition, with the tenant's column: a detach was not followed by anything.</summary>
    public static Task<List<uint>> DetachedAsync(
        TenantConnection connection,
        IEnumerable<TenantTable> tables,
        string suffix,
        CancellationToken cancellationToken)
    {
        var all = tables.ToList();
        return connection.QueryAsync(
            """
            SELECT c.oid FROM unnest(@schemas, @names, @columns) AS t(schema, name, tenant_column)
            JOIN pg_namespace n ON n.nspname = t.schema
            JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = t.name AND c.relkind = 'r' AND NOT c.relispartition
            JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = t.tenant_column AND NOT a.attisdropped
            """,
            r => r.GetFieldValue<uint>(0),
            cancellationToken,
            Parameter("schemas", NpgsqlDbType.Text, all.Select(t => t.Schema).ToArray()),
            Parameter("names", NpgsqlDbType.Text, all.Select(t => TenantPartitionNaming.PartitionName(t.Name, suffix)).ToArray()),
            Parameter("columns", NpgsqlDbType.Text, all.Select(t => t.TenantColumn).ToArray()));
    }

    public static NpgsqlParameter Parameter(string name, NpgsqlDbType elementType, Array values)
        => new(name, NpgsqlDbType.Array | elementType) { Value = values };

    /// <summary>The partitions of tables as they are now.</summary>
    public static Task<List<(uint Parent, TenantTablePartition Partition)>> PartitionsAsync(
        TenantConnection connection,
        IEnumerable<uint> tables,
        CancellationToken cancellationToken)
        => connection.QueryAsync(
            PartitionsSql,
            r => (r.GetFieldValue<uint>(0),
                new TenantTablePartition(
                    r.GetFieldValue<uint>(1), r.GetString(2), r.GetString(3), TenantPartitionBound.Parse(r.GetString(4)), r.GetBoolean(5))),
            cancellationToken,
            Parameter("tables", NpgsqlDbType.Oid, tables.ToArray()));

    private static TenantTableKind Kind(bool? isManaged, bool isList, bool hasRegistry)
        => (isManaged, isList) switch
        {
            (true, true) => TenantTableKind.Managed,
            (true, false) => TenantTableKind.NotPartitioned,
            (null, true) when hasRegistry => TenantTableKind.Managed,
            _ => TenantTableKind.Rows,
        };
}
