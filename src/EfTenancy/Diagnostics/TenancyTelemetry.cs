using EfTenancy.Diagnostics.Internal;

namespace EfTenancy.Diagnostics;

/// <summary>
///     Names of what EfTenancy measures with <c>System.Diagnostics</c>, for OpenTelemetry's <c>AddMeter</c> and <c>AddSource</c>. While
///     nobody listens, nothing is measured.
/// </summary>
public static class TenancyTelemetry
{
    /// <summary>The name of the meter: <c>EfTenancy</c>.</summary>
    public const string MeterName = "EfTenancy";

    /// <summary>The name of the source of activities: <c>EfTenancy</c>.</summary>
    public const string ActivitySourceName = "EfTenancy";

    /// <summary>The tag that names a tenant, on metrics and activities: <c>eftenancy.tenant</c>.</summary>
    public const string TenantTag = "eftenancy.tenant";

    /// <summary>What <see cref="TenantTag" /> of a metric is for tenants beyond <see cref="MaxTenants" />: <c>other</c>.</summary>
    public const string OtherTenants = "other";

    /// <summary>
    ///     How many tenants of this process metrics tell apart: the first so many; 100 by default. A metric costs memory here and in its
    ///     store for each. 0 tells none. Activities name every tenant.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public static int MaxTenants
    {
        get => MeteredTenants.OfProcess.Limit;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegative(value);
            MeteredTenants.OfProcess.Limit = value;
        }
    }
}
