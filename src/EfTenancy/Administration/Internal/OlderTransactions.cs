using EfTenancy.Properties;

namespace EfTenancy.Administration.Internal;

/// <summary>The transactions of a database at one moment, which may still write what a later one must not, or read what will be gone.</summary>
public static class OlderTransactions
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMilliseconds(500);

    // Every transaction holds a lock on itself, which everybody may see; who may not see when it began, does not see its kind either.
    private const string Sql =
        """
        SELECT l.virtualxid || ' ' || l.pid FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
        WHERE l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock' AND l.granted AND l.pid <> pg_backend_pid()
            AND a.datname = current_database() AND COALESCE(a.backend_type, 'client backend') = 'client backend'
        UNION ALL SELECT 'prepared ' || gid FROM pg_prepared_xacts WHERE database = current_database()
        """;

    /// <summary>Waits for those that are there now.</summary>
    /// <exception cref="TimeoutException">They did not end.</exception>
    public static async Task WaitAsync(TenantSite site, TransferConnection connection, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var older = await ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        for (var pause = FirstPause; older.Count > 0; pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
        {
            if (TimeProvider.System.GetElapsedTime(started) > site.Options.RetryTimeout)
            {
                throw new TimeoutException(
                    TenancyStrings.OlderTransactions(site.TenantId, site.Destination, site.Options.RetryTimeout, older.Order(StringComparer.Ordinal)));
            }

            await Task.Delay(pause, cancellationToken).ConfigureAwait(false);
            older.IntersectWith(await ReadAsync(connection, cancellationToken).ConfigureAwait(false));
        }
    }

    private static async Task<HashSet<string>> ReadAsync(TransferConnection connection, CancellationToken cancellationToken)
        => [.. await connection.Session.QueryAsync(Sql, r => r.GetString(0), cancellationToken).ConfigureAwait(false)];
}
