using EfTenancy;
using EfTenancy.Properties;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Predicates that let a query look beyond its tenant, on purpose and visibly. The names and the meaning are Marten's.</summary>
/// <remarks>
///     Each replaces the tenant filter of the one set it stands on and is ANDed with the rest of the query, wherever in the
///     predicate it stands: <c>||</c> and <c>!</c> cannot widen it. Every other set of the query keeps its tenant, and so do
///     the user's own query filters. <c>IgnoreQueryFilters()</c> drops the filters of the whole query instead.
/// </remarks>
public static class TenancyQueryableExtensions
{
    /// <summary>The row belongs to one of these tenants, instead of the tenant of the context.</summary>
    /// <typeparam name="TEntity">The type of the entity, which must be multi-tenanted.</typeparam>
    /// <param name="entity">The element of a set.</param>
    /// <param name="tenantIds">The tenants; constants or variables. With none, no row is found.</param>
    /// <exception cref="InvalidOperationException">
    ///     Called in memory, on a single-tenanted entity, or where the entity cannot be followed to a set.
    /// </exception>
    /// <exception cref="InvalidTenantForDatabaseException">
    ///     When the query is run: a tenant is in another database or schema than the context, so that its rows would be left out.
    /// </exception>
    /// <exception cref="UnknownTenantException">When the query is run: tenants have databases or schemas, and nobody knows one of these.</exception>
    public static bool TenantIsOneOf<TEntity>(this TEntity entity, params string[] tenantIds)
        where TEntity : class
        => throw new InvalidOperationException(TenancyStrings.FilterCalledOutsideQuery(nameof(TenantIsOneOf)));

    /// <summary>
    ///     The row belongs to any tenant, instead of the tenant of the context. Where tenants have databases or schemas, to any of those in
    ///     the context's: <see cref="EfTenancy.Diagnostics.TenancyEventId.TenantsElsewhereNotRead" /> is logged if there are others.
    /// </summary>
    /// <typeparam name="TEntity">The type of the entity, which must be multi-tenanted.</typeparam>
    /// <param name="entity">The element of a set.</param>
    /// <exception cref="InvalidOperationException">
    ///     Called in memory, on a single-tenanted entity, or where the entity cannot be followed to a set.
    /// </exception>
    public static bool AnyTenant<TEntity>(this TEntity entity)
        where TEntity : class
        => throw new InvalidOperationException(TenancyStrings.FilterCalledOutsideQuery(nameof(AnyTenant)));
}
