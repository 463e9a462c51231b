using System.Diagnostics;
using Npgsql;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>Requests that are repeated beside the work that is tested, and how long any of them waits for a lock.</summary>
public sealed class RequestLoad(TestDatabase database)
{
    /// <summary>What requests connect with, so that they are told apart from administration.</summary>
    public string ConnectionString { get; }
        = new NpgsqlConnectionStringBuilder(database.ConnectionString) { ApplicationName = "request" }.ConnectionString;

    public TimeSpan LongestLockWait { get; private set; }

    public static async Task<(int Count, TimeSpan Slowest)> RepeatAsync(Func<Task> request, CancellationToken stop)
    {
        var (count, slowest) = (0, TimeSpan.Zero);
        while (!stop.IsCancellationRequested)
        {
            var watch = Stopwatch.StartNew();
            await request();
            count++;
            slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
        }

        return (count, slowest);
    }

    public async Task WatchAsync(CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(
            """
            SELECT max(clock_timestamp() - l.waitstart) FROM pg_locks l JOIN pg_stat_activity a USING (pid)
            WHERE NOT l.granted AND a.application_name = 'request' AND a.datname = current_database()
            """,
            connection);
        while (!stop.IsCancellationRequested)
        {
            if (await command.ExecuteScalarAsync(CancellationToken.None) is TimeSpan wait && wait > LongestLockWait)
            {
                LongestLockWait = wait;
            }

            await Task.Delay(20, CancellationToken.None);
        }
    }
}
