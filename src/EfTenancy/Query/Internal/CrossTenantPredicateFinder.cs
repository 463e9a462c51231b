using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Query.Internal;

/// <summary>Recognises <c>TenantIsOneOf</c> and <c>AnyTenant</c>.</summary>
public sealed class CrossTenantPredicateFinder : ExpressionVisitor
{
    private bool _found;

    public static bool Contains(Expression query)
    {
        var finder = new CrossTenantPredicateFinder();
        finder.Visit(query);
        return finder._found;
    }

    public static bool IsCrossTenantPredicate(MethodCallExpression call)
        => call.Method.DeclaringType == typeof(TenancyQueryableExtensions);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        _found |= IsCrossTenantPredicate(node);
        return _found ? node : base.VisitMethodCall(node);
    }
}
