using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>The tables of a tenant in one place, and the sequences that number its rows.</summary>
public sealed class TransferCatalog
{
    private const string TablesSql =
        """
        SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.oid IN (SELECT to_regclass(name) FROM unnest(@names) AS k(name)) AND c.relkind IN ('r', 'p')
        """;

    private const string ForeignKeysSql =
        """
        SELECT conrelid, confrelid, conname FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 AND conrelid = ANY(@tables) AND confrelid = ANY(@tables)
        """;

    // A number of this database means nothing in another one: those of types that a user made, and those of tables, types and functions.
    private const string ColumnsSql =
        """
        SELECT a.attrelid, a.attname,
            CASE t.typnamespace WHEN 'pg_catalog'::regnamespace THEN format_type(a.atttypid, a.atttypmod)
                ELSE t.typname || CASE a.atttypmod WHEN -1 THEN '' ELSE format('(%s)', a.atttypmod) END END,
            (COALESCE(b.typnamespace, t.typnamespace) = 'pg_catalog'::regnamespace AND t.typname !~ '^_?reg') OR t.typtype = 'e'
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_type b ON b.oid = t.typbasetype AND t.typtype = 'd'
        WHERE a.attrelid = ANY(@tables) AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        ORDER BY a.attrelid, a.attnum
        """;

    private readonly Dictionary<string, TransferTable> _byKey;

    private TransferCatalog(IReadOnlyList<IReadOnlyList<TransferTable>> groups)
    {
        Groups = groups;
        _byKey = groups.SelectMany(g => g).ToDictionary(t => t.Key);
    }

    /// <summary>Parents first; those that reference each other in a circle in one group.</summary>
    public IReadOnlyList<IReadOnlyList<TransferTable>> Groups { get; }

    public IEnumerable<TransferTable> Tables
        => Groups.SelectMany(g => g);

    public TransferTable? Find(string key)
        => _byKey.GetValueOrDefault(key);

    /// <param name="site">The place.</param>
    /// <param name="connection">A connection to it.</param>
    /// <param name="withQualified">Whether tables to which the model gives a schema are the tenant's.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">A table of the model is missing.</exception>
    public static async Task<TransferCatalog> LoadAsync(
        TenantSite site,
        TransferConnection connection,
        bool withQualified,
        CancellationToken cancellationToken)
    {
        var schema = (await connection.Session.QueryAsync(
            "SELECT current_schema()", r => r.IsDBNull(0) ? "" : r.GetString(0), cancellationToken).ConfigureAwait(false))[0];
        var groups = site.HasTenantColumns
            ? (await TenantCatalog.LoadAsync(connection.Session, site.Database, cancellationToken).ConfigureAwait(false)).Groups
            : await LoadAllAsync(site, connection, cancellationToken).ConfigureAwait(false);
        groups = [.. groups.Select(g => g.Where(t => withQualified || t.Schema == schema).ToList()).Where(g => g.Count > 0)];

        var columns = (await connection.Session.QueryAsync(
            ColumnsSql,
            r => (Table: r.GetFieldValue<uint>(0), Column: new TransferColumn(r.GetString(1), r.GetString(2), r.GetBoolean(3))),
            cancellationToken,
            TenantCatalog.Parameter("tables", NpgsqlDbType.Oid, groups.SelectMany(g => g).Select(t => t.Oid).ToArray()))
            .ConfigureAwait(false)).ToLookup(c => c.Table, c => c.Column);

        var catalog = new TransferCatalog([.. groups.Select(g => g.Select(t => Describe(site, t, schema, [.. columns[t.Oid]])).ToList())]);
        var missing = ExpectedKeys(site, schema, withQualified).Where(k => catalog.Find(k) is null).Order(StringComparer.Ordinal).ToList();
        return missing.Count == 0
            ? catalog
            : throw new InvalidOperationException(TenancyStrings.TransferTablesMissing(site.TenantId, site.Destination, missing));
    }

    /// <summary>Whether the database has any of the tables.</summary>
    public static async Task<bool> HasTablesAsync(TenantSite site, TransferConnection connection, CancellationToken cancellationToken)
        => (await connection.Session.QueryAsync(
            TablesSql, r => true, cancellationToken, Names(site, qualified: site.Place?.NeedsSearchPath != true)).ConfigureAwait(false)).Count > 0;

    /// <summary>That of another place, in the order of this one.</summary>
    /// <exception cref="InvalidOperationException">A table lacks columns, or has others.</exception>
    public TransferCatalog Matching(TransferCatalog other, string tenantId)
    {
        foreach (var table in Tables)
        {
            if (other.Find(table.Key) is not { } there || !Layout(table).SetEquals(Layout(there)))
            {
                throw new InvalidOperationException(
                    TenancyStrings.TransferTablesDiffer(
                        tenantId, table.Key, Layout(table), other.Find(table.Key) is { } found ? Layout(found) : []));
            }
        }

        if (other.Tables.FirstOrDefault(t => Find(t.Key) is null) is { } more)
        {
            throw new InvalidOperationException(TenancyStrings.TransferTablesDiffer(tenantId, more.Key, [], Layout(more)));
        }

        return new TransferCatalog(
            [
                .. Groups.Select(
                    g => g.Select(t => other.Find(t.Key)! with { Columns = t.Columns }).ToList()),
            ]);
    }

    /// <summary>The same tables with the columns that they had when they were copied: a migration may have added some.</summary>
    public TransferCatalog WithColumnsOf(IReadOnlyList<CopiedTable> copied)
    {
        var columns = copied.ToDictionary(t => t.Table, t => t.Columns);
        return new(
            [
                .. Groups.Select(
                    g => g.Select(
                        t => columns.TryGetValue(t.Key, out var names)
                            ? t with { Columns = [.. names.Select(n => new TransferColumn(n, "", IsBinary: false))] }
                            : t).ToList()),
            ]);
    }

    /// <summary>Tables of files, which are nowhere yet.</summary>
    public static TransferCatalog Of(IEnumerable<TransferManifestTable> tables)
        => new(
            [
                .. tables.Select(
                    t => (IReadOnlyList<TransferTable>)
                    [
                        new TransferTable(t.Name, 0, "", "", [.. t.Columns.Select(c => new TransferColumn(c.Name, c.Type, IsBinary: false))]),
                    ]),
            ]);

    /// <summary>The same tables, grouped as in another one.</summary>
    public TransferCatalog InOrderOf(TransferCatalog other)
        => new([.. other.Groups.Select(g => g.Select(t => Find(t.Key)!).ToList())]);

    private static SortedSet<string> Layout(TransferTable table)
        => new(table.Columns.Select(c => $"{c.Name} {c.Type}"), StringComparer.Ordinal);

    private static async Task<IReadOnlyList<IReadOnlyList<TenantTable>>> LoadAllAsync(
        TenantSite site,
        TransferConnection connection,
        CancellationToken cancellationToken)
    {
        var tables = await connection.Session.QueryAsync(
            TablesSql,
            r => new TenantTable(r.GetFieldValue<uint>(0), r.GetString(1), r.GetString(2), "", TenantTableKind.Rows, Indexes: 0),
            cancellationToken,
            Names(site, qualified: true)).ConfigureAwait(false);
        var foreignKeys = await connection.Session.QueryAsync(
            ForeignKeysSql,
            r => new TenantForeignKey(r.GetFieldValue<uint>(0), r.GetFieldValue<uint>(1), r.GetString(2)),
            cancellationToken,
            TenantCatalog.Parameter("tables", NpgsqlDbType.Oid, tables.Select(t => t.Oid).ToArray())).ConfigureAwait(false);
        return TenantTableOrder.ParentsFirst(tables, foreignKeys);
    }

    private static NpgsqlParameter Names(TenantSite site, bool qualified)
        => TenantCatalog.Parameter(
            "names", NpgsqlDbType.Text,
            site.Database.TablesOfModel.Tables.Where(t => qualified || t.Schema is null)
                .Select(t => site.Database.Sql.DelimitIdentifier(t.Name, t.Schema)).ToArray());

    private static TransferTable Describe(TenantSite site, TenantTable table, string schema, IReadOnlyList<TransferColumn> columns)
        => new(
            Key(table.Schema, table.Name, schema),
            table.Oid,
            site.Database.Name(table),
            table.TenantColumn.Length == 0
                ? ""
                // PostgreSQL takes the text for whatever type the column has.
                : $" WHERE {site.Database.Sql.DelimitIdentifier(table.TenantColumn)} = {SqlLiteral.Of(site.TenantId)}",
            columns)
        {
            IsQualified = table.Schema != schema,
            OwnPartition = table.PartitionOf(site.TenantId) is { Values.Count: 1 } partition ? site.Database.Name(partition) : null,
        };

    private static IEnumerable<string> ExpectedKeys(TenantSite site, string schema, bool withQualified)
        => site.Database.TablesOfModel.Tables
            .Where(t => !site.HasTenantColumns || t.TenantColumn is not null)
            .Where(t => withQualified || t.Schema is null || t.Schema == schema)
            .Select(t => Key(t.Schema ?? schema, t.Name, schema));

    private static string Key(string tableSchema, string name, string schema)
        => tableSchema == schema ? name : $"{tableSchema}.{name}";
}
