using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     One occurrence of a set in a query. EF shares one root expression among all uses of a <c>DbSet</c>, so the root itself
///     cannot say which use a predicate stands on.
/// </summary>
public sealed class TenantQueryRootExpression(EntityQueryRootExpression root) : Expression
{
    public EntityQueryRootExpression Root { get; } = root;

    /// <summary>Whether a predicate replaces the tenant filter of this occurrence.</summary>
    public bool IsCrossTenant { get; set; }

    /// <summary>The lists of tenants that it is narrowed to; all of them apply.</summary>
    public List<Expression> TenantLists { get; } = [];

    public override Type Type
        => Root.Type;

    public override ExpressionType NodeType
        => ExpressionType.Extension;

    protected override Expression VisitChildren(ExpressionVisitor visitor)
        => this;
}
