using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives a query of a context that reads several tenants, with its filters applied; hands on one in which each comparison with
///     the context's tenant is one with each of its tenants.
/// </summary>
/// <remarks>Scalar parameters, as for one tenant: an array keeps PostgreSQL from pruning partitions in a generic plan.</remarks>
public sealed class TenantGroupRewriter(QueryCompilationContext queryCompilationContext, int count) : ExpressionVisitor
{
    private const string ParameterName = "ef_tenancy__group";

    private readonly TenantComparison _comparison = new(queryCompilationContext.Model);

    protected override Expression VisitBinary(BinaryExpression node)
        => _comparison.FindParameter(node) is { } parameter ? InGroup(node.Left, parameter) : base.VisitBinary(node);

    private BinaryExpression InGroup(Expression tenant, QueryParameterExpression replaced)
    {
        // It is worked out at each run all the same, and a context with several tenants has no current one.
        Register(replaced.Name, replaced.Type, Expression.Default(replaced.Type));

        return Enumerable.Range(0, count)
            .Select(i => Expression.Equal(tenant, Register(ParameterName + i, replaced.Type, TenantAt(i, replaced.Type))))
            .Aggregate(Expression.OrElse);
    }

    private QueryParameterExpression Register(string name, Type type, Expression value)
        => queryCompilationContext.RegisterRuntimeParameter(
            name, Expression.Lambda(value, QueryCompilationContext.QueryContextParameter));

    private UnaryExpression TenantAt(int index, Type type)
        => Expression.Convert(
            Expression.Call(
                typeof(TenantGroupRewriter),
                nameof(TenantAt),
                null,
                Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Context)),
                Expression.Constant(index),
                Expression.Constant(count)),
            type);

    // A query held by EF.CompileQuery may run in a context of another number of tenants.
    private static object TenantAt(DbContext context, int index, int count)
        => TenantFilterExpression.CurrentTenantOf(context) is var tenant && tenant.IsGroup && tenant.TenantIds.Count == count
            ? tenant.ReadableAt(index)
            : throw new InvalidOperationException(Properties.TenancyStrings.CompiledForGroup(count));
}
