using System.Diagnostics;
using System.Globalization;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;
using WebApi.Model;

namespace WebApi.Import;

/// <summary>Imports a file of flights of all tenants, by one COPY for each place that has tenants. Of a malformed file nothing is kept.</summary>
public sealed class FlightImporter(FlightPlaces places, IAnsiConsole console, IConfiguration configuration)
{
    public const string PathKey = "Flights:Path";

    private const int RowsBetweenReports = 10_000;

    private static string SamplePath
        => Path.Combine(AppContext.BaseDirectory, "Data", "flights-sample.csv.gz");

    /// <summary>Imports the configured file, by default the sample, unless there are flights already. A restart does not import twice.</summary>
    public async Task ImportIfEmptyAsync(CancellationToken cancellationToken = default)
    {
        if (configuration[PathKey] is not "" and var path && await AreEmptyAsync(cancellationToken))
        {
            await ImportAsync(path ?? SamplePath, cancellationToken);
        }
    }

    /// <summary>Imports a file.</summary>
    /// <returns>The number of flights.</returns>
    /// <exception cref="FlightImportException">The file is malformed. Nothing of it was imported.</exception>
    public async Task<long> ImportAsync(string path, CancellationToken cancellationToken = default)
    {
        var load = new FlightLoad(places, await places.ListAsync(cancellationToken));
        var airports = await places.AtAnyAsync(
            db => db.Airports.Select(a => a.Code).ToHashSetAsync(cancellationToken), cancellationToken) ?? [];

        await using var file = new FlightFile(path);
        var clock = Stopwatch.StartNew();

        var rows = await console.Progress().StartAsync(progress =>
        {
            var task = progress.AddTask($"Importing {Markup.Escape(Path.GetFileName(path))}", maxValue: file.CompressedBytes);
            return load.RunAsync(Report(file.ReadAsync(airports, cancellationToken), task, file), cancellationToken);
        });

        console.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"{rows:N0} flights in {clock.Elapsed.TotalSeconds:N1} s: {rows / clock.Elapsed.TotalSeconds:N0} rows/s");
        if (load.LeftOut > 0)
        {
            console.MarkupLineInterpolated(CultureInfo.InvariantCulture, $"{load.LeftOut:N0} flights of airports that are no tenants were left out.");
        }

        return rows;
    }

    private async Task<bool> AreEmptyAsync(CancellationToken cancellationToken)
    {
        try
        {
            var list = await places.ListAsync(cancellationToken);
            foreach (var place in list)
            {
                if (await places.AtAsync(place, db => db.Flights.AnyAsync(f => f.AnyTenant(), cancellationToken), cancellationToken))
                {
                    return false;
                }
            }

            return list.Count > 0;
        }
        catch (TenantDatabaseException)
        {
            // Whose place cannot be asked may have flights.
            return false;
        }
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
