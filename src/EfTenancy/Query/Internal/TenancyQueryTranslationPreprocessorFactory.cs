using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;

namespace EfTenancy.Query.Internal;

/// <summary>Puts <see cref="TenancyQueryTranslationPreprocessor" /> in front of EF's.</summary>
#pragma warning disable EF1001 // EF's factory has no public base.
public class TenancyQueryTranslationPreprocessorFactory(
    QueryTranslationPreprocessorDependencies dependencies,
    RelationalQueryTranslationPreprocessorDependencies relationalDependencies,
    CurrentTenant tenant)
    : RelationalQueryTranslationPreprocessorFactory(dependencies, relationalDependencies)
{
    public override QueryTranslationPreprocessor Create(QueryCompilationContext queryCompilationContext)
        => new TenancyQueryTranslationPreprocessor(Dependencies, RelationalDependencies, queryCompilationContext, tenant);
}
#pragma warning restore EF1001
