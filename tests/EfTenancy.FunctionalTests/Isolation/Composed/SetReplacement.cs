using System.Linq.Expressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Puts the sets of a context into a composed query.</summary>
public sealed class SetReplacement(Func<SetExpression, Expression> sets) : ExpressionVisitor
{
    /// <summary>The tenant whose rows alone are to be written, where those of others are read.</summary>
    public int? Writer { get; init; }

    /// <summary>Whether the sets are filtered: EF drops rows of a right join whose first side is, and none of the left join that it stands for.</summary>
    public bool SwapsRightJoins { get; init; }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        var visited = (MethodCallExpression)base.VisitMethodCall(node);
        if (!SwapsRightJoins
            || visited is not
            {
                Method.Name: nameof(Queryable.RightJoin),
                Arguments: [var outer, var inner, var outerKey, var innerKey, UnaryExpression { Operand: LambdaExpression result }]
            })
        {
            return visited;
        }

        var types = visited.Method.GetGenericArguments();
        return QueryExpressions.Call(
            nameof(Queryable.LeftJoin),
            inner,
            [types[1], types[0], types[2], types[3]],
            outer,
            innerKey,
            outerKey,
            Expression.Lambda(result.Body, result.Parameters.Reverse()));
    }

    protected override Expression VisitExtension(Expression node)
        => node is SetExpression set ? sets(set) : base.VisitExtension(node);
}
