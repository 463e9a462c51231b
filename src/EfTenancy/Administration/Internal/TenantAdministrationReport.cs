using EfTenancy.Metadata;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>Gathers what a call did, table by table, and tells the progress of it.</summary>
public sealed class TenantAdministrationReport(IProgress<TenantProgress>? progress, bool isRepair = false)
{
    private readonly Dictionary<uint, TenantTableResult> _tables = [];
    private readonly List<TenantRepair> _repairs = [];

    /// <summary>Whether a detached table in a partition's place may be the partition: a repair's question.</summary>
    public bool AttachesDetached
        => isRepair;

    public bool HasFailed
        => _tables.Values.Any(t => t.Error is not null);

    public IReadOnlyList<TenantRepair> Repairs
        => _repairs;

    public void Created(
        TenantTable table,
        IReadOnlyList<TenantPartition> partitions,
        IReadOnlySet<string> reattached,
        int done,
        int total)
    {
        Changed(table, partitions.Count);
        if (total > 0)
        {
            Progress(table, done, total);
        }

        foreach (var partition in isRepair ? partitions : [])
        {
            var name = TenantPartitionNaming.PartitionName(table.Name, partition.Suffix);
            Mended(
                reattached.Contains(name)
                    ? TenancyStrings.ReattachedPartition(name)
                    : TenancyStrings.RepairedPartition(name, Quoted(partition.Values!)),
                table, partition.Values is [var one] ? one : null);
        }
    }

    public void Changed(TenantTable table, int changes = 0, long deletedRows = 0)
    {
        var result = Of(table);
        _tables[table.Oid] = result with { Changes = result.Changes + changes, DeletedRows = result.DeletedRows + deletedRows };
    }

    public void Progress(TenantTable table, int done, int total)
        => progress?.Report(new TenantProgress(table.DisplayName, done, total));

    public void Failed(TenantTable table, Exception exception)
        => _tables[table.Oid] = Of(table) with { Error = exception };

    public void Mended(string description, TenantTable? table, string? tenantId)
        => _repairs.Add(new TenantRepair(description, table?.DisplayName, tenantId, IsMended: true));

    public void Left(string description, TenantTable? table, string? tenantId)
        => _repairs.Add(new TenantRepair(description, table?.DisplayName, tenantId, IsMended: false));

    /// <summary>The result, unless a table failed.</summary>
    /// <param name="tenants">Whom the call added, removed or emptied; nobody by default.</param>
    public TenantAdministrationResult Result(IEnumerable<string>? tenants = null)
        => HasFailed
            ? throw new TenantAdministrationException([.. _tables.Values])
            : new TenantAdministrationResult([.. _tables.Values]) { Tenants = [.. (tenants ?? []).Order(StringComparer.Ordinal)] };

    public static string Quoted(IEnumerable<string> tenants)
        => string.Join(", ", tenants.Select(t => $"'{t}'"));

    private TenantTableResult Of(TenantTable table)
        => _tables.TryGetValue(table.Oid, out var result) ? result : new TenantTableResult(table.DisplayName, 0, 0, Error: null);
}
