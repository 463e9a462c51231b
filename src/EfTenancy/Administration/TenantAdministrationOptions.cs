namespace EfTenancy.Administration;

/// <summary>How patient <see cref="ITenantAdministration" /> is.</summary>
public sealed class TenantAdministrationOptions
{
    /// <summary>
    ///     How long a statement waits for a lock before its transaction gives up and is tried again: 100 ms by default, and up to five
    ///     times as long after failed attempts. Requests of the application that want the same tables wait behind it, so this is about
    ///     the longest that it can hold them up. At most half of PostgreSQL's <c>deadlock_timeout</c> (1 s by default) is used, so that
    ///     no request is ever the victim of a deadlock.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not between 1 ms and 1 min.</exception>
    public TimeSpan LockTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.FromMilliseconds(1));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(value, TimeSpan.FromMinutes(1));
            field = value;
        }
    } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    ///     How long one transaction is tried again while others hold the locks it needs: 1 min by default. Then its table counts as
    ///     failed.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">It is negative.</exception>
    public TimeSpan RetryTimeout
    {
        get;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, TimeSpan.Zero);
            field = value;
        }
    } = TimeSpan.FromMinutes(1);
}
