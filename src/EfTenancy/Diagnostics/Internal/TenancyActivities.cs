using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.Administration.Internal;
using EfTenancy.Storage;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>One method for each kind of activity; null while nobody listens.</summary>
public static class TenancyActivities
{
    public const string OutcomeTag = "eftenancy.outcome";

    private const string DestinationTag = "eftenancy.destination";
    private const string TenantsTag = "eftenancy.tenants";

    private static readonly ActivitySource Source = new(TenancyTelemetry.ActivitySourceName);

    public static Activity? WaitForConnection(string? tenantId)
        => Source.StartActivity("eftenancy.wait_for_connection")?.SetTag(TenancyTelemetry.TenantTag, tenantId);

    public static Activity? Migrate(TenantMigrationUnit unit)
        => Source.StartActivity("eftenancy.migrate")
            ?.SetTag(TenancyTelemetry.TenantTag, unit.TenantId)
            .SetTag(TenantsTag, unit.TenantIds.Count)
            .SetTag(DestinationTag, unit.Place?.Destination.ToString());

    public static void Migrated(Activity? activity, TenantMigrationResult result)
    {
        activity?.SetTag(OutcomeTag, result.Outcome.ToString());
        if (result.Error is { } error)
        {
            Failed(activity, error);
        }
    }

    /// <summary>A call that moves a tenant; it counts when there was something to do.</summary>
    public static async Task<TenantTransferResult> MoveAsync(string tenantId, TenantDestination destination, Func<Task<TenantTransferResult>> move)
    {
        using var activity = Source.StartActivity("eftenancy.move")
            ?.SetTag(TenancyTelemetry.TenantTag, tenantId).SetTag(DestinationTag, destination.ToString());
        var started = TimeProvider.System.GetTimestamp();
        try
        {
            var result = await move().ConfigureAwait(false);
            if (result.Tables.Count > 0)
            {
                TenancyMeter.Moved(TimeProvider.System.GetElapsedTime(started), succeeded: true);
            }

            return result;
        }
        catch (Exception exception)
        {
            Failed(activity, exception);
            TenancyMeter.Moved(TimeProvider.System.GetElapsedTime(started), succeeded: false);
            throw;
        }
    }

    /// <summary>A call of administration. The ids come back listed, so that they are enumerated once.</summary>
    public static async Task<TResult> AdministerAsync<TResult>(
        string method,
        IEnumerable<string>? tenantIds,
        Func<IEnumerable<string>, Task<TResult>> work)
    {
        using var activity = Source.StartActivity("eftenancy.administration." + method);
        if (activity is not null && tenantIds is not null)
        {
            var ids = tenantIds.ToList();
            tenantIds = ids;
            activity.SetTag(TenantsTag, ids.Count);
            if (ids is [var only])
            {
                activity.SetTag(TenancyTelemetry.TenantTag, only);
            }
        }

        try
        {
            return await work(tenantIds!).ConfigureAwait(false);
        }
        catch (Exception exception)
        {
            Failed(activity, exception);
            throw;
        }
    }

    /// <inheritdoc cref="AdministerAsync{TResult}" />
    public static Task AdministerAsync(string method, IEnumerable<string>? tenantIds, Func<IEnumerable<string>, Task> work)
        => AdministerAsync(
            method, tenantIds,
            async ids =>
            {
                await work(ids).ConfigureAwait(false);
                return true;
            });

    public static void Failed(Activity? activity, Exception exception)
        => activity?.SetStatus(ActivityStatusCode.Error, exception.Message).AddException(exception);
}
