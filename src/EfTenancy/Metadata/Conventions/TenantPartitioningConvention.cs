using EfTenancy.Metadata.Internal;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Applies the partitioning policy to the multi-tenanted entity types that say nothing themselves.</summary>
public class TenantPartitioningConvention(TenantPartitioning? policy, TenantIdStyle style) : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in ((IMutableModel)modelBuilder.Metadata).GetEntityTypes())
        {
            if (entityType.BaseType is not null || entityType.FindTenantProperty() is not { } tenant)
            {
                continue;
            }

            var partitioning = PartitioningOf(entityType);
            if (partitioning is not null)
            {
                entityType.SetTenantPartitioning(Normalize(partitioning));
            }

            if (partitioning is { Strategy: TenantPartitionStrategy.Range } && !entityType.IsMappedToJson())
            {
                // So that the bounds mean the same in every database, whatever its collation.
                tenant.SetCollation("C");
            }
        }
    }

    private TenantPartitioning Normalize(TenantPartitioning partitioning)
        => style == TenantIdStyle.CaseSensitive || partitioning.Partitions is not { } partitions
            ? partitioning
            : partitioning with { Partitions = [.. partitions.Select(Normalize)] };

    private TenantPartition Normalize(TenantPartition partition)
    {
        var values = partition.Values?.Select(v => TenantIdRules.Normalize(v, style)).Distinct().ToList();

        return partition with
        {
            // A suffix made from the id follows the id.
            Suffix = partition.Values is [var given] && partition.Suffix == TenantPartitionNaming.SuffixOf(given)
                ? TenantPartitionNaming.SuffixOf(values![0])
                : partition.Suffix,
            Values = values,
            From = partition.From is { } from ? TenantIdRules.Normalize(from, style) : null,
            To = partition.To is { } to ? TenantIdRules.Normalize(to, style) : null,
        };
    }

    // Rows of an owned type stay with their owner's.
    private TenantPartitioning? PartitioningOf(IMutableEntityType entityType)
        => entityType.HasOwnPartitioning() ? entityType.GetTenantPartitioning()
            : entityType.FindOwnership() is { } ownership ? PartitioningOf(ownership.PrincipalEntityType.GetRootType())
            : policy;
}
