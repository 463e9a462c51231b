using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfTenancy.Metadata.Conventions;

/// <summary>EF's convention, but it does not look for foreign keys anew because a table, a key or a foreign key got its tenant.</summary>
public class TenantForeignKeyPropertyDiscoveryConvention(ProviderConventionSetBuilderDependencies dependencies)
    : ForeignKeyPropertyDiscoveryConvention(dependencies)
{
    public override void ProcessPropertyAdded(
        IConventionPropertyBuilder propertyBuilder,
        IConventionContext<IConventionPropertyBuilder> context)
    {
        if ((propertyBuilder.Metadata.DeclaringType as IReadOnlyEntityType)?.FindTenantProperty() != propertyBuilder.Metadata)
        {
            base.ProcessPropertyAdded(propertyBuilder, context);
        }
    }

    public override void ProcessEntityTypePrimaryKeyChanged(
        IConventionEntityTypeBuilder entityTypeBuilder,
        IConventionKey? newPrimaryKey,
        IConventionKey? previousPrimaryKey,
        IConventionContext<IConventionKey> context)
    {
        if (!TenantGain.Of(newPrimaryKey, previousPrimaryKey))
        {
            base.ProcessEntityTypePrimaryKeyChanged(entityTypeBuilder, newPrimaryKey, previousPrimaryKey, context);
        }
    }

    public override void ProcessKeyRemoved(
        IConventionEntityTypeBuilder entityTypeBuilder,
        IConventionKey key,
        IConventionContext<IConventionKey> context)
    {
        if (!entityTypeBuilder.Metadata.GetDeclaredKeys().Any(k => TenantGain.Of(k, key)))
        {
            base.ProcessKeyRemoved(entityTypeBuilder, key, context);
        }
    }

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
