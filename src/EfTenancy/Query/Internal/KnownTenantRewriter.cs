using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives a query that is precompiled, with its filters applied; hands on one in which the context's tenant is known not to be null, as EF
///     knows it of the query's own variables: it would generate SQL for a context without a tenant too, which is refused before any is sent.
/// </summary>
public sealed class KnownTenantRewriter(IModel model) : ExpressionVisitor
{
    private readonly TenantComparison _comparison = new(model);

    protected override Expression VisitBinary(BinaryExpression node)
        => _comparison.FindParameter(node) is { Type.IsValueType: false } parameter
            ? node.Update(node.Left, node.Conversion, NotNull(parameter))
            : base.VisitBinary(node);

#pragma warning disable EF9100 // What is done for precompiled queries, which are experimental, is so too.
    private static QueryParameterExpression NotNull(QueryParameterExpression parameter)
        => new(parameter.Name, parameter.Type, parameter.TranslationMode, isNonNullableReferenceType: true);
#pragma warning restore EF9100
}
