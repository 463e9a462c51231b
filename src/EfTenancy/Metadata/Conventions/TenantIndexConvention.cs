using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Puts the tenant in front of unique indexes: a value is taken within a tenant, not among all of them.</summary>
public class TenantIndexConvention : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in ((IMutableModel)modelBuilder.Metadata).GetEntityTypes())
        {
            if (entityType.FindTenantProperty() is { } tenant)
            {
                foreach (var index in entityType.GetDeclaredIndexes()
                             .Where(i => i.IsUnique && !i.IsGlobal() && !i.Properties.Contains(tenant))
                             .ToList())
                {
                    LeadWithTenant(entityType, tenant, index);
                }
            }
        }
    }

    private static void LeadWithTenant(IMutableEntityType entityType, IMutableProperty tenant, IMutableIndex index)
    {
        entityType.RemoveIndex(index);

        var properties = index.Properties.Prepend(tenant).ToList();
        var newIndex = index.Name is { } name ? entityType.AddIndex(properties, name) : entityType.AddIndex(properties);
        newIndex.IsUnique = true;

        // An empty list means that all columns descend.
        newIndex.IsDescending = index.IsDescending switch
        {
            null => null,
            { Count: 0 } => [false, .. index.Properties.Select(_ => true)],
            var directions => [false, .. directions],
        };

        foreach (var annotation in index.GetAnnotations())
        {
            newIndex.SetAnnotation(annotation.Name, annotation.Value);
        }
    }
}
