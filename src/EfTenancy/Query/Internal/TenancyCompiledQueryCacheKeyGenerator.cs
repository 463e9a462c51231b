using System.Linq.Expressions;
using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore.Query;
using Npgsql.EntityFrameworkCore.PostgreSQL.Query.Internal;

namespace EfTenancy.Query.Internal;

/// <summary>Keeps queries compiled inside <c>AcrossTenants</c>, and for groups of tenants, apart from all others.</summary>
#pragma warning disable EF1001 // EF holds one generator; what the provider puts into the key must stay in it.
public class TenancyCompiledQueryCacheKeyGenerator(
    CompiledQueryCacheKeyGeneratorDependencies dependencies,
    RelationalCompiledQueryCacheKeyGeneratorDependencies relationalDependencies,
    CurrentTenant tenant)
    : NpgsqlCompiledQueryCacheKeyGenerator(dependencies, relationalDependencies)
{
    public override object GenerateCacheKey(Expression query, bool async)
        => tenant.IsAcrossTenants ? new AcrossTenantsKey(base.GenerateCacheKey(query, async))
            : tenant.IsGroup ? new GroupKey(base.GenerateCacheKey(query, async), tenant.TenantIds.Count)
            : base.GenerateCacheKey(query, async);

    private sealed record AcrossTenantsKey(object Query);

    private sealed record GroupKey(object Query, int Count);
}
#pragma warning restore EF1001
