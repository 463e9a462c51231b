using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     Gives foreign keys to a key of the application's own that holds the tenant the dependent's tenant. Before
///     <see cref="TenantKeyConvention" />, so that EF meanwhile makes the keys of owned types follow their foreign keys.
/// </summary>
public class TenantOfOwnKeyConvention : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var foreignKey in TenantForeignKeys.Of((IMutableModel)modelBuilder.Metadata).ToList())
        {
            KeepTenantOfOwnKey(foreignKey);
        }
    }

    // To a key of the application's own that holds the tenant, EF makes foreign keys with a second tenant column, which would say
    // whatever tenant it likes.
    private static void KeepTenantOfOwnKey(IMutableForeignKey foreignKey)
    {
        if (foreignKey.PrincipalEntityType.FindTenantProperty() is not { } principalTenant
            || foreignKey.PrincipalKey.Properties.ToList().IndexOf(principalTenant) is var position && position < 0)
        {
            return;
        }

        var tenant = TenantForeignKeys.TenantOfDependent(foreignKey);
        var given = foreignKey.Properties[position];
        if (given == tenant || !given.IsShadowProperty())
        {
            return;
        }

        var isRequired = foreignKey.IsRequired;
        var properties = foreignKey.Properties.ToList();
        properties[position] = tenant;
        foreignKey.SetProperties(properties, foreignKey.PrincipalKey);
        foreignKey.IsRequired = isRequired;

        if (!given.IsForeignKey() && !given.IsKey() && !given.IsIndex())
        {
            given.DeclaringType.RemoveProperty(given);
        }
    }
}
