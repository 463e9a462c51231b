using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
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
                entityType.SetTenantPartitioning(Normalize(partitioning, entityType, TenantIdConverter.For(tenant)));
            }

            if (partitioning is { Strategy: TenantPartitionStrategy.Range }
                && !entityType.IsMappedToJson()
                && TenantIdConverter.For(tenant).StoredType == typeof(string))
            {
                // So that the bounds mean the same in every database, whatever its collation.
                tenant.SetCollation("C");
            }
        }
    }

    private TenantPartitioning Normalize(TenantPartitioning partitioning, IMutableEntityType entityType, TenantIdConverter ids)
        => partitioning.Partitions is { } partitions
            ? partitioning with { Partitions = [.. partitions.Select(p => Normalize(p, entityType, ids))] }
            : partitioning;

    private TenantPartition Normalize(TenantPartition partition, IMutableEntityType entityType, TenantIdConverter ids)
    {
        // Ids that the style makes one are one; an id that is given twice is a mistake, which the validator reports.
        var values = partition.Values?.Distinct().Count() == partition.Values?.Count
            ? partition.Values?.Select(Text).Distinct().ToList()
            : partition.Values?.Select(Text).ToList();

        return partition with
        {
            // A suffix made from the id follows the id.
            Suffix = partition.Values is [var given] && partition.Suffix == TenantPartitionNaming.SuffixOf(given)
                ? TenantPartitionNaming.SuffixOf(values![0])
                : partition.Suffix,
            Values = values,
            From = partition.From is { } from ? Text(from) : null,
            To = partition.To is { } to ? Text(to) : null,
        };

        string Text(string tenantId)
        {
            try
            {
                return ids.TextOf(ids.Normalize(TenantIdRules.Check(tenantId, nameof(tenantId)), style, nameof(tenantId)));
            }
            catch (ArgumentException exception)
            {
                throw new InvalidOperationException(
                    TenancyStrings.PartitionTenantIdRefused(entityType.DisplayName(), partition.Suffix, exception.Message), exception);
            }
        }
    }

    // Rows of an owned type stay with their owner's.
    private TenantPartitioning? PartitioningOf(IMutableEntityType entityType)
        => entityType.HasOwnPartitioning() ? entityType.GetTenantPartitioning()
            : entityType.FindOwnership() is { } ownership ? PartitioningOf(ownership.PrincipalEntityType.GetRootType())
            : policy;
}
