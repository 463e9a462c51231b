using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Query.Internal;

/// <summary>Finds out whether <c>IgnoreQueryFilters</c> takes the tenant filter from a query.</summary>
public sealed class IgnoredTenancyFinder : ExpressionVisitor
{
    private readonly HashSet<string> _names = [];
    private Type? _found;

    private IgnoredTenancyFinder()
    {
    }

    public static bool IgnoresTenancy(Expression query)
        => Find(query) is not null;

    /// <summary>The type of the elements that it is called on; null where it is not.</summary>
    public static Type? Find(Expression query)
    {
        var finder = new IgnoredTenancyFinder();
        finder.Visit(query);
        return finder._found;
    }

    /// <summary>The filters that a query is to go without, by name. EF applies none of them to any part of it.</summary>
    public static IReadOnlySet<string> Names(Expression query)
    {
        var finder = new IgnoredTenancyFinder();
        finder.Visit(query);
        return finder._names;
    }

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.Name == nameof(EntityFrameworkQueryableExtensions.IgnoreQueryFilters)
            && node.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions))
        {
            var names = node.Arguments is [_, ConstantExpression { Value: IEnumerable<string> given }] ? given : [];
            _names.UnionWith(names);
            if (node.Arguments.Count == 1 || names.Contains(TenancyDefaults.QueryFilterName))
            {
                _found ??= node.Method.GetGenericArguments()[0];
            }
        }

        return base.VisitMethodCall(node);
    }
}
