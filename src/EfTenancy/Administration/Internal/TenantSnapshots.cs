namespace EfTenancy.Administration.Internal;

/// <summary>
///     Transactions that look at the database as it was. One that began before rows were copied would find neither the old ones nor the new
///     ones once the partition has changed, as after TRUNCATE.
/// </summary>
public sealed class TenantSnapshots(TenantConnection connection)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(10);

    // PostgreSQL's own workers, which vacuum, have no user.
    private const string Sql =
        """
        SELECT l.virtualtransaction FROM pg_stat_activity a JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'virtualxid' AND l.mode = 'ExclusiveLock'
        WHERE a.datname = current_database() AND a.usesysid IS NOT NULL AND a.pid <> pg_backend_pid() AND a.backend_xmin IS NOT NULL
        """;

    /// <summary>Returns when everybody sees what is committed now.</summary>
    /// <exception cref="TenantLockException">Somebody did not for long.</exception>
    public async Task WaitForOlderAsync(CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var older = await AllAsync(cancellationToken).ConfigureAwait(false);
        while (older.Count > 0)
        {
            if (TimeProvider.System.GetElapsedTime(started) > Patience)
            {
                throw new TenantLockException("older transactions would miss rows that were copied since");
            }

            await Task.Delay(BetweenLooks, cancellationToken).ConfigureAwait(false);
            older.IntersectWith(await AllAsync(cancellationToken).ConfigureAwait(false));
        }
    }

    /// <summary>Refuses to go on beside transactions that keep a moment of the past from one statement to the next.</summary>
    public async Task RefuseKeptAsync(CancellationToken cancellationToken)
    {
        if ((await connection.QueryAsync(
            Sql + " AND a.state LIKE 'idle in transaction%' LIMIT 1", r => r.GetString(0), cancellationToken).ConfigureAwait(false)).Count > 0)
        {
            throw new TenantLockException("transactions that are open would miss rows that were copied since");
        }
    }

    private async Task<HashSet<string>> AllAsync(CancellationToken cancellationToken)
        => [.. await connection.QueryAsync(Sql, r => r.GetString(0), cancellationToken).ConfigureAwait(false)];
}
