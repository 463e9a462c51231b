using System.Diagnostics.Metrics;
using System.Runtime.CompilerServices;
using EfTenancy.Administration;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>One method for each thing that is counted as it happens; what connections are doing is asked when somebody measures.</summary>
public static class TenancyMeter
{
    private const string StateTag = "eftenancy.connection.state";

    private static readonly Meter Meter = new(TenancyTelemetry.MeterName);

    private static readonly ConditionalWeakTable<TenantDataSources, object?> Watched = [];

    private static readonly Counter<long> Contexts = Meter.CreateCounter<long>(
        "eftenancy.contexts", "{context}", "Contexts that settled on a tenant.");

    private static readonly Counter<long> AcrossTenants = Meter.CreateCounter<long>(
        "eftenancy.across_tenants", "{scope}", "Scopes in which a context saw all tenants.");

    private static readonly Counter<long> RefusedWrites = Meter.CreateCounter<long>(
        "eftenancy.cross_tenant_writes", "{refusal}", "Writes to another tenant that were refused.");

    private static readonly Histogram<double> ConnectionWaits = Meter.CreateHistogram<double>(
        "eftenancy.connection.wait_time", "s", "How long a tenant's context waited until it was its turn to have a connection.");

    private static readonly Histogram<double> Migrations = Meter.CreateHistogram<double>(
        "eftenancy.migration.duration", "s", "How long the migrations of a tenant's database or schema took.");

    private static readonly Histogram<double> Moves = Meter.CreateHistogram<double>(
        "eftenancy.move.duration", "s", "How long moving a tenant took, with the time in which it is known to all processes.");

    // Created here rather than kept: nobody but listeners asks for them.
    static TenancyMeter()
    {
        Meter.CreateObservableUpDownCounter(
            "eftenancy.connection.count", MeasureConnections, "{connection}", "Connections to tenants' databases.");
        Meter.CreateObservableUpDownCounter(
            "eftenancy.connection.max", () => Sum(s => s.Budget.Ceiling), "{connection}", "How many there may be.");
        Meter.CreateObservableUpDownCounter(
            "eftenancy.connection.pending_requests", () => Sum(s => s.Budget.Usage.Waiting), "{request}", "Contexts that wait for a connection.");
        Meter.CreateObservableUpDownCounter(
            "eftenancy.data_source.count", () => Sum(s => s.Count), "{data_source}", "Data sources that are kept for tenants' databases.");
    }

    public static void Watch(TenantDataSources sources)
        => Watched.Add(sources, null);

    public static void Forget(TenantDataSources sources)
        => Watched.Remove(sources);

    public static void ContextOpened(string tenantId)
    {
        if (Contexts.Enabled)
        {
            Contexts.Add(1, MeteredTenants.OfProcess.TagOf(tenantId));
        }
    }

    public static void AcrossTenantsEntered()
        => AcrossTenants.Add(1);

    public static void CrossTenantWriteRefused()
        => RefusedWrites.Add(1);

    /// <summary>When waiting begins; 0 if nobody listens.</summary>
    public static long WaitingStarts()
        => ConnectionWaits.Enabled ? TimeProvider.System.GetTimestamp() : 0;

    public static void WaitingEnds(long started)
    {
        if (started != 0)
        {
            ConnectionWaits.Record(TimeProvider.System.GetElapsedTime(started).TotalSeconds);
        }
    }

    public static void Migrated(TenantMigrationResult result)
    {
        if (Migrations.Enabled)
        {
            Migrations.Record(result.Duration.TotalSeconds, new KeyValuePair<string, object?>(TenancyActivities.OutcomeTag, result.Outcome.ToString()));
        }
    }

    public static void Moved(TimeSpan duration, bool succeeded)
    {
        if (Moves.Enabled)
        {
            Moves.Record(duration.TotalSeconds, new KeyValuePair<string, object?>(TenancyActivities.OutcomeTag, succeeded ? "Moved" : "Failed"));
        }
    }

    private static IEnumerable<Measurement<int>> MeasureConnections()
    {
        var (used, idle) = (0, 0);
        foreach (var (sources, _) in Watched)
        {
            var usage = sources.Budget.Usage;
            used += usage.Busy;
            idle += usage.Idle;
        }

        return [new(used, new KeyValuePair<string, object?>(StateTag, "used")), new(idle, new KeyValuePair<string, object?>(StateTag, "idle"))];
    }

    private static int Sum(Func<TenantDataSources, int> value)
        => Watched.Sum(w => value(w.Key));
}
