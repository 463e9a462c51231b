using EfTenancy.Metadata.Conventions;
using EfTenancy.Query.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;

namespace EfTenancy.Metadata.Internal;

/// <summary>
///     What a compiled model (<c>dotnet ef dbcontext optimize</c>) gets when it is loaded, since code cannot hold it. The code of the model calls
///     this itself: no option or service that is missing could leave it without its filters.
/// </summary>
public static class CompiledTenancyModel
{
    public static void Complete(RuntimeModel model)
    {
#pragma warning disable EF1001 // EF's own filters of a finished model are of these types.
        foreach (var entityType in ((IModel)model).GetEntityTypes())
        {
            if (entityType.FindFilteredTenantProperty() is { } tenant)
            {
                ((RuntimeEntityType)entityType).SetAnnotation(
                    CoreAnnotationNames.QueryFilter,
                    new QueryFilterCollection(
                        [new RuntimeQueryFilter(TenancyDefaults.QueryFilterName, TenantFilterExpression.Create(entityType, tenant))]));
            }
        }
#pragma warning restore EF1001

        TenantSkipNavigationConvention.SetLoaders(model);
    }
}
