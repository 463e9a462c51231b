using System.Collections;
using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Compares entities of a query with entities of the application by key, as EF does it, where the tenant in the key is a shadow
///     property: EF would look for it on the application's objects.
/// </summary>
public sealed class EntityEqualityRewriter(QueryCompilationContext queryCompilationContext, CurrentTenant currentTenant) : ExpressionVisitor
{
    private const string ParameterName = "ef_tenancy__entity";

    private static readonly MethodInfo EnumerableContains = typeof(Enumerable).GetMethods()
        .Single(m => m.Name == nameof(Enumerable.Contains) && m.GetParameters().Length == 2);

    private int _parameters;

    protected override Expression VisitBinary(BinaryExpression node)
        => node.NodeType is ExpressionType.Equal or ExpressionType.NotEqual
            && Comparison(node.Left, node.Right) is { } comparison
                ? node.NodeType == ExpressionType.Equal ? comparison : Expression.Not(comparison)
                : base.VisitBinary(node);

    protected override Expression VisitMethodCall(MethodCallExpression node)
        => node switch
        {
            { Method.Name: nameof(Equals), Object: { } left, Arguments: [var right] } => Comparison(left, right) as Expression,
            { Method.Name: nameof(Equals), Object: null, Arguments: [var left, var right] } => Comparison(left, right),
            { Method.Name: nameof(Enumerable.Contains), Object: { } list, Arguments: [var item] } => Membership(list, item),
            { Method.Name: nameof(Enumerable.Contains), Object: null, Arguments: [var list, var item] } => Membership(list, item),
            _ => null,
        } ?? base.VisitMethodCall(node);

    private Expression? Comparison(Expression left, Expression right)
        => (Unwrap(left), Unwrap(right)) switch
        {
            (QueryParameterExpression given, var entity) when ShadowTenantKey(given.Type) is { } key => Equal(Visit(entity), given, key),
            (var entity, QueryParameterExpression given) when ShadowTenantKey(given.Type) is { } key => Equal(Visit(entity), given, key),
            _ => null,
        };

    private Expression Equal(Expression entity, QueryParameterExpression given, IKey key)
        => key.Properties
            .Select(Expression (property) => Expression.Equal(
                Property(entity, property, Nullable(property.ClrType)),
                Parameter(nameof(ValueOf), given, property, Nullable(property.ClrType))))
            .Aggregate(Expression.AndAlso);

    private BinaryExpression? Membership(Expression list, Expression item)
    {
        if (Unwrap(list) is not QueryParameterExpression given
            || ShadowTenantKey(item.Type) is not { Properties: [var first, var second] } key)
        {
            return null;
        }

        var tenant = key.DeclaringEntityType.FindTenantProperty()!;
        var id = first == tenant ? second : first;
        var entity = Visit(item);

        // Tenant by tenant: pairs of tenant and id have no SQL that prunes partitions.
        return Enumerable.Range(0, currentTenant.ReadableCount(key.DeclaringEntityType))
            .Select(
                i => Expression.AndAlso(
                    Expression.Call(
                        EnumerableContains.MakeGenericMethod(id.ClrType),
                        Parameter(nameof(ValuesOf), given, id, id.ClrType.MakeArrayType(), i),
                        Property(entity, id, id.ClrType)),
                    Expression.Equal(
                        Property(entity, tenant, tenant.ClrType),
                        Parameter(nameof(TenantAt), given, tenant, tenant.ClrType, i))))
            .Aggregate(Expression.OrElse);
    }

    private IKey? ShadowTenantKey(Type type)
        => queryCompilationContext.Model.FindEntityType(type) is { } entityType
            && entityType.FindTenantProperty() is { } tenant
            && tenant.IsShadowProperty()
            && entityType.FindPrimaryKey() is { } key
            && key.Properties.Contains(tenant)
            && key.Properties.All(p => p == tenant || !p.IsShadowProperty())
                ? key
                : null;

    private QueryParameterExpression Parameter(
        string extractor,
        QueryParameterExpression given,
        IProperty property,
        Type type,
        int tenantIndex = 0)
        => queryCompilationContext.RegisterRuntimeParameter(
            ParameterName + _parameters++,
            Expression.Lambda(
                Expression.Convert(
                    Expression.Call(
                        typeof(EntityEqualityRewriter),
                        extractor,
                        null,
                        QueryCompilationContext.QueryContextParameter,
                        Expression.Constant(given.Name),
                        Expression.Constant(property, typeof(IProperty)),
                        Expression.Constant(tenantIndex)),
                    type),
                QueryCompilationContext.QueryContextParameter));

    private static object? ValueOf(QueryContext context, string parameter, IProperty property, int _)
        => context.Parameters[parameter] is { } entity ? ValueOf(context.Context, entity, property) : null;

    private static object TenantAt(QueryContext context, string _, IProperty property, int index)
        => TenantFilterExpression.CurrentTenantOf(context.Context).ReadableAt(index);

    private static Array ValuesOf(QueryContext context, string parameter, IProperty property, int tenantIndex)
    {
        var tenantProperty = property.DeclaringType is IEntityType entityType ? entityType.FindTenantProperty()! : null!;
        var current = TenantFilterExpression.CurrentTenantOf(context.Context);
        var tenant = current.IdConverter.ToStored(current.ReadableAt(tenantIndex));
        var values = ((IEnumerable?)context.Parameters[parameter])?.Cast<object?>()
            .Where(e => e is not null && Equals(current.IdConverter.ToStored(ValueOf(context.Context, e, tenantProperty)), tenant))
            .Select(e => ValueOf(context.Context, e!, property))
            .ToList() ?? [];

        var array = Array.CreateInstance(property.ClrType, values.Count);
        ((IList)values).CopyTo(array, 0);
        return array;
    }

    private static object? ValueOf(DbContext context, object entity, IProperty property)
        => property.IsShadowProperty()
            ? context.Entry(entity).Property(property).CurrentValue
            : property.GetGetter().GetClrValue(entity);

    private static MethodCallExpression Property(Expression entity, IProperty property, Type type)
        => Expression.Call(typeof(EF), nameof(EF.Property), [type], entity, Expression.Constant(property.Name));

    private static Type Nullable(Type type)
        => type.IsValueType && System.Nullable.GetUnderlyingType(type) is null ? typeof(Nullable<>).MakeGenericType(type) : type;

    private static Expression Unwrap(Expression expression)
        => expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs } unary
            ? Unwrap(unary.Operand)
            : expression;
}
