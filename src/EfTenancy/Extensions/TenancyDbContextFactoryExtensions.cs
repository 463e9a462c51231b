using EfTenancy;
using EfTenancy.Infrastructure;

namespace Microsoft.EntityFrameworkCore;

/// <summary>Opens contexts for a named tenant, as Marten opens sessions.</summary>
public static class TenancyDbContextFactoryExtensions
{
    /// <summary>
    ///     Creates a context that works for one tenant, whatever the <see cref="ITenantAccessor" /> says. Where tenants have databases or
    ///     schemas of their own, its first use asks for the tenant's; <c>CreateDbContextAsync</c> does at once.
    /// </summary>
    /// <typeparam name="TContext">The type of the context.</typeparam>
    /// <param name="factory">The factory.</param>
    /// <param name="tenantId">The tenant's id.</param>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="InvalidOperationException">The context has no tenancy.</exception>
    public static TContext CreateDbContext<TContext>(this IDbContextFactory<TContext> factory, string tenantId)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(factory);

        var context = factory.CreateDbContext();
        try
        {
            TenancyFacade.Use(context, tenantId);
            return context;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <inheritdoc cref="CreateDbContext{TContext}(IDbContextFactory{TContext}, string)" />
    /// <param name="cancellationToken">Cancels the creation.</param>
#pragma warning disable CS1573 // The other parameters are described by the inherited text.
    public static async Task<TContext> CreateDbContextAsync<TContext>(
        this IDbContextFactory<TContext> factory,
        string tenantId,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
#pragma warning restore CS1573
    {
        ArgumentNullException.ThrowIfNull(factory);

        var context = await factory.CreateDbContextAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await TenancyFacade.UseAsync(context, tenantId, cancellationToken).ConfigureAwait(false);
            return context;
        }
        catch
        {
            await context.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
