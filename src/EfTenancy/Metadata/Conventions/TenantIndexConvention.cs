using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Puts the tenant in front of unique indexes: a value is taken within a tenant, not among all of them.</summary>
public class TenantIndexConvention(TenantKeyStyle keyStyle) : IModelFinalizingConvention
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

                if (keyStyle != TenantKeyStyle.TenantThenId && entityType.BaseType is null)
                {
                    AddTenantIndex(entityType, tenant);
                }
            }
        }
    }

    // Where the key leads with the tenant, it serves the filter itself.
    private static void AddTenantIndex(IMutableEntityType entityType, IMutableProperty tenant)
    {
        if (entityType.GetTableName() is { } table
            && !entityType.IsMappedToJson()
            && entityType.FindOwnership()?.PrincipalEntityType.GetTableName() != table
            && !entityType.GetIndexes().Any(i => i.Properties[0] == tenant)
            && !entityType.GetKeys().Any(k => k.Properties[0] == tenant))
        {
            entityType.AddIndex(tenant);
        }
    }

    private static void LeadWithTenant(IMutableEntityType entityType, IMutableProperty tenant, IMutableIndex index)
    {
        entityType.RemoveIndex(index);

        var properties = index.Properties.Prepend(tenant).ToList();
        var newIndex = index.Name is { } name
            ? entityType.AddIndex(properties, name)
            // EF has made one already where the columns are those of a foreign key.
            : entityType.FindIndex(properties) ?? entityType.AddIndex(properties);
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
            newIndex.SetAnnotation(annotation.Name, BehindTenant(annotation));
        }
    }

    // The provider keeps some settings as lists in the order of the columns; the tenant's entry sets nothing.
#pragma warning disable EF1001 // The typed setters of these settings differ only in their name.
    private static object? BehindTenant(IAnnotation annotation)
        => (annotation.Name, annotation.Value) switch
        {
            (NpgsqlAnnotationNames.IndexOperators or RelationalAnnotationNames.Collation, IEnumerable<string> values)
                => values.Prepend("").ToArray(),
            (NpgsqlAnnotationNames.IndexNullSortOrder, IEnumerable<NullSortOrder> values)
                => values.Prepend(NullSortOrder.Unspecified).ToArray(),
            var (_, value) => value,
        };
#pragma warning restore EF1001
}
