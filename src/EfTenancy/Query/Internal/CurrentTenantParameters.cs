using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>The context's tenant as parameters of a query, one for each type that tenant properties have: for predicates that stand in the place of filters.</summary>
public sealed class CurrentTenantParameters(QueryCompilationContext queryCompilationContext)
{
    public const string Name = "ef_tenancy__current";

    private readonly Dictionary<Type, QueryParameterExpression> _parameters = [];

    public QueryParameterExpression Of(IProperty tenant)
        => _parameters.TryGetValue(tenant.ClrType, out var parameter)
            ? parameter
            : _parameters[tenant.ClrType] = queryCompilationContext.RegisterRuntimeParameter(
                Name + (_parameters.Count == 0 ? "" : _parameters.Count),
                Expression.Lambda(
                    TenantFilterExpression.CurrentTenant(
                        Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Context)), tenant),
                    QueryCompilationContext.QueryContextParameter));
}
