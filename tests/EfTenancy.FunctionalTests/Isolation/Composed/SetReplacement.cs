using System.Linq.Expressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Puts the sets of a context into a composed query.</summary>
public sealed class SetReplacement(Func<SetExpression, Expression> sets) : ExpressionVisitor
{
    protected override Expression VisitExtension(Expression node)
        => node is SetExpression set ? sets(set) : base.VisitExtension(node);
}
