using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Applies the partitioning policy to the multi-tenanted entity types that say nothing themselves.</summary>
public class TenantPartitioningConvention(TenantPartitioning? policy) : IModelFinalizingConvention
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

            if (!entityType.HasOwnPartitioning())
            {
                // Rows of an owned type stay with their owner's.
                var partitioning = entityType.FindOwnership() is { } ownership
                    ? PartitioningOf(ownership.PrincipalEntityType.GetRootType())
                    : policy;
                if (partitioning is not null)
                {
                    entityType.SetTenantPartitioning(partitioning);
                }
            }

            if (entityType.GetTenantPartitioning() is { Strategy: TenantPartitionStrategy.Range } && !entityType.IsMappedToJson())
            {
                // So that the bounds mean the same in every database, whatever its collation.
                tenant.SetCollation("C");
            }
        }
    }

    private TenantPartitioning? PartitioningOf(IMutableEntityType entityType)
        => entityType.HasOwnPartitioning() ? entityType.GetTenantPartitioning()
            : entityType.FindOwnership() is { } ownership ? PartitioningOf(ownership.PrincipalEntityType.GetRootType())
            : policy;
}
