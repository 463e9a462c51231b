using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace EfTenancy.HealthChecks.Internal;

/// <summary>Asks some of the databases in each run, and judges by what is known of all.</summary>
public sealed class TenantDatabasesHealthCheck(TenantDatabases databases, TenancyHealthCheckOptions options) : IHealthCheck
{
    private const int NamedFailures = 10;

    private readonly TenantDatabaseProbe _probe = new(databases, options.Timeout);
    private readonly ProbeRotation _rotation = new(options.MaxDatabases);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(options.Timeout);

        IReadOnlyList<TenantDatabaseAddress> all;
        try
        {
            all = await _probe.ListAsync(timeout.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
        {
            var failure = _probe.ToFailure(exception, TenantDestination.Home);
            return new HealthCheckResult(
                context.Registration.FailureStatus,
                $"The registry of tenants cannot be read. {failure.Message}",
                failure,
                new Dictionary<string, object> { ["failed"] = new[] { TenantDestination.Home.ToString() } });
        }

        var asked = _rotation.Next(all);
        var answered = 0;
        await Parallel.ForEachAsync(
            asked,
            new ParallelOptions { MaxDegreeOfParallelism = options.MaxParallelism, CancellationToken = cancellationToken },
            async (address, _) =>
            {
                if (!timeout.IsCancellationRequested)
                {
                    var failure = await _probe.AskAsync(address, timeout.Token).ConfigureAwait(false);
                    cancellationToken.ThrowIfCancellationRequested();
                    _rotation.Answered(address, failure);
                    Interlocked.Increment(ref answered);
                }
            }).ConfigureAwait(false);

        return Judge(context, all.Count, answered);
    }

    private HealthCheckResult Judge(HealthCheckContext context, int all, int answered)
    {
        var (known, failures) = _rotation.Known();
        var status = failures.Count > 0 && failures.Count >= options.UnhealthyFrom * known ? context.Registration.FailureStatus
            : failures.Count >= options.DegradedFrom ? HealthStatus.Degraded
            : HealthStatus.Healthy;
        var named = string.Join(" ", failures.Take(NamedFailures).Select(f => f.Message))
            + (failures.Count > NamedFailures ? $" And {failures.Count - NamedFailures} more." : "");

        return new HealthCheckResult(
            status,
            $"{known - failures.Count} of {known} databases of tenants answered. {named}".TrimEnd(),
            failures.Count > 0 ? failures[0] : null,
            new Dictionary<string, object>
            {
                ["databases"] = all,
                ["known"] = known,
                ["asked"] = answered,
                ["failed"] = failures.Select(f => f.Destination.ToString()).ToArray(),
            });
    }
}
