using EfTenancy.Migrations.Internal;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Detaches partitions concurrently, and finishes such a detach that was cut off. Neither can be in a transaction with other work, so
///     that each first looks what is left to do.
/// </summary>
public sealed class TenantDetacher(TenantDatabase database, TenantConnection connection)
{
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    // PostgreSQL lets one partition of a table go at a time. Processes ask again and again rather than wait for each other: a session that
    // waits has a snapshot, which the detach waits for.
    public async Task DetachAsync(TenantTable table, TenantTablePartition partition, CancellationToken cancellationToken)
    {
        var key = $"(hashtext('EfTenancy'), {unchecked((int)table.Oid)})";
        await connection.RetryAsync(() => LockAsync(table, key, cancellationToken), cancellationToken).ConfigureAwait(false);
        try
        {
            await connection.RetryAsync(() => DetachOnceAsync(table, partition, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await connection.ReleaseAsync($"SELECT pg_advisory_unlock{key}").ConfigureAwait(false);
        }
    }

    private async Task<bool> LockAsync(TenantTable table, string key, CancellationToken cancellationToken)
    {
        var isLocked = await connection.QueryAsync($"SELECT pg_try_advisory_lock{key}", r => r.GetBoolean(0), cancellationToken)
            .ConfigureAwait(false);
        return isLocked[0] ? true : throw new TenantLockException($"another process detaches a partition of {table.DisplayName}");
    }

    // The detach may wait for each lock only so long. When it is cut off late, while it waits for older transactions, it leaves the
    // partition invisible and pending, and the next attempt finishes it.
    private async Task<bool> DetachOnceAsync(TenantTable table, TenantTablePartition partition, CancellationToken cancellationToken)
    {
        await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);
        var (parent, child) = (database.Name(table), database.Name(partition));
        switch (table.Partitions.Find(p => p.Oid == partition.Oid))
        {
            case { IsDetachPending: true }:
                await FinalizeAsync(TenantPartitionSql.FinalizeDetach(parent, child), cancellationToken).ConfigureAwait(false);
                break;
            case not null:
                await connection.ExecuteAsync([TenantPartitionSql.DetachPartitionConcurrently(parent, child)], cancellationToken)
                    .ConfigureAwait(false);
                break;
        }

        return true;
    }

    /// <summary>
    ///     Waits for older transactions, which is in nobody's way, and then takes ACCESS EXCLUSIVE on the tables that reference this one,
    ///     which is. One timeout cannot tell the two waits apart, so that a second session looks at what the first one waits for.
    /// </summary>
    private async Task FinalizeAsync(string statement, CancellationToken cancellationToken)
    {
        var watch = await database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = watch.ConfigureAwait(false);
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);

        var started = TimeProvider.System.GetTimestamp();
        var finalized = connection.ExecutePatientlyAsync(statement, cut.Token);
        try
        {
            while (await Task.WhenAny(finalized, Task.Delay(BetweenLooks, cancellationToken)).ConfigureAwait(false) != finalized)
            {
                if (TimeProvider.System.GetElapsedTime(started) > connection.RetryTimeout
                    || await IsInTheWayAsync(watch, cancellationToken).ConfigureAwait(false))
                {
                    await cut.CancelAsync().ConfigureAwait(false);
                }
            }
        }
        catch
        {
            await cut.CancelAsync().ConfigureAwait(false);
            await finalized.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        try
        {
            await finalized.ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TenantLockException("older transactions, or locks of referencing tables", exception);
        }
    }

    private async Task<bool> IsInTheWayAsync(TenantConnection watch, CancellationToken cancellationToken)
        => (await watch.QueryAsync(
            """
            SELECT 1 FROM pg_locks
            WHERE pid = @session AND NOT granted AND locktype = 'relation' AND clock_timestamp() - waitstart > LEAST(
                @timeout, (SELECT setting::int / 2 * interval '1 ms' FROM pg_settings WHERE name = 'deadlock_timeout'))
            """,
            r => r.GetInt32(0),
            cancellationToken,
            new NpgsqlParameter("session", connection.ProcessId),
            new NpgsqlParameter("timeout", NpgsqlDbType.Interval) { Value = connection.LockTimeout }).ConfigureAwait(false)).Count > 0;
}
