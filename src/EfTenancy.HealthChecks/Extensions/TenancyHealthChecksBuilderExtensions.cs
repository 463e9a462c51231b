using EfTenancy.HealthChecks;
using EfTenancy.HealthChecks.Internal;
using EfTenancy.Storage;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Health checks of tenants' databases.</summary>
public static class TenancyHealthChecksBuilderExtensions
{
    /// <summary>
    ///     Adds a health check over the databases of all tenants that <c>AddTenantDatabases</c> knows: one connection and one query for a
    ///     database, however many tenants or schemas are in it. The result names what failed, without passwords.
    /// </summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="configure">How many databases, how many at once, how long; see the defaults of <see cref="TenancyHealthCheckOptions" />.</param>
    /// <param name="name">The name of the check; <c>tenancy</c> by default.</param>
    /// <param name="failureStatus">What it reports when too many fail; <see cref="HealthStatus.Unhealthy" /> by default.</param>
    /// <param name="tags">Tags to choose checks by; none by default.</param>
    public static IHealthChecksBuilder AddTenancyHealthChecks(
        this IHealthChecksBuilder builder,
        Action<TenancyHealthCheckOptions>? configure = null,
        string name = "tenancy",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);

        var options = new TenancyHealthCheckOptions();
        configure?.Invoke(options);

        // One for all runs: it remembers where the last one ended.
        builder.Services.AddKeyedSingleton(
            name, (services, _) => new TenantDatabasesHealthCheck(services.GetRequiredService<TenantDatabases>(), options));
        return builder.Add(
            new HealthCheckRegistration(
                name, services => services.GetRequiredKeyedService<TenantDatabasesHealthCheck>(name), failureStatus, tags));
    }
}
