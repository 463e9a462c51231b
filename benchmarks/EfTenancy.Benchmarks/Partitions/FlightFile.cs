using System.Globalization;
using System.IO.Compression;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>A gzipped CSV file of flights: flown_at, delay_minutes, distance_miles, origin, destination.</summary>
public static class FlightFile
{
    public static async IAsyncEnumerable<Flight> ReadAsync(string path)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(path), CompressionMode.Decompress));
        await reader.ReadLineAsync();
        while (await reader.ReadLineAsync() is { } line)
        {
            var fields = line.Split(',');
            yield return new Flight
            {
                FlownAt = DateTime.Parse(fields[0], CultureInfo.InvariantCulture),
                DelayMinutes = int.Parse(fields[1], CultureInfo.InvariantCulture),
                DistanceMiles = int.Parse(fields[2], CultureInfo.InvariantCulture),
                Origin = fields[3],
                Destination = fields[4],
            };
        }
    }
}
