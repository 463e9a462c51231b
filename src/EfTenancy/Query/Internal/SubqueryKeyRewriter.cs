using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives a query of one tenant with its navigations expanded. A collection behind a subquery, as in
///     <c>c.Orders.First().Lines</c>, compares the subquery's key there, which EF can for a single property only; hands on a query in
///     which the tenant, the same on both sides, is left out of such a key. With shared rows it may be another one.
/// </summary>
public sealed class SubqueryKeyRewriter(IModel model) : ExpressionVisitor
{
    protected override Expression VisitMethodCall(MethodCallExpression node)
        => node is { Method: { Name: nameof(Equals), IsStatic: true }, Arguments: [var left, var right] }
            && Compare(left, right) is { } comparison
                ? comparison
                : base.VisitMethodCall(node);

    protected override Expression VisitBinary(BinaryExpression node)
        => node is { NodeType: ExpressionType.NotEqual, Right: ConstantExpression { Value: null } }
            && KeyOfSubquery(node.Left) is { } key
                ? Expression.NotEqual(key, Expression.Constant(null, key.Type))
                : base.VisitBinary(node);

    private BinaryExpression? Compare(Expression left, Expression right)
        => (IsSubquery(left) || IsSubquery(right))
            && (KeyOfSubquery(left) ?? Visit(IdIn(left))) is { } leftId
            && (KeyOfSubquery(right) ?? Visit(IdIn(right))) is { } rightId
            && leftId.Type == rightId.Type
                ? Expression.Equal(leftId, rightId)
                : null;

    // … .Select(e => new object[] { e.TenantId, e.Id }).FirstOrDefault()
    private MethodCallExpression? KeyOfSubquery(Expression expression)
        => IsSubquery(expression)
            && (MethodCallExpression)expression is { Arguments: [MethodCallExpression { Arguments: [var source, UnaryExpression quote] } select] } first
            && (LambdaExpression)quote.Operand is var selector
            && IdIn(selector.Body) is { } id
                ? Expression.Call(
                    first.Method.GetGenericMethodDefinition().MakeGenericMethod(id.Type),
                    Expression.Call(
                        select.Method.GetGenericMethodDefinition().MakeGenericMethod(selector.Parameters[0].Type, id.Type),
                        Visit(source),
                        Expression.Quote(Expression.Lambda(Visit(id), selector.Parameters))))
                : null;

    private static bool IsSubquery(Expression expression)
        => expression is MethodCallExpression
        {
            Type: var type,
            Method: { IsGenericMethod: true } method,
            Arguments: [MethodCallExpression { Method.Name: nameof(Queryable.Select), Arguments: [_, UnaryExpression { Operand: LambdaExpression }] }],
        }
            && type == typeof(object[])
            && method.DeclaringType == typeof(Queryable);

    private Expression? IdIn(Expression expression)
        => expression is NewArrayExpression { Expressions: [UnaryExpression { Operand: var first }, UnaryExpression { Operand: var second }] }
            ? IsTenant(first) && !IsTenant(second) ? second
                : IsTenant(second) && !IsTenant(first) ? first
                : null
            : null;

    private bool IsTenant(Expression expression)
        => expression is MethodCallExpression
            {
                Method: { Name: nameof(EF.Property), DeclaringType: var type },
                Arguments: [var entity, ConstantExpression { Value: string name }],
            }
            && type == typeof(EF)
            && EntityTypes(entity.Type) is { Count: > 0 } entityTypes
            && entityTypes.All(e => e.FindTenantProperty()?.Name == name && !e.HasSharedRows());

    private IReadOnlyCollection<IEntityType> EntityTypes(Type type)
        => model.FindEntityType(type) is { } entityType ? [entityType] : [.. model.FindEntityTypes(type)];
}
