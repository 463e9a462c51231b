using System.Collections.Concurrent;

namespace EfTenancy.Diagnostics.Internal;

/// <summary>Which tenants metrics tell apart: the first ones, up to a limit.</summary>
public sealed class MeteredTenants
{
    private readonly ConcurrentDictionary<string, bool> _tenants = new();
    private readonly Lock _lock = new();
    private volatile int _count;

    public static MeteredTenants OfProcess { get; } = new();

    public int Limit { get; set; } = 100;

    public KeyValuePair<string, object?> TagOf(string tenantId)
        => new(TenancyTelemetry.TenantTag, IsTold(tenantId) ? tenantId : TenancyTelemetry.OtherTenants);

    private bool IsTold(string tenantId)
    {
        if (_tenants.ContainsKey(tenantId))
        {
            return true;
        }

        // Not Count of the dictionary, which locks all of it: tenants beyond the limit come by here each time.
        if (_count >= Limit)
        {
            return false;
        }

        lock (_lock)
        {
            if (_count >= Limit)
            {
                return _tenants.ContainsKey(tenantId);
            }

            if (_tenants.TryAdd(tenantId, true))
            {
                _count++;
            }

            return true;
        }
    }
}
