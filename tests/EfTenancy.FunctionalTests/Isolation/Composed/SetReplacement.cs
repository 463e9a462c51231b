using System.Linq.Expressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Puts the sets of a context into a composed query.</summary>
public sealed class SetReplacement(Func<SetExpression, Expression> sets) : ExpressionVisitor
{
    /// <summary>The tenant whose rows alone are to be written, where those of others are read.</summary>
    public int? Writer { get; init; }

    protected override Expression VisitExtension(Expression node)
        => node is SetExpression set ? sets(set) : base.VisitExtension(node);
}
