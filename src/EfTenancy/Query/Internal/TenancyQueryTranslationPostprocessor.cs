using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfTenancy.Query.Internal;

/// <summary>Keeps what a bulk update comes to in SQL in its rows, and looks at the columns that it sets; puts the filter into the application's own SQL.</summary>
#pragma warning disable EF1001 // EF holds one postprocessor, the provider's.
public class TenancyQueryTranslationPostprocessor(
    QueryTranslationPostprocessorDependencies dependencies,
    RelationalQueryTranslationPostprocessorDependencies relationalDependencies,
    RelationalQueryCompilationContext queryCompilationContext,
    ISqlGenerationHelper sqlGenerationHelper)
    : NpgsqlQueryTranslationPostprocessor(dependencies, relationalDependencies, queryCompilationContext)
{
    public override Expression Process(Expression query)
    {
        var processed = base.Process(query);
        if (processed is UpdateExpression update)
        {
            TenantUpdateGuard.Refuse(update, QueryCompilationContext.Model);
        }

        return new FromSqlFilter(QueryCompilationContext, sqlGenerationHelper).Rewrite(processed);
    }

    protected override Expression Prune(Expression query)
        => base.Prune(query is UpdateExpression update ? BulkUpdateTarget.KeepJoined(update) : query);
}
#pragma warning restore EF1001
