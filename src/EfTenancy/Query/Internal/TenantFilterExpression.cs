using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Stage 3, filter. Receives an entity's tenant property; hands on <c>e => e.TenantId == (tenant of the running context)</c>.
///     EF makes the right side a parameter, so one model and one compiled query serve all tenants.
/// </summary>
public static class TenantFilterExpression
{
    private static readonly MethodInfo EfPropertyMethod
        = typeof(EF).GetMethod(nameof(EF.Property))!.MakeGenericMethod(typeof(string));

    private static readonly MethodInfo CurrentTenantMethod
        = typeof(TenantFilterExpression).GetMethod(nameof(CurrentTenantOf))!;

    private static readonly MethodInfo IgnoreNamedQueryFiltersMethod
        = new Func<IQueryable<object>, IReadOnlyCollection<string>, IQueryable<object>>(
            EntityFrameworkQueryableExtensions.IgnoreQueryFilters).Method.GetGenericMethodDefinition();

    public static LambdaExpression Create(Type entityClrType, string tenantProperty)
    {
        var entity = Expression.Parameter(entityClrType, "e");

        // EF puts the running context in the place of any expression of type DbContext in a filter.
        var context = Expression.Constant(null, typeof(DbContext));

        return Expression.Lambda(Expression.Equal(Property(entity, tenantProperty), CurrentTenantId(context)), entity);
    }

    public static Expression Property(Expression entity, string tenantProperty)
        => Expression.Call(EfPropertyMethod, entity, Expression.Constant(tenantProperty));

    public static Expression IgnoreTenancy(EntityQueryRootExpression root)
        => Expression.Call(
            IgnoreNamedQueryFiltersMethod.MakeGenericMethod(root.ElementType),
            root,
            Expression.Constant(new[] { TenancyDefaults.QueryFilterName }, typeof(IReadOnlyCollection<string>)));

    // A member, so that EF names the parameter after it.
    public static Expression CurrentTenantId(Expression context)
        => Expression.Property(Expression.Call(CurrentTenantMethod, context), nameof(CurrentTenant.TenantId));

    public static CurrentTenant CurrentTenantOf(DbContext context)
        => (CurrentTenant)context.GetInfrastructure().GetService(typeof(CurrentTenant))!;
}
