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
    [
        TenancyAnnotationNames.ModelOptions,
        TenancyAnnotationNames.AllEntitiesAreMultiTenanted,
        TenancyAnnotationNames.KeysAreIdsOnly,
        TenancyAnnotationNames.IsMultiTenanted,
        TenancyAnnotationNames.HasSharedRows,
        TenancyAnnotationNames.IsGlobal,
    ];

    public override IEnumerable<IAnnotation> FilterIgnoredAnnotations(IEnumerable<IAnnotation> annotations)
        => base.FilterIgnoredAnnotations(annotations)
            .Where(a => !Spent.Contains(a.Name) && a is not { Name: TenancyAnnotationNames.Partitioning, Value: "" });

    // The builder of an owned type has no such call, since its rows follow the owner's: there the annotation is written as it is.
    protected override MethodCallCodeFragment? GenerateFluentApi(IEntityType entityType, IAnnotation annotation)
        => annotation is { Name: TenancyAnnotationNames.Partitioning, Value: string text } && !entityType.IsOwned()
            ? new MethodCallCodeFragment(
                nameof(TenancyEntityTypeBuilderExtensions.IsPartitionedByTenant),
                new NestedClosureCodeFragment("x", TenantPartitioningCode.Calls(TenantPartitioning.Deserialize(text))))
            : base.GenerateFluentApi(entityType, annotation);
}
#pragma warning restore EF1001
