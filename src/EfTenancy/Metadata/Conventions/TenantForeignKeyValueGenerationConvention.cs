using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     EF's convention, but a foreign key that got its tenant is left alone: its other properties were those of a foreign key before,
///     and the tenant's value is never generated.
/// </summary>
public class TenantForeignKeyValueGenerationConvention(
    ProviderConventionSetBuilderDependencies dependencies,
    RelationalConventionSetBuilderDependencies relationalDependencies)
    : RelationalValueGenerationConvention(dependencies, relationalDependencies)
{
    public override void ProcessForeignKeyPropertiesChanged(
        IConventionForeignKeyBuilder relationshipBuilder,
        IReadOnlyList<IConventionProperty> oldDependentProperties,
        IConventionKey oldPrincipalKey,
        IConventionContext<IReadOnlyList<IConventionProperty>> context)
    {
        if (!TenantGain.Of(relationshipBuilder.Metadata, oldDependentProperties))
        {
            base.ProcessForeignKeyPropertiesChanged(relationshipBuilder, oldDependentProperties, oldPrincipalKey, context);
        }
    }
}
