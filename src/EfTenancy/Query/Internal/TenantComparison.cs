using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>Recognizes what a filter becomes when EF applies it: a comparison of a tenant property with the parameter of the context's tenant.</summary>
public sealed class TenantComparison(IModel model)
{
    private static readonly char[] Digits = [.. "0123456789"];

    public QueryParameterExpression? FindParameter(BinaryExpression node)
        => node is { NodeType: ExpressionType.Equal, Right: QueryParameterExpression parameter }
            && IsTenant(node.Left)
            && IsCurrentTenant(parameter.Name)
                ? parameter
                : null;

    // Users' filters have parameters called after members of theirs, which may begin with the same word.
    public static bool IsCurrentTenant(string parameter)
        => parameter.TrimEnd(Digits) is TenantFilterExpression.FilterParameterName or CurrentTenantParameters.Name;

    private bool IsTenant(Expression expression)
        => expression is MethodCallExpression { Arguments: [_, ConstantExpression { Value: string name }] } call
            && call.Method.DeclaringType == typeof(EF)
            && model.GetEntityTypes().Any(e => e.FindTenantProperty()?.Name == name);
}
