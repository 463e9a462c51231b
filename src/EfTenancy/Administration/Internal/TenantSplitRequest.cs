using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>Tenants that shall leave the partitions that they share, every rule about that, and what is to be done for it.</summary>
public sealed class TenantSplitRequest
{
    private readonly List<string> _refusals = [];
    private readonly Dictionary<string, string?> _suffixes = [];

    private TenantSplitRequest()
    {
    }

    public bool IsEmpty
        => _suffixes.Count == 0;

    public static TenantSplitRequest Of(TenantDatabase database, IEnumerable<string> tenantIds)
        => Of(database, tenantIds.Select(id => (id, (string?)null)));

    public static TenantSplitRequest Of(TenantDatabase database, IEnumerable<KeyValuePair<string, string>> suffixes)
        => Of(database, suffixes.Select(s => (s.Key, (string?)(s.Value ?? ""))));

    private static TenantSplitRequest Of(TenantDatabase database, IEnumerable<(string Id, string? Suffix)> tenants)
    {
        var request = new TenantSplitRequest();
        foreach (var (id, suffix) in tenants)
        {
            request.Take(database, id, suffix);
        }

        return request;
    }

    private void Take(TenantDatabase database, string tenantId, string? suffix)
    {
        try
        {
            tenantId = database.Normalize(tenantId, nameof(tenantId));
        }
        catch (ArgumentException exception)
        {
            _refusals.Add(exception.Message);
            return;
        }

        if (suffix is not null && !TenantPartitionNaming.IsGivenSuffix(suffix, tenantId))
        {
            _refusals.Add(TenancyStrings.SuffixIsNotPlain(tenantId, suffix));
        }
        else if (!_suffixes.TryAdd(tenantId, suffix) && _suffixes[tenantId] != suffix)
        {
            _refusals.Add(TenancyStrings.TenantHasOtherSuffix(tenantId, _suffixes[tenantId]!, suffix!));
        }
    }

    /// <summary>What the ids and suffixes alone tell.</summary>
    public void Check()
        => Refuse(_refusals);

    /// <summary>What is to be done in this database. All that speaks against it comes in one exception.</summary>
    public async Task<TenantSplitPlan> PlanAsync(
        TenantDatabase database,
        TenantConnection connection,
        TenantCatalog catalog,
        Dictionary<string, TenantRegistration> registered,
        CancellationToken cancellationToken)
    {
        Check();
        if (_suffixes.Keys.Where(id => !registered.ContainsKey(id)).Order(StringComparer.Ordinal).ToList() is { Count: > 0 } unknown)
        {
            throw new UnknownTenantException(TenancyStrings.TenantNotRegistered(unknown), unknown[0]);
        }

        var refusals = _suffixes.Keys.Where(id => registered[id].IsBeingRemoved).Select(TenancyStrings.TenantIsBeingRemoved).ToList();
        var suffixes = _suffixes.ToDictionary(s => s.Key, s => s.Value ?? OwnSuffix(s.Key, registered));
        var splits = new List<TenantSplit>();
        foreach (var table in catalog.Managed)
        {
            splits.AddRange(await SplitsOfAsync(database, connection, table, suffixes, cancellationToken).ConfigureAwait(false));
        }

        foreach (var (id, suffix) in suffixes.Where(s => s.Value != registered[s.Key].Suffix))
        {
            var owner = registered.Values.FirstOrDefault(r => r.Suffix == suffix);
            if (owner is not null)
            {
                refusals.Add(TenancyStrings.SplitSuffixIsTaken(id, suffix, owner.TenantId));
            }
            else if (!splits.Exists(s => s.Leaving.Exists(l => l.TenantIds.Contains(id))) && catalog.Managed.Any(t => t.PartitionOf(id) is not null))
            {
                refusals.Add(TenancyStrings.TenantSharesNothing(id, registered[id].Suffix, suffix));
            }
        }

        // Those of one suffix that come from different partitions would have to be two partitions of one name.
        foreach (var l in splits.SelectMany(s => s.Leaving.Select(l => (s.Table, l.Suffix, Id: l.TenantIds[0]))).GroupBy(l => (l.Table.Oid, l.Suffix)).Where(g => g.Count() > 1))
        {
            refusals.Add(TenancyStrings.SuffixOfSeveralPartitions(l.Key.Suffix, l.First().Id, l.Last().Id, l.First().Table.DisplayName));
        }

        var partitions = splits.SelectMany(s => s.Leaving.Select(l => new TenantNewPartition(s.Table, l.TenantIds[0], l.Suffix, IsGiven: true))).ToList();
        refusals.AddRange(
            await TenantNewPartitions.RefusedNamesAsync(connection, partitions, areShared: false, cancellationToken).ConfigureAwait(false));
        Refuse(refusals);

        TenantNewPartitions.RefuseTooMany(database, partitions);
        var budget = await TenantLockBudget.LoadAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        budget.RefuseTooMany(splits.GroupBy(s => s.Table).Select(g => (g.Key, Partitions: g.Sum(s => 2 + s.Leaving.Count))).ToList());
        return new TenantSplitPlan(catalog, splits, [.. suffixes.Select(s => (s.Key, s.Value))]);
    }

    // One that it has for itself stays, whatever it is.
    private static string OwnSuffix(string tenantId, Dictionary<string, TenantRegistration> registered)
        => registered.Values.Any(r => r.Suffix == registered[tenantId].Suffix && r.TenantId != tenantId)
            ? TenantPartitionNaming.SuffixOf(tenantId)
            : registered[tenantId].Suffix;

    private static async Task<List<TenantSplit>> SplitsOfAsync(
        TenantDatabase database,
        TenantConnection connection,
        TenantTable table,
        Dictionary<string, string> suffixes,
        CancellationToken cancellationToken)
    {
        var byDefault = table.Partitions.Find(p => p.Values is null);
        var shared = new Dictionary<uint, (TenantTablePartition Partition, Dictionary<string, List<string>> Leaving)>();
        foreach (var (id, suffix) in suffixes.OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            var partition = table.PartitionOf(id)
                ?? (byDefault is not null && await HasRowsAsync(database, connection, table, byDefault, id, cancellationToken).ConfigureAwait(false)
                    ? byDefault
                    : null);
            if (partition is null)
            {
                continue;
            }

            shared.TryAdd(partition.Oid, (partition, []));
            var leaving = shared[partition.Oid].Leaving;
            leaving.TryAdd(suffix, []);
            leaving[suffix].Add(id);
        }

        return
        [
            .. shared.Values
                .Where(s => s.Partition.Values is null || s.Leaving.Count > 1 || s.Partition.Values.Except(s.Leaving.Values.Single()).Any())
                .Select(
                    s => new TenantSplit(
                        table, s.Partition,
                        [.. s.Leaving.OrderBy(l => l.Key, StringComparer.Ordinal).Select(l => (l.Key, (IReadOnlyList<string>)l.Value))])),
        ];
    }

    private static async Task<bool> HasRowsAsync(
        TenantDatabase database,
        TenantConnection connection,
        TenantTable table,
        TenantTablePartition partition,
        string tenantId,
        CancellationToken cancellationToken)
        => (await connection.QueryAsync(
            $"SELECT 1 FROM ONLY {database.Name(partition)} WHERE {database.Sql.DelimitIdentifier(table.TenantColumn)} = @id LIMIT 1",
            r => r.GetInt32(0),
            cancellationToken,
            new NpgsqlParameter("id", NpgsqlDbType.Unknown) { Value = tenantId }).ConfigureAwait(false)).Count > 0;

    private static void Refuse(List<string> refusals)
    {
        if (refusals.Count > 0)
        {
            throw new ArgumentException(TenancyStrings.TenantsCannotBeSplit(refusals));
        }
    }
}

/// <summary>What a split has to do.</summary>
/// <param name="Catalog">The catalog that this was read from.</param>
/// <param name="Splits">The shared partitions.</param>
/// <param name="Tenants">The tenants, with the suffixes that they will have.</param>
public sealed record TenantSplitPlan(
    TenantCatalog Catalog,
    IReadOnlyList<TenantSplit> Splits,
    IReadOnlyList<(string Id, string Suffix)> Tenants);

/// <summary>A shared partition and the tenants that leave it, by suffix.</summary>
public sealed record TenantSplit(TenantTable Table, TenantTablePartition Partition, List<(string Suffix, IReadOnlyList<string> TenantIds)> Leaving)
{
    /// <summary>Whether tables that were made for the other one are what this one needs.</summary>
    public bool IsSame(TenantSplit other)
        => Table.Oid == other.Table.Oid
            && Partition.Oid == other.Partition.Oid
            && (Partition.Values is null ? other.Partition.Values is null : other.Partition.Values is not null && Partition.Values.SequenceEqual(other.Partition.Values))
            && Leaving.Count == other.Leaving.Count
            && Leaving.Zip(other.Leaving).All(l => l.First.Suffix == l.Second.Suffix && l.First.TenantIds.SequenceEqual(l.Second.TenantIds));
}
