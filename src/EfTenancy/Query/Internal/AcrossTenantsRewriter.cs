using System.Linq.Expressions;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>Drops the tenant filter of a query that is compiled inside <c>AcrossTenants</c>.</summary>
public sealed class AcrossTenantsRewriter(QueryCompilationContext queryCompilationContext) : ExpressionVisitor
{
    private const string GuardParameterName = "ef_tenancy__across";

    public Expression Rewrite(Expression query)
    {
        // A query held by EF.CompileQuery outlives the scope; its parameters are worked out at each run, and this one refuses.
        queryCompilationContext.RegisterRuntimeParameter(
            GuardParameterName,
            Expression.Lambda(
                Expression.Call(
                    typeof(AcrossTenantsRewriter),
                    nameof(RefuseOutside),
                    null,
                    Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Context))),
                QueryCompilationContext.QueryContextParameter));

        return Visit(query);
    }

    protected override Expression VisitExtension(Expression node)
        => node is EntityQueryRootExpression root
            ? TenantFilterExpression.IgnoreTenancy(root, root.ElementType)
            : base.VisitExtension(node);

    protected override Expression VisitMethodCall(MethodCallExpression node)
        => queryCompilationContext.Model.FindEntityTypeOfFunction(node) is { } entityType
            ? TenantFilterExpression.IgnoreTenancy(base.VisitMethodCall(node), entityType.ClrType)
            : base.VisitMethodCall(node);

    private static bool RefuseOutside(DbContext context)
        => TenantFilterExpression.CurrentTenantOf(context).IsAcrossTenants
            ? true
            : throw new InvalidOperationException(TenancyStrings.CompiledAcrossTenants);
}
