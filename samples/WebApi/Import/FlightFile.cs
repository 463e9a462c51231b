using System.Globalization;
using System.IO.Compression;
using System.Runtime.CompilerServices;
using CsvHelper;
using CsvHelper.Configuration;
using WebApi.Model;

namespace WebApi.Import;

/// <summary>A gzipped CSV file of flights, read one line at a time.</summary>
public sealed class FlightFile : IAsyncDisposable
{
    private const string FlownAtFormat = "yyyy-MM-dd HH:mm";

    private static readonly string[] Header = ["flown_at", "delay_minutes", "distance_miles", "origin", "destination"];

    private readonly string _path;
    private readonly FileStream _file;
    private readonly CsvParser _parser;

    // Otherwise a file that was cut short, as by a download, ends like a whole one.
    static FlightFile()
        => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);

    public FlightFile(string path)
    {
        _path = path;
        _file = File.OpenRead(path);
        _parser = new CsvParser(
            new StreamReader(new GZipStream(_file, CompressionMode.Decompress)),
            new CsvConfiguration(CultureInfo.InvariantCulture)
            {
                // The format has no quotes. With them, a stray one would swallow the rest of the file.
                Mode = CsvMode.NoEscape,
                MaxFieldSize = 100,
                // Airports and delays repeat.
                CacheFields = true,
            });
    }

    public long CompressedBytes
        => _file.Length;

    public long CompressedBytesRead
        => _file.Position;

    /// <exception cref="FlightImportException">A line is malformed or names an unknown airport.</exception>
    public async IAsyncEnumerable<Flight> ReadAsync(
        IReadOnlySet<string> airports,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        if (!await ReadLineAsync() || _parser.Record is not { } header || !header.SequenceEqual(Header))
        {
            throw Malformed($"the header is not {string.Join(',', Header)}");
        }

        while (await ReadLineAsync())
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return Parse(airports);
        }
    }

    public async ValueTask DisposeAsync()
    {
        _parser.Dispose();
        await _file.DisposeAsync();
    }

    private async Task<bool> ReadLineAsync()
    {
        try
        {
            return await _parser.ReadAsync();
        }
        catch (InvalidDataException exception)
        {
            throw Malformed("the compressed data is damaged or incomplete", exception);
        }
        catch (MaxFieldSizeException exception)
        {
            throw Malformed("a value is too long", exception);
        }
    }

    private Flight Parse(IReadOnlySet<string> airports)
    {
        if (_parser.Count != Header.Length)
        {
            throw Malformed($"{_parser.Count} values instead of {Header.Length}");
        }

        return new Flight
        {
            FlownAt = DateTime.TryParseExact(
                _parser[0], FlownAtFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var flownAt)
                ? flownAt
                : throw Malformed($"flown_at is '{_parser[0]}', which is not a time like {FlownAtFormat}"),
            DelayMinutes = Number(1),
            DistanceMiles = Number(2),
            Origin = Airport(3, airports),
            Destination = Airport(4, airports),
        };
    }

    private int Number(int column)
        => int.TryParse(_parser[column], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw Malformed($"{Header[column]} is '{_parser[column]}', which is not a whole number");

    private string Airport(int column, IReadOnlySet<string> airports)
        => airports.Contains(_parser[column])
            ? _parser[column]
            : throw Malformed($"{Header[column]} is '{_parser[column]}', which is no known airport");

    private FlightImportException Malformed(string reason, Exception? innerException = null)
        => new(_path, Math.Max(_parser.RawRow, 1), reason, innerException);
}
