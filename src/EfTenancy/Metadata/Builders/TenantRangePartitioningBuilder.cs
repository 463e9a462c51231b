namespace EfTenancy.Metadata.Builders;

/// <summary>The partitions of a table that is partitioned by ranges of tenant ids.</summary>
public sealed class TenantRangePartitioningBuilder
{
    private readonly List<TenantPartition> _partitions = [];

    /// <summary>
    ///     Adds a partition for the tenants from <paramref name="from" />, inclusive, to <paramref name="to" />, exclusive.
    ///     Ids are compared byte by byte: the tenant column of such a table has the collation <c>C</c>.
    /// </summary>
    /// <param name="suffix">The part of the partition's name that follows the table's name: letters, digits and underscores.</param>
    /// <param name="from">The first tenant id that belongs to it.</param>
    /// <param name="to">The first tenant id that no longer belongs to it.</param>
    public TenantRangePartitioningBuilder AddRange(string suffix, string from, string to)
    {
        ArgumentNullException.ThrowIfNull(suffix);
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);

        _partitions.Add(new TenantPartition(suffix) { From = from, To = to });
        return this;
    }

    /// <summary>
    ///     Adds a DEFAULT partition for the tenants that no range takes. None by default: it lets unknown tenants in, is
    ///     scanned under a lock whenever a partition is added, and forbids <c>DETACH CONCURRENTLY</c>.
    /// </summary>
    /// <param name="suffix">Its suffix; <c>default</c> if none is given.</param>
    public TenantRangePartitioningBuilder WithDefaultPartition(string suffix = "default")
    {
        ArgumentNullException.ThrowIfNull(suffix);

        _partitions.Add(new TenantPartition(suffix));
        return this;
    }

    internal TenantPartitioning Build()
        => new(TenantPartitionStrategy.Range, [.. _partitions]);
}
