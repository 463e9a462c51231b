using EfTenancy.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Tenancy of a context.</summary>
public static class TenancyDbContextExtensions
{
    /// <summary>
    ///     The tenancy of this context: its tenant, and work that concerns tenants. It ends with the context, or with the lease of a pooled
    ///     one: used later, it throws <see cref="ObjectDisposedException" />.
    /// </summary>
    /// <param name="context">The context.</param>
    /// <exception cref="InvalidOperationException">The context has no tenancy: <c>UseTenancy(...)</c> was not called.</exception>
    public static TenancyFacade Tenancy(this DbContext context)
    {
        ArgumentNullException.ThrowIfNull(context);

        return new TenancyFacade(context);
    }
}
