using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     One occurrence of a set in a query, or of a table-valued function. EF shares one root expression among all uses of a
///     <c>DbSet</c>, so the root itself cannot say which use a predicate stands on.
/// </summary>
public sealed class TenantQueryRootExpression(Expression source, IEntityType entityType) : Expression
{
    public TenantQueryRootExpression(EntityQueryRootExpression root)
        : this(root, root.EntityType)
    {
    }

    /// <summary>What EF makes a root of: that, or the call of the function.</summary>
    public Expression Source { get; private set; } = source;

    public IEntityType EntityType { get; } = entityType;

    /// <summary>Whether a predicate replaces the tenant filter of this occurrence.</summary>
    public bool IsCrossTenant { get; set; }

    /// <summary>The lists of tenants that it is narrowed to; all of them apply.</summary>
    public List<Expression> TenantLists { get; } = [];

    public override Type Type
        => Source.Type;

    public override ExpressionType NodeType
        => ExpressionType.Extension;

    // The arguments of a function may read sets. It stays the same occurrence whatever becomes of them.
    protected override Expression VisitChildren(ExpressionVisitor visitor)
    {
        if (Source is MethodCallExpression call)
        {
            Source = call.Update(call.Object, call.Arguments.Select(a => visitor.Visit(a)));
        }

        return this;
    }
}
