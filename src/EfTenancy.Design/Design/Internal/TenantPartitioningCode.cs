using EfTenancy.Metadata;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Design;

namespace EfTenancy.Design.Internal;

/// <summary>A partitioning as the calls that a user would write: <c>x => x.ByHash("a", "b")</c>.</summary>
public static class TenantPartitioningCode
{
    public static MethodCallCodeFragment Calls(TenantPartitioning partitioning)
        => (partitioning.Strategy, partitioning.Partitions) switch
        {
            (TenantPartitionStrategy.Hash, { } partitions) => new MethodCallCodeFragment(
                nameof(TenantPartitioningBuilder.ByHash), [.. partitions.Select(p => p.Suffix)]),
            (TenantPartitionStrategy.List, { } partitions) => partitions.Aggregate(
                new MethodCallCodeFragment(nameof(TenantPartitioningBuilder.ByList)), (calls, p) => calls.Chain(Call(p))),
            (TenantPartitionStrategy.Range, { } partitions) => partitions.Aggregate(
                new MethodCallCodeFragment(nameof(TenantPartitioningBuilder.ByRange)), (calls, p) => calls.Chain(Call(p))),
            _ when partitioning.RegistrySchema is { } registry
                => new MethodCallCodeFragment(nameof(TenantPartitioningBuilder.ByManagedListPartitions), registry),
            (TenantPartitionStrategy.List, null)
                => new MethodCallCodeFragment(nameof(TenantPartitioningBuilder.ByExternallyManagedListPartitions)),
            (TenantPartitionStrategy.Hash, null)
                => new MethodCallCodeFragment(nameof(TenantPartitioningBuilder.ByExternallyManagedHashPartitions)),
            _ => new MethodCallCodeFragment(nameof(TenantPartitioningBuilder.ByExternallyManagedRangePartitions)),
        };

    private static MethodCallCodeFragment Call(TenantPartition partition)
        => partition switch
        {
            { Values: { } values } => new MethodCallCodeFragment(
                nameof(TenantListPartitioningBuilder.AddPartition), [partition.Suffix, .. values]),
            { From: { } from, To: { } to } => new MethodCallCodeFragment(
                nameof(TenantRangePartitioningBuilder.AddRange), partition.Suffix, from, to),
            _ => new MethodCallCodeFragment(nameof(TenantListPartitioningBuilder.WithDefaultPartition), partition.Suffix),
        };
}
