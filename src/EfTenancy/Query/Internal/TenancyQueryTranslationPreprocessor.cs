using System.Linq.Expressions;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Rewrites cross-tenant predicates before EF expands navigations and filters. An <c>IQueryExpressionInterceptor</c> would
///     come at the same time, but cannot register the parameter that gives the other sets of the query their tenant back.
/// </summary>
public class TenancyQueryTranslationPreprocessor(
    QueryTranslationPreprocessorDependencies dependencies,
    RelationalQueryTranslationPreprocessorDependencies relationalDependencies,
    QueryCompilationContext queryCompilationContext,
    CurrentTenant tenant)
    : RelationalQueryTranslationPreprocessor(dependencies, relationalDependencies, queryCompilationContext)
{
    private const string BeyondTenantParameterName = "ef_tenancy__beyond";

    private static readonly LambdaExpression MarkContext = Mark(nameof(ReadOtherTenants));

    private static readonly LambdaExpression MarkContextOfAll = Mark(nameof(ReadAllTenants));

    private static readonly LambdaExpression MarkContextOfWrite = Mark(nameof(WriteAllTenants));

    private EntityEqualityRewriter? _entityEquality;
    private OwnSetFilterRewriter? _ownSets;

    public override Expression Process(Expression query)
    {
        new RawQueryGuard(QueryCompilationContext.Model).Visit(query);

        var isForAll = tenant.IsAcrossTenants
            || IgnoredTenancyFinder.IgnoresTenancy(query)
            || CrossTenantPredicateFinder.Contains(query, nameof(TenancyQueryableExtensions.AnyTenant));
        var keepsFilter = !isForAll && !CrossTenantPredicateFinder.Contains(query);
        var isBulkWrite = TenantBulkWriteRewriter.IsBulkWrite(query);
        if (!keepsFilter || tenant.IsGroup)
        {
            // Parameters are worked out at each run.
            QueryCompilationContext.RegisterRuntimeParameter(
                BeyondTenantParameterName, !isForAll ? MarkContext : isBulkWrite ? MarkContextOfWrite : MarkContextOfAll);
        }

        _entityEquality = new EntityEqualityRewriter(QueryCompilationContext, tenant, keepsFilter);
        _ownSets = keepsFilter ? new OwnSetFilterRewriter(QueryCompilationContext) : null;

        // In this order: a filter that comparing entities puts on a join is none of the application's.
        query = _entityEquality.Visit(new RightJoinRewriter().Visit(query));

        if (tenant.IsAcrossTenants)
        {
            query = new AcrossTenantsRewriter(QueryCompilationContext).Rewrite(query);
        }

        if (CrossTenantPredicateFinder.Contains(query))
        {
            query = new CrossTenantPredicateRewriter(QueryCompilationContext, tenant, isBulkWrite).Rewrite(query);
        }
        else if (isBulkWrite && !IgnoredTenancyFinder.IgnoresTenancy(query))
        {
            query = new TenantBulkWriteRewriter(QueryCompilationContext).Rewrite(query);
        }

        query = base.Process(query);
        _entityEquality.RegisterParameters();

        if (QueryCompilationContext.IsPrecompiling)
        {
            query = new KnownTenantRewriter(QueryCompilationContext.Model).Visit(query);
        }

        // A group is for reading: a bulk write runs into the tenant that the context does not have.
        return tenant.IsGroup && !isBulkWrite
            ? new TenantGroupRewriter(QueryCompilationContext, tenant.TenantIds.Count).Visit(query)
            : keepsFilter && !tenant.IsGroup
            ? new SubqueryKeyRewriter(QueryCompilationContext.Model).Visit(query)
            : query;
    }

    // A filter comes by here by itself when EF applies it, with the values of its variables.
    public override Expression NormalizeQueryableMethod(Expression expression)
        => base.NormalizeQueryableMethod(expression is LambdaExpression filter ? OfFilter(filter) : expression);

    private Expression OfFilter(LambdaExpression filter)
    {
        // What it ignores, EF ignores in all of the query from then on.
        if (IgnoredTenancyFinder.Find(filter) is { } set
            && QueryCompilationContext.Model.GetEntityTypes().Any(e => e.FindTenantProperty() is not null))
        {
            throw new InvalidOperationException(TenancyStrings.UserFilterIgnoresTenancy(set.ShortDisplayName()));
        }

        var rewritten = _entityEquality?.Visit(filter) ?? filter;
        return _ownSets?.Visit(rewritten) ?? rewritten;
    }

    private static LambdaExpression Mark(string method)
        => Expression.Lambda(
            Expression.Call(
                typeof(TenancyQueryTranslationPreprocessor),
                method,
                null,
                Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Context))),
            QueryCompilationContext.QueryContextParameter);

    private static bool WriteAllTenants(DbContext context)
    {
        TenantFilterExpression.CurrentTenantOf(context).Place?.RefuseToWriteMoved();
        return ReadAllTenants(context);
    }

    private static bool ReadAllTenants(DbContext context)
    {
        TenantFilterExpression.CurrentTenantOf(context).ReadAllTenants();
        return true;
    }

    private static bool ReadOtherTenants(DbContext context)
    {
        TenantFilterExpression.CurrentTenantOf(context).ReadOtherTenants();
        return true;
    }
}
