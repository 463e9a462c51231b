using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     The provider's convention, but it does not work out a value generation that it may not set: that of tenants and of keys that
///     got one is settled, and working it out anew for each of them was a third of what tenancy added to the building of a model.
/// </summary>
public class SettledValueGenerationConvention(
    ProviderConventionSetBuilderDependencies dependencies,
    RelationalConventionSetBuilderDependencies relationalDependencies)
    : NpgsqlValueGenerationConvention(dependencies, relationalDependencies)
{
    protected override ValueGenerated? GetValueGenerated(IConventionProperty property)
        => property.GetValueGeneratedConfigurationSource() is ConfigurationSource.Explicit
            ? property.ValueGenerated
            : base.GetValueGenerated(property);
}
