using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Query.Internal;

/// <summary>Finds out whether <c>IgnoreQueryFilters</c> takes the tenant filter from a query.</summary>
public sealed class IgnoredTenancyFinder : ExpressionVisitor
{
    private bool _found;

    private IgnoredTenancyFinder()
    {
    }

    public static bool IgnoresTenancy(Expression query)
    {
        var finder = new IgnoredTenancyFinder();
        finder.Visit(query);
        return finder._found;
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        _found |= node.Method.Name == nameof(EntityFrameworkQueryableExtensions.IgnoreQueryFilters)
            && node.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions)
            && (node.Arguments.Count == 1
                || (node.Arguments[1] is ConstantExpression { Value: IEnumerable<string> names }
                    && names.Contains(TenancyDefaults.QueryFilterName)));

        return base.VisitMethodCall(node);
    }
}
