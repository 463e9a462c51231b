using System.Text;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>Whether partitions that tenants shall get can be called as they would be, and are not too many.</summary>
public static class TenantNewPartitions
{
    private const int MaxPartitions = 5_000;
    private const int ManyPartitions = 1_000;

    /// <summary>What speaks against their names. Those of one table and suffix are one partition.</summary>
    /// <param name="connection">The connection.</param>
    /// <param name="partitions">The partitions.</param>
    /// <param name="areShared">
    ///     Whether one that is there already may get tenants whose suffix was given. Otherwise it is for a split, of which there is one at a time:
    ///     what is half split is in nobody's way.
    /// </param>
    /// <param name="cancellationToken">Cancels the look.</param>
    public static async Task<List<string>> RefusedNamesAsync(
        TenantConnection connection,
        IEnumerable<TenantNewPartition> partitions,
        bool areShared,
        CancellationToken cancellationToken)
    {
        var refusals = new List<string>();
        var wanted = new Dictionary<(string Schema, string Name), TenantNewPartition>();
        foreach (var partition in partitions.DistinctBy(p => (p.Table.Oid, p.Suffix)))
        {
            var plain = $"{partition.Table.Name}_{partition.Suffix}";
            var bytes = Encoding.UTF8.GetByteCount(plain);
            if (partition.IsGiven && bytes > TenantPartitionNaming.MaxIdentifierBytes
                && TenantPartitionNaming.SuffixOf(partition.TenantId) != partition.Suffix)
            {
                refusals.Add(TenancyStrings.SuffixIsTooLong(partition.TenantId, partition.Suffix, plain, bytes));
            }
            else if (!wanted.TryAdd((partition.Table.Schema, partition.Name), partition))
            {
                refusals.Add(TenancyStrings.TenantPartitionNameIsTaken(partition.TenantId, partition.Suffix, partition.Name));
            }
        }

        var taken = await connection.QueryAsync(
            """
            SELECT n.nspname, c.relname, i.inhparent
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_inherits i ON i.inhrelid = c.oid
            WHERE (n.nspname, c.relname) IN (SELECT * FROM unnest(@schemas, @names))
                AND (@shared OR obj_description(c.oid, 'pg_class') IS DISTINCT FROM @mark)
            """,
            r => (Schema: r.GetString(0), Name: r.GetString(1), Parent: r.IsDBNull(2) ? (uint?)null : r.GetFieldValue<uint>(2)),
            cancellationToken,
            new NpgsqlParameter("shared", areShared),
            new NpgsqlParameter("mark", TenantSplitSql.Mark),
            TenantCatalog.Parameter("schemas", NpgsqlDbType.Text, wanted.Keys.Select(k => k.Schema).ToArray()),
            TenantCatalog.Parameter("names", NpgsqlDbType.Text, wanted.Keys.Select(k => k.Name).ToArray())).ConfigureAwait(false);

        foreach (var (schema, name, parent) in taken)
        {
            // A partition of that table and suffix is a bucket that gets a tenant.
            var partition = wanted[(schema, name)];
            if (!areShared || parent != partition.Table.Oid || !partition.IsGiven)
            {
                refusals.Add(TenancyStrings.TenantPartitionNameIsTaken(partition.TenantId, partition.Suffix, name));
            }
        }

        return refusals;
    }

    public static void RefuseTooMany(TenantDatabase database, IEnumerable<TenantNewPartition> partitions)
    {
        foreach (var ofTable in partitions.GroupBy(p => p.Table))
        {
            var table = ofTable.Key;
            var names = table.Partitions.Select(p => p.Name).ToHashSet();
            var count = names.Count + ofTable.Select(p => p.Name).Distinct().Count(n => !names.Contains(n));
            if (count > MaxPartitions && count > names.Count)
            {
                throw new InvalidOperationException(TenancyStrings.TooManyTenantPartitions(table.DisplayName, count, MaxPartitions));
            }

            if (count > ManyPartitions && count > names.Count)
            {
                database.WarnOfManyPartitions(table, count);
            }
        }
    }
}

/// <summary>A partition that a tenant shall get, perhaps with others of the same suffix.</summary>
/// <param name="Table">Its table.</param>
/// <param name="TenantId">The tenant.</param>
/// <param name="Suffix">The suffix.</param>
/// <param name="IsGiven">Whether the caller or the registry gave the suffix, and so may mean to share it.</param>
public sealed record TenantNewPartition(TenantTable Table, string TenantId, string Suffix, bool IsGiven)
{
    public string Name { get; } = TenantPartitionNaming.PartitionName(Table.Name, Suffix);
}
