using EfTenancy.Metadata;
using EfTenancy.Metadata.Builders;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Design.Internal;

namespace EfTenancy.Design.Internal;

/// <summary>Writes the partitioning into the model snapshot as the fluent call that a user would write.</summary>
#pragma warning disable EF1001 // EF holds one annotation code generator; the provider's calls must go on.
public class TenancyAnnotationCodeGenerator(AnnotationCodeGeneratorDependencies dependencies)
    : NpgsqlAnnotationCodeGenerator(dependencies)
{
    // What has left its mark on the model already and says nothing about the database.
    private static readonly HashSet<string> Spent = 
        [TenancyAnnotationNames.ModelOptions, TenancyAnnotationNames.IsMultiTenanted, TenancyAnnotationNames.IsGlobal];

    public override IEnumerable<IAnnotation> FilterIgnoredAnnotations(IEnumerable<IAnnotation> annotations)
        => base.FilterIgnoredAnnotations(annotations)
            .Where(a => !Spent.Contains(a.Name) && a is not { Name: TenancyAnnotationNames.Partitioning, Value: "" });

    protected override MethodCallCodeFragment? GenerateFluentApi(IEntityType entityType, IAnnotation annotation)
        => annotation is { Name: TenancyAnnotationNames.Partitioning, Value: string text }
            ? new MethodCallCodeFragment(
                nameof(TenancyEntityTypeBuilderExtensions.IsPartitionedByTenant),
                new NestedClosureCodeFragment("x", Calls(TenantPartitioning.Deserialize(text))))
            : base.GenerateFluentApi(entityType, annotation);

    private static MethodCallCodeFragment Calls(TenantPartitioning partitioning)
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
#pragma warning restore EF1001
