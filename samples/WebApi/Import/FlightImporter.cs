using System.Diagnostics;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;
using WebApi.Model;

namespace WebApi.Import;

/// <summary>Imports a file of flights of all tenants by one COPY: all of it, or nothing.</summary>
public sealed class FlightImporter(FlightContext db, IAnsiConsole console, IConfiguration configuration)
{
    public const string PathKey = "Flights:Path";

    private const int RowsBetweenReports = 10_000;

    private static string SamplePath
        => Path.Combine(AppContext.BaseDirectory, "Data", "flights-sample.csv.gz");

    /// <summary>Imports the configured file, by default the sample, unless there are flights already. A restart does not import twice.</summary>
    public async Task ImportIfEmptyAsync(CancellationToken cancellationToken = default)
    {
        if (configuration[PathKey] is not "" and var path && !await db.Flights.AnyAsync(f => f.AnyTenant(), cancellationToken))
        {
            await ImportAsync(path ?? SamplePath, cancellationToken);
        }
    }

    /// <summary>Imports a file.</summary>
    /// <returns>The number of flights.</returns>
    /// <exception cref="FlightImportException">The file is malformed. Nothing of it was imported.</exception>
    public async Task<long> ImportAsync(string path, CancellationToken cancellationToken = default)
    {
        var airports = await db.Airports.Select(a => a.Code).ToHashSetAsync(cancellationToken);

        // PostgreSQL checks the foreign keys of all rows after the last one, and is silent meanwhile.
        db.Database.SetCommandTimeout(TimeSpan.Zero);

        await using var file = new FlightFile(path);
        var clock = Stopwatch.StartNew();

        var rows = await console.Progress().StartAsync(progress =>
        {
            var task = progress.AddTask($"Importing {Markup.Escape(Path.GetFileName(path))}", maxValue: file.CompressedBytes);
            return db.Tenancy().BulkInsertAsync(
                flight => flight.Origin!,
                Report(file.ReadAsync(airports, cancellationToken), task, file),
                cancellationToken: cancellationToken);
        });

        console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"{rows:N0} flights in {clock.Elapsed.TotalSeconds:N1} s: {rows / clock.Elapsed.TotalSeconds:N0} rows/s");
        return rows;
    }

    private static async IAsyncEnumerable<Flight> Report(IAsyncEnumerable<Flight> flights, ProgressTask task, FlightFile file)
    {
        var rows = 0;
        await foreach (var flight in flights)
        {
            if (++rows % RowsBetweenReports == 0)
            {
                task.Value = file.CompressedBytesRead;
            }

            yield return flight;
        }

        task.Description = "PostgreSQL checks the foreign keys";
        task.IsIndeterminate = true;
    }
}
