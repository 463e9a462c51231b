using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Stage 3, filter. Receives a multi-tenanted entity type; hands on <c>e => e.TenantId == (tenant of the running context)</c>.
///     EF makes the right side a parameter, so one model and one compiled query serve all tenants.
/// </summary>
public static class TenantFilterExpression
{
    /// <summary>What EF calls the parameter of a filter that ends with <see cref="FilterParameter{T}.Tenancy" />.</summary>
    public const string FilterParameterName = "ef_filter__" + nameof(FilterParameter<>.Tenancy);

    private static readonly MethodInfo FilterMethod
        = typeof(TenantFilterExpression).GetMethod(nameof(Filter), BindingFlags.NonPublic | BindingFlags.Static)!;

    private static readonly MethodInfo FilterParameterMethod
        = typeof(TenantFilterExpression).GetMethod(nameof(FilterParameterOf))!;

    private static readonly MethodInfo IgnoreNamedQueryFiltersMethod
        = new Func<IQueryable<object>, IReadOnlyCollection<string>, IQueryable<object>>(
            EntityFrameworkQueryableExtensions.IgnoreQueryFilters).Method.GetGenericMethodDefinition();

    public static LambdaExpression Create(IReadOnlyEntityType entityType, IReadOnlyProperty tenant)
    {
        var entity = Expression.Parameter(entityType.ClrType, "e");

        // EF puts the running context in the place of any expression of type DbContext in a filter.
        var context = Expression.Constant(null, typeof(DbContext));

        // By its type, since Expression.Lambda finds the factory of each by reflection, which takes several times as long.
        return (LambdaExpression)FilterMethod.MakeGenericMethod(entityType.ClrType)
            .Invoke(null, [Predicate(entityType, tenant, entity, CurrentTenant(context, tenant)), entity])!;
    }

    private static Expression<Func<TEntity, bool>> Filter<TEntity>(Expression predicate, ParameterExpression entity)
        => Expression.Lambda<Func<TEntity, bool>>(predicate, entity);

    /// <summary>Whether a filter asks for the tenant of the running context.</summary>
    public static bool IsIn(Expression? filter)
    {
        var finder = new FilterParameterFinder();
        finder.Visit(filter);
        return finder.IsFound;
    }

    /// <summary>Whether a row is one that the context reads.</summary>
    public static Expression Predicate(
        IReadOnlyEntityType entityType,
        IReadOnlyProperty tenant,
        Expression entity,
        Expression currentTenant)
    {
        var isOwn = Expression.Equal(PropertyExpression.Of(entity, tenant), currentTenant);
        return entityType.HasSharedRows()
            ? Expression.OrElse(
                isOwn,
                Expression.Equal(
                    PropertyExpression.Of(entity, tenant), Expression.Constant(TenantIdConverter.For(tenant).Default, tenant.ClrType)))
            : isOwn;
    }

    public static Expression IgnoreTenancy(Expression source, Type elementType)
        => Expression.Call(
            IgnoreNamedQueryFiltersMethod.MakeGenericMethod(elementType),
            source,
            Expression.Constant(new[] { TenancyDefaults.QueryFilterName }, typeof(IReadOnlyCollection<string>)));

    // A member, so that EF names the parameter after it.
    public static Expression CurrentTenant(Expression context, IReadOnlyProperty tenant)
        => Expression.Property(
            Expression.Call(FilterParameterMethod.MakeGenericMethod(tenant.ClrType), context),
            nameof(FilterParameter<>.Tenancy));

    public static FilterParameter<T> FilterParameterOf<T>(DbContext context)
        => new(CurrentTenantOf(context));

    public static CurrentTenant CurrentTenantOf(DbContext context)
        => Infrastructure.Internal.CurrentTenant.OfRunning(context)
            // A compiled model brings its filters into a context whose options have no tenancy.
            ?? throw new InvalidOperationException(TenancyStrings.ModelOfOtherOptions(context.GetType().Name));

    private sealed class FilterParameterFinder : ExpressionVisitor
    {
        public bool IsFound { get; private set; }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            IsFound |= node.Method.IsGenericMethod && node.Method.GetGenericMethodDefinition() == FilterParameterMethod;
            return base.VisitMethodCall(node);
        }
    }

    public readonly struct FilterParameter<T>(CurrentTenant tenant)
    {
        public T Tenancy
            => (T)tenant.Value;
    }
}
