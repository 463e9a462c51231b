using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     Takes back the names that naming conventions gave to keys, foreign keys and indexes with the tenant where one of them stands for
///     those of several tables: EF keeps one name for it, and PostgreSQL takes a name once. They do the same when a hierarchy is spread
///     over tables, but that was before the tenant came.
/// </summary>
public class TenantNameConvention : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in modelBuilder.Metadata.GetEntityTypes())
        {
            if (((IReadOnlyEntityType)entityType).FindTenantProperty() is null || !IsSpread(entityType))
            {
                continue;
            }

            foreach (var key in entityType.GetDeclaredKeys())
            {
                key.Builder.HasNoAnnotation(RelationalAnnotationNames.Name);
            }

            // In TPC each table has all of them; in TPT what is of the key alone is in each, such as an index on the tenant.
            var isCopied = entityType.GetMappingStrategy() == RelationalAnnotationNames.TpcMappingStrategy
                && entityType.GetDirectlyDerivedTypes().Any();
            foreach (var foreignKey in entityType.GetDeclaredForeignKeys().Where(_ => isCopied))
            {
                foreignKey.Builder.HasNoAnnotation(RelationalAnnotationNames.Name);
            }

            foreach (var index in entityType.GetDeclaredIndexes().Where(i => isCopied || i.Properties.All(p => p.IsPrimaryKey())))
            {
                index.Builder.HasNoAnnotation(RelationalAnnotationNames.Name);
            }
        }
    }

    // What is owned in a row has the row's key.
    private static bool IsSpread(IConventionEntityType entityType)
    {
        var root = entityType.GetRootType();
        return root.GetDerivedTypes().Any(d => d.GetTableName() != root.GetTableName())
            || (root.FindOwnership() is { IsUnique: true } ownership && IsSpread(ownership.PrincipalEntityType));
    }
}
