using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfTenancy.Query.Internal;

/// <summary>Puts <see cref="TenancyQueryTranslationPostprocessor" /> behind the provider's.</summary>
#pragma warning disable EF1001 // The provider's factory has no public base.
public class TenancyQueryTranslationPostprocessorFactory(
    QueryTranslationPostprocessorDependencies dependencies,
    RelationalQueryTranslationPostprocessorDependencies relationalDependencies,
    ISqlGenerationHelper sqlGenerationHelper)
    : NpgsqlQueryTranslationPostprocessorFactory(dependencies, relationalDependencies)
{
    public override QueryTranslationPostprocessor Create(QueryCompilationContext queryCompilationContext)
        => new TenancyQueryTranslationPostprocessor(
            Dependencies, RelationalDependencies, (RelationalQueryCompilationContext)queryCompilationContext, sqlGenerationHelper);
}
#pragma warning restore EF1001
