using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Turns a <c>RightJoin</c> whose first side begins with a multi-tenanted set into a <c>LeftJoin</c> of the swapped sides. EF puts what
///     filters the first side of a right join behind the join, where it drops the rows that found none. Where the application filters that
///     side itself, EF's answer stays what it was.
/// </summary>
public sealed class RightJoinRewriter : ExpressionVisitor
{
    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.Name != nameof(Queryable.RightJoin)
            || node.Method.DeclaringType != typeof(Queryable)
            || node.Arguments is not [var outer, var inner, var outerKey, var innerKey, UnaryExpression { Operand: LambdaExpression result }]
            || !BeginsWithTenants(outer)
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

    private static bool BeginsWithTenants(Expression expression)
        => expression switch
        {
            EntityQueryRootExpression root => root.EntityType.FindTenantProperty() is not null,
            MethodCallExpression { Arguments: [var source, ..] } call => !IsOwnFilter(call) && BeginsWithTenants(source),
            _ => false,
        };

    // A cross-tenant predicate only stands in the place of our filter.
    private static bool IsOwnFilter(MethodCallExpression call)
        => call.Method.Name == nameof(Queryable.Where)
            && call.Method.DeclaringType == typeof(Queryable)
            && !(call.Arguments[1] is UnaryExpression { Operand: LambdaExpression { Body: MethodCallExpression predicate } }
                && CrossTenantPredicateFinder.IsCrossTenantPredicate(predicate));
}
