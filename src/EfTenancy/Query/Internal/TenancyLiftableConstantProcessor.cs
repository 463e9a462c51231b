using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Names the parameters of each comparer of identifiers apart, in code of precompiled queries. EF moves out of such code what its constants
///     have in common, and would take a comparison with a parameter out of the comparers of a tenant and of an id, where there is no such parameter.
/// </summary>
#pragma warning disable EF9100 // What is done for precompiled queries, which are experimental, is so too.
public class TenancyLiftableConstantProcessor(
    ShapedQueryCompilingExpressionVisitorDependencies dependencies,
    RelationalShapedQueryCompilingExpressionVisitorDependencies relationalDependencies,
    RelationalCommandBuilderDependencies commandBuilderDependencies)
    : RelationalLiftableConstantProcessor(dependencies, relationalDependencies, commandBuilderDependencies)
{
    private readonly ComparerRenamer _renamer = new();

    protected override ParameterExpression LiftConstant(LiftableConstantExpression liftableConstant)
        => base.LiftConstant(
            liftableConstant.Type == typeof(Func<object, object, bool>[])
                ? new LiftableConstantExpression(
                    liftableConstant.OriginalExpression.Value,
                    (LambdaExpression)_renamer.Visit(liftableConstant.ResolverExpression),
                    liftableConstant.VariableName,
                    liftableConstant.Type)
                : liftableConstant);

    private sealed class ComparerRenamer : ExpressionVisitor
    {
        private readonly Dictionary<Expression, int> _numbers = new(ExpressionEqualityComparer.Instance);

        protected override Expression VisitNewArray(NewArrayExpression node)
            => node.Update(node.Expressions.Select(e => e is LambdaExpression comparer ? Rename(comparer) : Visit(e)));

        // Equal comparers keep equal names, and EF goes on to share them.
        private LambdaExpression Rename(LambdaExpression comparer)
        {
            _numbers.TryAdd(comparer, _numbers.Count);
            var parameters = comparer.Parameters.Select(p => Expression.Parameter(p.Type, p.Name + _numbers[comparer])).ToArray();
            var body = new ReplacingExpressionVisitor([.. comparer.Parameters], parameters).Visit(comparer.Body);
            return Expression.Lambda(comparer.Type, body, parameters);
        }
    }
}
#pragma warning restore EF9100
