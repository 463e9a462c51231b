using System.Diagnostics;
using Npgsql;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>How long a table is locked for everybody else.</summary>
public static class ExclusiveLock
{
    /// <summary>The longest time at a stretch. Looks a thousand times a second at best.</summary>
    public static async Task<TimeSpan> LongestAsync(string connectionString, uint table, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(
            $"SELECT EXISTS (SELECT FROM pg_locks WHERE relation = {table} AND mode = 'AccessExclusiveLock' AND granted)", connection);
        await command.PrepareAsync(CancellationToken.None);
        var longest = TimeSpan.Zero;
        long? since = null;
        while (!stop.IsCancellationRequested)
        {
            if ((bool)(await command.ExecuteScalarAsync(CancellationToken.None))!)
            {
                since ??= Stopwatch.GetTimestamp();
                var held = Stopwatch.GetElapsedTime(since.Value);
                longest = held > longest ? held : longest;
            }
            else
            {
                since = null;
            }
        }

        return longest;
    }
}
