using EfTenancy.Metadata.Internal;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Internal;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Gives <c>HasData</c> rows that name no tenant to the default one, as the column's default does with rows that are there.</summary>
public class TenantSeedDataConvention(TenantIdStyle style) : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in ((IMutableModel)modelBuilder.Metadata).GetEntityTypes())
        {
            if (entityType.FindTenantProperty() is { } tenant)
            {
                GiveToDefaultTenant(entityType, tenant.Name, TenantIdConverter.For(tenant));
            }
        }
    }

    private void GiveToDefaultTenant(IMutableEntityType entityType, string tenantProperty, TenantIdConverter ids)
    {
#pragma warning disable EF1001 // Seeds can be added but not changed, and a shadow property has no place in the objects given.
        if (((EntityType)entityType).GetRawSeedData() is not List<object> { Count: > 0 } seeds)
#pragma warning restore EF1001
        {
            return;
        }

        var values = entityType.GetSeedData().ToList();
        for (var i = 0; i < seeds.Count; i++)
        {
            var given = values[i].TryGetValue(tenantProperty, out var value) ? value : null;
            var tenant = ids.IsUnset(given)
                ? ids.Default
                : ids.ToValue(ids.Normalize(ids.ToTenantIdOf(given)!, style, tenantProperty));
            if (!tenant.Equals(given))
            {
                values[i][tenantProperty] = tenant;
                seeds[i] = AnonymousSeed.Create(values[i]);
            }
        }
    }
}
