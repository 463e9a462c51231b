using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Query.Internal;

/// <summary>Recognises <c>TenantIsOneOf</c> and <c>AnyTenant</c>.</summary>
public sealed class CrossTenantPredicateFinder : ExpressionVisitor
{
    private readonly string? _name;
    private bool _found;

    private CrossTenantPredicateFinder(string? name)
        => _name = name;

    /// <param name="query">The query.</param>
    /// <param name="name">The one that is looked for; any by default.</param>
    public static bool Contains(Expression query, string? name = null)
    {
        var finder = new CrossTenantPredicateFinder(name);
        finder.Visit(query);
        return finder._found;
    }

    public static bool IsCrossTenantPredicate(MethodCallExpression call)
        => call.Method.DeclaringType == typeof(TenancyQueryableExtensions);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        _found |= IsCrossTenantPredicate(node) && (_name is null || node.Method.Name == _name);
        return _found ? node : base.VisitMethodCall(node);
    }
}
