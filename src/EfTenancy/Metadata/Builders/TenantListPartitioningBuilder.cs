using EfTenancy.Storage.Internal;

namespace EfTenancy.Metadata.Builders;

/// <summary>The partitions of a table that is partitioned by a list of tenants.</summary>
public sealed class TenantListPartitioningBuilder
{
    private readonly List<TenantPartition> _partitions = [];

    /// <summary>Adds a partition for one tenant, or for several that share it (a bucket).</summary>
    /// <param name="suffix">The part of the partition's name that follows the table's name: letters, digits and underscores.</param>
    /// <param name="tenantIds">The tenants whose rows it holds, at least one.</param>
    public TenantListPartitioningBuilder AddPartition(string suffix, params string[] tenantIds)
    {
        ArgumentNullException.ThrowIfNull(suffix);
        ArgumentNullException.ThrowIfNull(tenantIds);

        _partitions.Add(new TenantPartition(suffix) { Values = [.. tenantIds] });
        return this;
    }

    /// <summary>
    ///     Adds a partition of its own for each tenant. Its suffix is the id where that is plain (<c>[a-z0-9_]</c>, at most
    ///     40 characters), else a readable stem and a short hash, so that two ids never share a name.
    /// </summary>
    /// <param name="tenantIds">The tenants.</param>
    public TenantListPartitioningBuilder AddTenants(params IEnumerable<string> tenantIds)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);

        foreach (var tenantId in tenantIds)
        {
            TenantIdRules.Check(tenantId, nameof(tenantIds));
            _partitions.Add(new TenantPartition(TenantPartitionNaming.SuffixOf(tenantId)) { Values = [tenantId] });
        }

        return this;
    }

    /// <summary>
    ///     Adds a DEFAULT partition for the tenants that no other partition takes. None by default: it lets unknown tenants
    ///     in, is scanned under a lock whenever a partition is added, and forbids <c>DETACH CONCURRENTLY</c>.
    /// </summary>
    /// <param name="suffix">Its suffix; <c>default</c> if none is given.</param>
    public TenantListPartitioningBuilder WithDefaultPartition(string suffix = "default")
    {
        ArgumentNullException.ThrowIfNull(suffix);

        _partitions.Add(new TenantPartition(suffix));
        return this;
    }

    internal TenantPartitioning Build()
        => new(TenantPartitionStrategy.List, [.. _partitions]);
}
