using EfTenancy.Storage;

namespace EfTenancy.HealthChecks;

/// <summary>What <c>AddTenancyHealthChecks</c> may spend, and what it makes of failures.</summary>
public sealed class TenancyHealthCheckOptions
{
    /// <summary>
    ///     How many databases are asked in one run; 20 by default. A later run goes on where this one ended. Those that failed last time
    ///     are asked again first, up to half of the number.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int MaxDatabases
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 20;

    /// <summary>How many are asked at once; 4 by default. They count in <see cref="TenantDatabasesBuilder.MaxConnections" />.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int MaxParallelism
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 4;

    /// <summary>How long one run takes at most; 5 seconds by default. What did not answer until then has failed; what was not asked waits for the next run.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public TimeSpan Timeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromSeconds(5);

    /// <summary>From how many failed databases on the result is <c>Degraded</c>; 1 by default.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not positive.</exception>
    public int DegradedFrom
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            field = value;
        }
    } = 1;

    /// <summary>
    ///     From which share of failed databases on, of all whose state is known, the result is <c>Unhealthy</c>; 0.5 by default. If the
    ///     registry of tenants cannot be read, it always is.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not above 0, or above 1.</exception>
    public double UnhealthyFrom
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfNegativeOrZero(value);
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, 1);
            field = value;
        }
    } = 0.5;
}
