using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     Stage 2, model. Receives the user's model and the policies of stage 1; the conventions, in this order, hand on a model
///     whose multi-tenanted entities carry their tenant in keys, indexes and filter.
/// </summary>
public class TenancyConventionSetPlugin(
    IDbContextOptions options,
    ProviderConventionSetBuilderDependencies dependencies,
    RelationalConventionSetBuilderDependencies relationalDependencies) : IConventionSetPlugin
{
    public virtual ConventionSet ModifyConventions(ConventionSet conventionSet)
    {
        if (options.FindExtension<TenancyOptionsExtension>() is not { } tenancy)
        {
            return conventionSet;
        }

        conventionSet.EntityTypeAddedConventions.Add(new TenancyAttributeConvention());
        SaveWork(conventionSet);

        // Behind EF's clean-up, so that types which leave the model are gone, and behind its second look at [Index], which
        // would add an index again that has the tenant in front by then; before the finalizing conventions that follow, so
        // that indexes, shared columns and value generation are worked out over the tenant's columns too.
        var last = conventionSet.ModelFinalizingConventions.FindLastIndex(c => c is ModelCleanupConvention or IndexAttributeConvention);
        conventionSet.ModelFinalizingConventions.InsertRange(
            last + 1,
            [
                new TenancyModelOptionsConvention(tenancy.ModelOptionsText),
                new TenantPropertyConvention(
                    tenancy.AllEntitiesMultiTenanted,
                    tenancy.TenantPropertyName,
                    tenancy.TenantColumnLength,
                    tenancy.TenantPropertyType,
                    tenancy.TenantKeyStyle),
                new TenantOfOwnKeyConvention(),
                new TenantKeyConvention(tenancy.TenantKeyStyle),
                new TenantColumnConvention(),
                new TenantIndexConvention(tenancy.TenantKeyStyle),
                new TenantNameConvention(),
                new TenantSeedDataConvention(tenancy.TenantIdStyle),
                new TenantPartitioningConvention(tenancy.Partitioning, tenancy.TenantIdStyle),
                new TenantQueryFilterConvention(),
            ]);
        conventionSet.ModelFinalizedConventions.Add(new TenantSkipNavigationConvention());
        if (tenancy.Databases is null)
        {
            // In front: the model that EF hands on lacks what was only for its building.
            conventionSet.ModelFinalizedConventions.Insert(
                0, new TenancyWithoutTenantsConvention(dependencies.ContextType, dependencies.ValidationLogger));
        }

        return conventionSet;
    }

    // Each only in the place of the very convention that it derives from: another plugin's may do something else.
    private void SaveWork(ConventionSet conventionSet)
    {
        var settled = new SettledValueGenerationConvention(dependencies, relationalDependencies);
        Replace<NpgsqlValueGenerationConvention, IEntityTypePrimaryKeyChangedConvention>(
            conventionSet.EntityTypePrimaryKeyChangedConventions, settled);
        Replace<NpgsqlValueGenerationConvention, IPropertyAnnotationChangedConvention>(
            conventionSet.PropertyAnnotationChangedConventions, settled);
        Replace<RelationalValueGenerationConvention, IForeignKeyPropertiesChangedConvention>(
            conventionSet.ForeignKeyPropertiesChangedConventions,
            new TenantForeignKeyValueGenerationConvention(dependencies, relationalDependencies));

        var discovery = new TenantForeignKeyPropertyDiscoveryConvention(dependencies);
        Replace<ForeignKeyPropertyDiscoveryConvention, IPropertyAddedConvention>(conventionSet.PropertyAddedConventions, discovery);
        Replace<ForeignKeyPropertyDiscoveryConvention, IEntityTypePrimaryKeyChangedConvention>(
            conventionSet.EntityTypePrimaryKeyChangedConventions, discovery);
        Replace<ForeignKeyPropertyDiscoveryConvention, IKeyRemovedConvention>(conventionSet.KeyRemovedConventions, discovery);
        Replace<ForeignKeyPropertyDiscoveryConvention, IForeignKeyPropertiesChangedConvention>(
            conventionSet.ForeignKeyPropertiesChangedConventions, discovery);
    }

    private static void Replace<TReplaced, TConvention>(List<TConvention> conventions, TConvention convention)
        where TConvention : IConvention
    {
        if (conventions.FindIndex(c => c.GetType() == typeof(TReplaced)) is var index and >= 0)
        {
            conventions[index] = convention;
        }
    }
}
