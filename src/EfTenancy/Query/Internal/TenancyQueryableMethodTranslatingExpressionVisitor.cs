using System.Linq.Expressions;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfTenancy.Query.Internal;

/// <summary>
///     EF tells the rows that the collections of a result belong to by their keys. Where the filter leaves the rows of one tenant, their ids are
///     enough, and EF translates what it does for the same rows without a tenant: behind a <c>Distinct</c> or a <c>Union</c> it would want the
///     tenant, which the application has not selected.
/// </summary>
#pragma warning disable EF1001 // EF holds one visitor, the provider's, and has no other way to say what identifies rows.
public class TenancyQueryableMethodTranslatingExpressionVisitor : NpgsqlQueryableMethodTranslatingExpressionVisitor
{
    private readonly RelationalQueryCompilationContext _queryCompilationContext;
    private readonly CurrentTenant _tenant;

    public TenancyQueryableMethodTranslatingExpressionVisitor(
        QueryableMethodTranslatingExpressionVisitorDependencies dependencies,
        RelationalQueryableMethodTranslatingExpressionVisitorDependencies relationalDependencies,
        RelationalQueryCompilationContext queryCompilationContext,
        INpgsqlSingletonOptions npgsqlSingletonOptions,
        CurrentTenant tenant)
        : base(dependencies, relationalDependencies, queryCompilationContext, npgsqlSingletonOptions)
        => (_queryCompilationContext, _tenant) = (queryCompilationContext, tenant);

    protected TenancyQueryableMethodTranslatingExpressionVisitor(TenancyQueryableMethodTranslatingExpressionVisitor parentVisitor)
        : base(parentVisitor)
        => (_queryCompilationContext, _tenant) = (parentVisitor._queryCompilationContext, parentVisitor._tenant);

    // Cross-tenant predicates and AcrossTenants ignore the filter in all of a query, and give single-tenant sets a condition in its place.
    private bool HasFilterOfOneTenant
        => !_tenant.IsGroup
            && !_queryCompilationContext.IgnoreQueryFilters
            && _queryCompilationContext.IgnoredQueryFilters?.Contains(TenancyDefaults.QueryFilterName) != true;

    protected override QueryableMethodTranslatingExpressionVisitor CreateSubqueryVisitor()
        => new TenancyQueryableMethodTranslatingExpressionVisitor(this);

    protected override SelectExpression CreateSelect(IEntityType entityType)
        => IdentifyById(base.CreateSelect(entityType), entityType);

    // SQL of the application's, and functions, for which EF does not come by above.
    protected override Expression VisitExtension(Expression extensionExpression)
        => base.VisitExtension(extensionExpression) is var translated
            && extensionExpression is EntityQueryRootExpression { EntityType: var entityType }
            && extensionExpression.GetType() != typeof(EntityQueryRootExpression)
            && translated is ShapedQueryExpression { QueryExpression: SelectExpression select, ShaperExpression: StructuralTypeShaperExpression shaper }
            && IdentifyById(select, entityType) is var identified
                ? new ShapedQueryExpression(identified, shaper.Update(ProjectionOf(identified)))
                : translated;

    private SelectExpression IdentifyById(SelectExpression select, IEntityType entityType)
    {
        if (!HasFilterOfOneTenant
            || entityType.HasSharedRows()
            || entityType.FindTenantProperty() is not { } tenant
            || entityType.FindPrimaryKey()?.Properties.Where(p => p != tenant).ToList() is not { Count: > 0 } ids)
        {
            return select;
        }

        var projection = (StructuralTypeProjectionExpression)select.GetProjection(ProjectionOf(select));
        var identified = new SelectExpression(
            [.. select.Tables],
            projection,
            [.. ids.Select(p => ((ColumnExpression)projection.BindProperty(p), p.GetKeyValueComparer()))],
            _queryCompilationContext.SqlAliasManager);
        if (select.Predicate is not null)
        {
            identified.ApplyPredicate(select.Predicate);
        }

        return identified;
    }

    private static ProjectionBindingExpression ProjectionOf(SelectExpression select)
        => new(select, new ProjectionMember(), typeof(ValueBuffer));
}
#pragma warning restore EF1001
