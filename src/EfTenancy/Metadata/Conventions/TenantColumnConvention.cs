using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     A row has one tenant: what is owned in its owner's row has it from the owner's column. EF does that for what is in the key, unless a
///     naming convention named the column before it was.
/// </summary>
public class TenantColumnConvention : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        foreach (var entityType in ((IMutableModel)modelBuilder.Metadata).GetEntityTypes())
        {
            ShareColumn(entityType);
        }
    }

    private static void ShareColumn(IMutableEntityType entityType)
    {
        if (entityType.FindOwnership()?.PrincipalEntityType is not { } owner
            || entityType.FindTenantProperty() is not { } tenant
            || owner.FindTenantProperty() is not { } tenantOfOwner)
        {
            return;
        }

        // An owner that is owned itself comes first.
        ShareColumn(owner);
        foreach (var type in (StoreObjectType[])[StoreObjectType.Table, StoreObjectType.View, StoreObjectType.Function, StoreObjectType.SqlQuery])
        {
            if (StoreObjectIdentifier.Create(entityType, type) is { } row
                && row == StoreObjectIdentifier.Create(owner, type)
                && tenantOfOwner.GetColumnName(row) is { } column
                && tenant.GetColumnName(row) != column)
            {
                tenant.SetColumnName(column, row);
            }
        }
    }
}
