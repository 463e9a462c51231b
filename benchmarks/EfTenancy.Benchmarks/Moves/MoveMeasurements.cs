using System.Diagnostics;
using System.Globalization;
using DevPostgres;
using EfTenancy.Administration;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;

namespace EfTenancy.Benchmarks.Moves;

/// <summary>The copy of <c>MoveAsync</c> beside psql's <c>\copy</c> of the same rows, binary, out of the same tables and into the same kind of tables.</summary>
public static class MoveMeasurements
{
    private static readonly string[] Tables = ["Teams", "Members", "Projects", "WorkItems", "Comments", "TimeEntries"];

    public static async Task RunAsync(int rows, int rounds)
    {
        await using var server = await PostgresServer.StartAsync();
        var connectionString = new NpgsqlConnectionStringBuilder(server.ConnectionStringFor("moves")) { CommandTimeout = 0 }.ConnectionString;
        await ExecuteAsync(server.ConnectionString, "CREATE DATABASE moves");
        await using var services = StudioContext.Services(connectionString);
        var mover = services.GetRequiredService<ITenantMover<StudioContext>>();
        await using (var context = services.GetRequiredService<IDbContextFactory<StudioContext>>().CreateDbContext("acme"))
        {
            await context.Database.EnsureCreatedAsync();
        }

        await ExecuteAsync(connectionString, StudioContext.RowsSql("public", "acme", rows));

        // psql cannot copy tables that reference each other in a circle, which costs MoveAsync a temporary table even so.
        await ExecuteAsync(connectionString, """UPDATE "Teams" SET "LeadId" = NULL""");
        await ExecuteAsync(connectionString, "VACUUM ANALYZE");

        // Makes the same tables.
        await mover.MoveAsync("nobody", TenantDestination.InSchema("byhand"));

        var table = new Table().MarkdownBorder().AddColumns("round", "MoveAsync, copy", "rows/s", "MoveAsync, all", "\\copy out and in", "rows/s", "ratio");
        for (var round = 1; round <= rounds; round++)
        {
            await ExecuteAsync(connectionString, "CHECKPOINT");
            var byHand = await ByHandAsync(connectionString);
            await ExecuteAsync(connectionString, "CHECKPOINT");
            var copy = new CopyClock();
            var all = Stopwatch.StartNew();
            var moved = await mover.MoveAsync("acme", TenantDestination.InSchema("acme"), CancellationToken.None, copy);
            all.Stop();
            await mover.MoveAsync("acme", TenantDestination.Home);
            await ExecuteAsync(connectionString, "VACUUM ANALYZE");

            table.AddRow(
                [
                    .. ((FormattableString[])[
                        $"{round}", $"{copy.Elapsed.TotalMilliseconds:N0} ms", $"{moved.Rows / copy.Elapsed.TotalSeconds:N0}",
                        $"{all.Elapsed.TotalMilliseconds:N0} ms", $"{byHand.TotalMilliseconds:N0} ms", $"{moved.Rows / byHand.TotalSeconds:N0}",
                        $"{byHand / copy.Elapsed:0.00}"]).Select(t => t.ToString(CultureInfo.InvariantCulture)),
                ]);
        }

        AnsiConsole.Console.Profile.Width = 200;
        AnsiConsole.Write(table);
    }

    private static async Task<TimeSpan> ByHandAsync(string connectionString)
    {
        var folder = Directory.CreateTempSubdirectory("moves").FullName;
        await ExecuteAsync(connectionString, string.Join(';', Tables.Select(t => $"""TRUNCATE byhand."{t}" CASCADE""")));
        var columns = new Dictionary<string, string>();
        foreach (var table in Tables)
        {
            columns[table] = await ScalarAsync(
                connectionString,
                $"SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 'public.\"{table}\"'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''");
        }

        var clock = Stopwatch.StartNew();
        await PsqlAsync(
            connectionString,
            Tables.Select(t => $"\\copy (SELECT {columns[t]} FROM public.\"{t}\" WHERE \"TenantId\" = 'acme') TO '{folder}/{t}' (FORMAT binary)"));
        await PsqlAsync(connectionString, Tables.Select(t => $"\\copy byhand.\"{t}\" ({columns[t]}) FROM '{folder}/{t}' (FORMAT binary)"));
        clock.Stop();
        Directory.Delete(folder, recursive: true);
        return clock.Elapsed;
    }

    private static async Task PsqlAsync(string connectionString, IEnumerable<string> commands)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        var start = new ProcessStartInfo("psql")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            Environment = { ["PGPASSWORD"] = settings.Password },
        };
        foreach (var argument in (string[])[
            "-X", "-v", "ON_ERROR_STOP=1", "-h", settings.Host!, "-p", settings.Port.ToString(CultureInfo.InvariantCulture),
            "-U", settings.Username!, "-d", settings.Database!])
        {
            start.ArgumentList.Add(argument);
        }

        using var psql = Process.Start(start)!;
        await psql.StandardInput.WriteAsync("BEGIN;\n" + string.Join('\n', commands) + "\nCOMMIT;\n");
        psql.StandardInput.Close();
        await psql.StandardOutput.ReadToEndAsync();
        await psql.WaitForExitAsync();
        if (psql.ExitCode != 0)
        {
            throw new InvalidOperationException("psql failed.");
        }
    }

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private static async Task<string> ScalarAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return (string)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>From the first table's begin to the last one's end.</summary>
    private sealed class CopyClock : IProgress<TenantProgress>
    {
        private long? _started;

        public TimeSpan Elapsed { get; private set; }

        public void Report(TenantProgress value)
        {
            _started ??= Stopwatch.GetTimestamp();
            Elapsed = Stopwatch.GetElapsedTime(_started.Value);
        }
    }
}
