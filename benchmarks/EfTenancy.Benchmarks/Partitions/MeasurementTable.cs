using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>Times and their ratios, as a table for <c>docs/performance.md</c>.</summary>
public sealed class MeasurementTable
{
    private readonly Table _table = new Table().MarkdownBorder().AddColumns("what", "without", "with", "ratio", "notes");

    public void Add(string what, TimeSpan without, TimeSpan with, string notes = "")
        => _table.AddRow(what, Text(without), Text(with), (with / without).ToString("0.000", CultureInfo.InvariantCulture), notes);

    public void Write(IAnsiConsole console)
    {
        console.Profile.Width = 250;
        console.Write(_table);
    }

    public static async Task<TimeSpan> TimeAsync(Func<Task> work)
    {
        var started = Stopwatch.GetTimestamp();
        await work();
        return Stopwatch.GetElapsedTime(started);
    }

    // The first third warms up.
    public static async Task<TimeSpan> MedianAsync(Func<Task> work, int runs = 31)
    {
        var times = new List<TimeSpan>();
        for (var i = 0; i < runs; i++)
        {
            times.Add(await TimeAsync(work));
        }

        var counted = times.Skip(runs / 3).Order().ToList();
        return counted[counted.Count / 2];
    }

    private static string Text(TimeSpan time)
        => time.TotalMilliseconds.ToString(time.TotalMilliseconds < 10 ? "0.00 ms" : "#,0 ms", CultureInfo.InvariantCulture);
}
