using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;

namespace EfTenancy.Metadata.Internal;

/// <summary>Lifts facts of entity types to their tables, at design time only. Receives stage 2's model; stage 5 reads the result.</summary>
#pragma warning disable EF1001 // EF holds one annotation provider; the provider's annotations must go on.
public class TenancyAnnotationProvider(RelationalAnnotationProviderDependencies dependencies) : NpgsqlAnnotationProvider(dependencies)
{
    public override IEnumerable<IAnnotation> For(ITable table, bool designTime)
        => designTime ? base.For(table, designTime).Concat(PartitionFacts(table)) : base.For(table, designTime);

    public override IEnumerable<IAnnotation> For(IForeignKeyConstraint foreignKey, bool designTime)
        => designTime ? base.For(foreignKey, designTime).Concat(SetNullFacts(foreignKey)) : base.For(foreignKey, designTime);

    private static IEnumerable<IAnnotation> PartitionFacts(ITable table)
    {
        foreach (var mapping in table.EntityTypeMappings)
        {
            // The validator sees to it that all types of a table agree.
            if (mapping.TypeBase is IEntityType entityType
                && entityType.GetRootType().GetTenantPartitioning() is { } partitioning
                && entityType.FindTenantProperty() is { } tenant
                // Not table.FindColumn(...): the relational model, which that asks, is being built.
                && mapping.ColumnMappings.FirstOrDefault(m => m.Property == tenant)?.Column is { } column)
            {
                yield return new Annotation(TenancyAnnotationNames.PartitionStrategy, partitioning.Strategy);
                yield return new Annotation(TenancyAnnotationNames.PartitionColumn, column.Name);
                yield return new Annotation(TenancyAnnotationNames.Partitions, partitioning.Serialize());
                yield break;
            }
        }
    }

    // Plain ON DELETE SET NULL would null the tenant too.
    private static IEnumerable<IAnnotation> SetNullFacts(IForeignKeyConstraint foreignKey)
    {
        if (foreignKey.OnDeleteAction == ReferentialAction.SetNull
            && foreignKey.MappedForeignKeys.FirstOrDefault()?.DeclaringEntityType.FindTenantProperty() is { } tenant
            && foreignKey.Columns.Count > 1
            && foreignKey.Columns.Any(c => c.PropertyMappings.Any(m => m.Property == tenant)))
        {
            yield return new Annotation(
                TenancyAnnotationNames.SetNullColumns,
                foreignKey.Columns.Where(c => c.PropertyMappings.All(m => m.Property != tenant)).Select(c => c.Name).ToArray());
        }
    }
}
#pragma warning restore EF1001
