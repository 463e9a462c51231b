using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Refuses <c>SqlQuery&lt;Order&gt;</c> where <c>Order</c> is a multi-tenanted entity: EF reads it as a type of its own, without the
///     entity's filter. For types that are no entities the SQL is the caller's, tenant included.
/// </summary>
public sealed class RawQueryGuard(IModel model) : ExpressionVisitor
{
    protected override Expression VisitExtension(Expression node)
    {
        if (node is EntityQueryRootExpression { EntityType: var queried }
            && queried.FindTenantProperty() is null
            && model.FindEntityType(queried.ClrType) is { } mapped
            && mapped != queried
            && mapped.FindTenantProperty() is not null)
        {
            throw new InvalidOperationException(TenancyStrings.RawQueryOfMultiTenantedEntity(mapped.DisplayName()));
        }

        return base.VisitExtension(node);
    }
}
