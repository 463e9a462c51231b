using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Query.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>Attaches the named filter of stage 3.</summary>
public class TenantQueryFilterConvention : IModelFinalizingConvention
{
    // The key under which a user's anonymous filter goes on: EF refuses an anonymous and a named filter on one type.
    private const string AnonymousFilterName = TenancyDefaults.QueryFilterName + ":Anonymous";

    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in ((IMutableModel)modelBuilder.Metadata).GetEntityTypes())
        {
            if (entityType.FindFilteredTenantProperty() is not { } tenant)
            {
                continue;
            }

            if (entityType.GetDeclaredQueryFilters().SingleOrDefault(f => f.IsAnonymous)?.Expression is { } anonymous)
            {
                entityType.SetQueryFilter(null);
                entityType.SetQueryFilter(AnonymousFilterName, anonymous);
            }

            if (entityType.FindDeclaredQueryFilter(TenancyDefaults.QueryFilterName) is not null)
            {
                throw new InvalidOperationException(TenancyStrings.FilterNameIsTaken(entityType.DisplayName()));
            }

            entityType.SetQueryFilter(TenancyDefaults.QueryFilterName, TenantFilterExpression.Create(entityType, tenant));
        }
    }
}
