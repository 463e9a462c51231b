namespace EfTenancy.Metadata.Builders;

/// <summary>
///     Chooses how tables of multi-tenanted entities are partitioned by tenant. The methods are Marten's of the same
///     names; unlike Marten's, no strategy adds a DEFAULT partition unless asked.
/// </summary>
/// <remarks>Nothing is checked here: a mistake is reported when the model is built, with the entity's name.</remarks>
public sealed class TenantPartitioningBuilder
{
    private Func<TenantPartitioning>? _build;

    /// <summary>A partition for each tenant, or for a group of tenants, named in the model.</summary>
    public TenantListPartitioningBuilder ByList()
    {
        var builder = new TenantListPartitioningBuilder();
        _build = builder.Build;
        return builder;
    }

    /// <summary>A fixed number of partitions; PostgreSQL's hash of the tenant id picks one.</summary>
    /// <param name="suffixes">One suffix for each partition, at least one. Their number cannot change without moving rows.</param>
    public void ByHash(params string[] suffixes)
    {
        ArgumentNullException.ThrowIfNull(suffixes);
        _build = () => new TenantPartitioning(
            TenantPartitionStrategy.Hash,
            [.. suffixes.Select((suffix, i) => new TenantPartition(suffix) { Modulus = suffixes.Length, Remainder = i })]);
    }

    /// <summary>Partitions of tenants whose ids lie between two bounds.</summary>
    public TenantRangePartitioningBuilder ByRange()
    {
        var builder = new TenantRangePartitioningBuilder();
        _build = builder.Build;
        return builder;
    }

    /// <summary>Writes <c>PARTITION BY LIST</c> only; somebody else makes the partitions.</summary>
    public void ByExternallyManagedListPartitions()
        => ByExternallyManagedPartitions(TenantPartitionStrategy.List);

    /// <summary>Writes <c>PARTITION BY HASH</c> only; somebody else makes the partitions.</summary>
    public void ByExternallyManagedHashPartitions()
        => ByExternallyManagedPartitions(TenantPartitionStrategy.Hash);

    /// <summary>Writes <c>PARTITION BY RANGE</c> only; somebody else makes the partitions.</summary>
    public void ByExternallyManagedRangePartitions()
        => ByExternallyManagedPartitions(TenantPartitionStrategy.Range);

    /// <summary>
    ///     A partition for each tenant of a registry in the database, the table <c>tenant_partitions</c>: tenants come and go at run
    ///     time through <see cref="EfTenancy.Administration.ITenantAdministration" />, and migrations never touch their partitions.
    /// </summary>
    /// <param name="schema">The schema of the registry, the same for all entities of the model.</param>
    /// <exception cref="ArgumentException">The schema is blank.</exception>
    public void ByManagedListPartitions(string schema)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(schema);
        _build = () => new TenantPartitioning(TenantPartitionStrategy.List, Partitions: null) { RegistrySchema = schema };
    }

    private void ByExternallyManagedPartitions(TenantPartitionStrategy strategy)
        => _build = () => new TenantPartitioning(strategy, Partitions: null);

    internal static TenantPartitioning? Build(Action<TenantPartitioningBuilder> configure)
    {
        ArgumentNullException.ThrowIfNull(configure);

        var builder = new TenantPartitioningBuilder();
        configure(builder);
        return builder._build?.Invoke();
    }
}
