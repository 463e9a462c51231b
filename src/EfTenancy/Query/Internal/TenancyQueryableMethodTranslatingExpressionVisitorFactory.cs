using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore.Query;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfTenancy.Query.Internal;

/// <summary>Puts <see cref="TenancyQueryableMethodTranslatingExpressionVisitor" /> in the provider's place.</summary>
#pragma warning disable EF1001 // The provider's factory has no public base.
public class TenancyQueryableMethodTranslatingExpressionVisitorFactory(
    QueryableMethodTranslatingExpressionVisitorDependencies dependencies,
    RelationalQueryableMethodTranslatingExpressionVisitorDependencies relationalDependencies,
    INpgsqlSingletonOptions npgsqlSingletonOptions,
    CurrentTenant tenant)
    : NpgsqlQueryableMethodTranslatingExpressionVisitorFactory(dependencies, relationalDependencies, npgsqlSingletonOptions)
{
    private readonly INpgsqlSingletonOptions _npgsqlSingletonOptions = npgsqlSingletonOptions;

    public override QueryableMethodTranslatingExpressionVisitor Create(QueryCompilationContext queryCompilationContext)
        => new TenancyQueryableMethodTranslatingExpressionVisitor(
            Dependencies, RelationalDependencies, (RelationalQueryCompilationContext)queryCompilationContext, _npgsqlSingletonOptions, tenant);
}
#pragma warning restore EF1001
