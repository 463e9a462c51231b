using System.Reflection;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     Reads <see cref="MultiTenantedAttribute" />, <see cref="SingleTenantedAttribute" /> and
///     <see cref="DoNotPartitionAttribute" />. The class nearest to the entity decides.
/// </summary>
public class TenancyAttributeConvention : IEntityTypeAddedConvention
{
    public virtual void ProcessEntityTypeAdded(
        IConventionEntityTypeBuilder entityTypeBuilder,
        IConventionContext<IConventionEntityTypeBuilder> context)
    {
        var entityType = entityTypeBuilder.Metadata;

        for (var type = entityType.ClrType; type != null; type = type.BaseType)
        {
            var multiTenanted = type.IsDefined(typeof(MultiTenantedAttribute), inherit: false);
            if (multiTenanted || type.IsDefined(typeof(SingleTenantedAttribute), inherit: false))
            {
                entityType.SetIsMultiTenanted(multiTenanted, fromDataAnnotation: true);
                break;
            }
        }

        if (entityType.ClrType.IsDefined(typeof(DoNotPartitionAttribute), inherit: true))
        {
            entityType.SetDoNotPartition(fromDataAnnotation: true);
        }
    }
}
