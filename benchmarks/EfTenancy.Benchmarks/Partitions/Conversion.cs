using System.Diagnostics;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>Turns the plain table of flights into a partitioned one while a writer and a reader work, and looks whether all rows are there.</summary>
public sealed class Conversion(string connectionString)
{
    public const string WorkingTenant = "ATL";

    /// <summary>Applies the migration that leads from a plain table to this partitioning, or the steps given.</summary>
    public async Task<ConversionResult> RunAsync(Action<TenantPartitioningBuilder> partitioning, Action<MigrationBuilder>? steps = null)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        var last = (long)(await ScalarAsync(connection, """SELECT max("Id") FROM "Flights" """))!;
        var checksum = await ChecksumAsync(connection, last);
        var file = await ScalarAsync(connection, """SELECT relfilenode FROM pg_class WHERE oid = '"Flights"'::regclass""");
        var table = (uint)(await ScalarAsync(connection, """SELECT '"Flights"'::regclass::oid"""))!;

        using var stop = new CancellationTokenSource();
        var writer = WorkAsync(
            context =>
            {
                context.Add(new Flight { FlownAt = new DateTime(2026, 1, 1), Destination = "new" });
                return context.SaveChangesAsync();
            },
            stop.Token);
        var reader = WorkAsync(context => context.Flights.FirstAsync(), stop.Token);
        var held = ExclusiveLock.LongestAsync(connectionString, table, stop.Token);

        var clock = Stopwatch.StartNew();
        await MigrateAsync(partitioning, steps);
        var duration = clock.Elapsed;
        await Task.Delay(200);
        await stop.CancelAsync();
        var (written, longestWrite) = await writer;
        var (_, longestRead) = await reader;

        return new(
            duration,
            await held,
            longestWrite,
            longestRead,
            checksum == await ChecksumAsync(connection, last)
            && written == (long)(await ScalarAsync(connection, $"""SELECT count(*) FROM "Flights" WHERE "Id" > {last}"""))!,
            (bool)(await ScalarAsync(
                connection,
                $"""SELECT EXISTS (SELECT FROM pg_partition_tree('"Flights"') JOIN pg_class ON oid = relid WHERE relfilenode = {file})"""))!);
    }

    private async Task MigrateAsync(Action<TenantPartitioningBuilder> partitioning, Action<MigrationBuilder>? steps)
    {
        await using var before = FlightContext.Create(connectionString);
        await using var after = FlightContext.Create(connectionString, partitioning);
        var migration = new MigrationBuilder(after.Database.ProviderName);
        steps?.Invoke(migration);
        var operations = steps is null
            ? after.GetService<IMigrationsModelDiffer>().GetDifferences(Model(before), Model(after))
            : migration.Operations;
        await after.GetService<IMigrationCommandExecutor>().ExecuteNonQueryAsync(
            after.GetService<IMigrationsSqlGenerator>().Generate(operations, after.GetService<IDesignTimeModel>().Model),
            after.GetService<IRelationalConnection>());
    }

    private static IRelationalModel Model(FlightContext context)
        => context.GetService<IDesignTimeModel>().Model.GetRelationalModel();

    private async Task<(long Count, TimeSpan Longest)> WorkAsync(Func<FlightContext, Task> work, CancellationToken stop)
    {
        var (count, longest) = (0L, TimeSpan.Zero);
        while (!stop.IsCancellationRequested)
        {
            await using var context = FlightContext.Create(connectionString, tenant: WorkingTenant);
            var started = Stopwatch.GetTimestamp();
            await work(context);
            var took = Stopwatch.GetElapsedTime(started);

            // The first one warms up.
            longest = count++ > 0 && took > longest ? took : longest;
        }

        return (count, longest);
    }

    private static async Task<string> ChecksumAsync(NpgsqlConnection connection, long last)
        => (string)(await ScalarAsync(
            connection, $"""SELECT count(*) || ' ' || sum(hashtextextended(f::text, 0)) FROM "Flights" f WHERE "Id" <= {last}"""))!;

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteScalarAsync();
    }
}

/// <summary>What a conversion took, and what it left.</summary>
/// <param name="Duration">From the first statement to the last.</param>
/// <param name="LockHeld">The longest time that the table was locked for everybody else.</param>
/// <param name="LongestWrite">The slowest insert of one row meanwhile.</param>
/// <param name="LongestRead">The slowest read by key meanwhile.</param>
/// <param name="HasAllRows">Whether the rows of before have the same checksum, and all rows written meanwhile are there.</param>
/// <param name="HasSameFile">Whether a partition has the file of the plain table.</param>
public sealed record ConversionResult(
    TimeSpan Duration,
    TimeSpan LockHeld,
    TimeSpan LongestWrite,
    TimeSpan LongestRead,
    bool HasAllRows,
    bool HasSameFile);
