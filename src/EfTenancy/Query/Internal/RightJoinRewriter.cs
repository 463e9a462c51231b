using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Turns a <c>RightJoin</c> of a multi-tenanted set into a <c>LeftJoin</c> of the swapped sides. EF puts the filters of a right
///     join's first set behind the join, where they drop the rows that found none. Where the application filters that set itself, EF's
///     answer stays what it was.
/// </summary>
public sealed class RightJoinRewriter : ExpressionVisitor
{
    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.Name != nameof(Queryable.RightJoin)
            || node.Method.DeclaringType != typeof(Queryable)
            || node.Arguments is not [var outer, var inner, var outerKey, var innerKey, UnaryExpression { Operand: LambdaExpression result }]
            || EntityTypeOfSet(outer)?.FindTenantProperty() is null
            || node.Method.GetGenericArguments() is not [var outerType, var innerType, var keyType, var resultType])
        {
            return base.VisitMethodCall(node);
        }

        return Expression.Call(
            typeof(Queryable),
            nameof(Queryable.LeftJoin),
            [innerType, outerType, keyType, resultType],
            Visit(inner),
            Visit(outer),
            Visit(innerKey),
            Visit(outerKey),
            Expression.Quote(Expression.Lambda(Visit(result.Body), result.Parameters.Reverse())));
    }

    // AsNoTracking() and its like filter nothing, and a cross-tenant predicate only stands in the filter's place.
    private static IEntityType? EntityTypeOfSet(Expression expression)
        => expression switch
        {
            EntityQueryRootExpression root => root.EntityType,
            MethodCallExpression { Method.DeclaringType: var type, Arguments: [var source, ..] }
                when type == typeof(EntityFrameworkQueryableExtensions) => EntityTypeOfSet(source),
            MethodCallExpression
            {
                Method: { Name: nameof(Queryable.Where), DeclaringType: var type },
                Arguments: [var source, UnaryExpression { Operand: LambdaExpression { Body: MethodCallExpression predicate } }],
            } when type == typeof(Queryable) && CrossTenantPredicateFinder.IsCrossTenantPredicate(predicate) => EntityTypeOfSet(source),
            _ => null,
        };
}
