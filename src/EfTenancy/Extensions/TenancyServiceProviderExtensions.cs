using EfTenancy.Administration;
using Microsoft.EntityFrameworkCore;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Work on all tenants when an application starts.</summary>
public static class TenancyServiceProviderExtensions
{
    /// <summary>
    ///     Migrates the databases and schemas of all tenants, as <see cref="ITenantMigrator{TContext}.MigrateAsync" /> does; the counterpart of
    ///     <c>db.Database.MigrateAsync()</c> for many.
    /// </summary>
    /// <typeparam name="TContext">The type of the context.</typeparam>
    /// <param name="services">The application's services, with <c>AddTenantAdministration&lt;TContext&gt;()</c>.</param>
    /// <param name="configure">How many at once, how many failures, which first; see the defaults of <see cref="TenantMigrationOptions" />.</param>
    /// <param name="cancellationToken">Cancels the call. What is done stays.</param>
    /// <returns>What was done, ordered by destination.</returns>
    /// <exception cref="TenantMigrationException">Some failed, or were not begun because others failed.</exception>
    public static Task<IReadOnlyList<TenantMigrationResult>> MigrateTenantsAsync<TContext>(
        this IServiceProvider services,
        Action<TenantMigrationOptions>? configure = null,
        CancellationToken cancellationToken = default)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);

        var options = new TenantMigrationOptions();
        configure?.Invoke(options);
        return services.GetRequiredService<ITenantMigrator<TContext>>().MigrateAsync(options, cancellationToken);
    }
}
