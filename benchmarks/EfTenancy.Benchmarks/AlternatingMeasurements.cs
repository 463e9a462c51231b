using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace EfTenancy.Benchmarks;

/// <summary>
///     The same work by hand and by EfTenancy in turns, in one process, so that whatever else the machine does falls on both. Of the
///     processor's time only this process' part counts: the server's is not in it.
/// </summary>
public sealed class AlternatingMeasurements
{
    private readonly Table _table = new Table().MarkdownBorder().AddColumns("what", "beside", "client CPU", "CPU", "CPU, middle half", "time", "bytes");

    public static async Task RunAsync()
    {
        var measurements = new AlternatingMeasurements();
        var contexts = new ContextBenchmarks();
        await contexts.SetupAsync();
        try
        {
            // Rows first: behind the inserts, most of them by plain contexts, the JIT compiler does better for those, by some 60 bytes a row.
            measurements.Add("100 rows, new context", 200, 20, "Filter", () => contexts.Rows_Filter(), () => contexts.Rows_EfTenancy());
            measurements.Add("1,000 inserts, own property", rounds: 100, times: 2, "Where", () => contexts.Inserts_Where(), () => contexts.Inserts_EfTenancyOwnProperty());
            measurements.Add("1,000 inserts, rolled back", rounds: 100, times: 2, "Where", () => contexts.Inserts_Where(), () => contexts.Inserts_EfTenancy());
            measurements.Add("1,000 inserts, rolled back", rounds: 100, times: 2, "shadow property", () => contexts.Inserts_Shadow(), () => contexts.Inserts_EfTenancy());
            measurements.Add("one row by key, pooled context", 200, 100, "Where", () => contexts.ByKeyPooled_Where(), () => contexts.ByKeyPooled_EfTenancy());
            measurements.Add("one row by key, pooled context", 200, 100, "Filter", () => contexts.ByKeyPooled_Filter(), () => contexts.ByKeyPooled_EfTenancy());
        }
        finally
        {
            await contexts.CleanupAsync();
        }

        measurements.Print();
    }

    // In a process of its own: behind queries and inserts the ratio varies from run to run by a tenth.
    public static void RunModels()
    {
        var measurements = new AlternatingMeasurements();
        var models = new ModelBenchmarks();
        models.Setup();
        measurements.Add("model of 500 entities", 40, 1, "plain", () => models.Plain(), () => models.EfTenancy());
        measurements.Add("model of 500 entities", 40, 1, "the same by hand", () => models.ByHand(), () => models.EfTenancy());
        measurements.Print();
    }

    public static async Task RunSeparateAsync()
    {
        var measurements = new AlternatingMeasurements();
        var contexts = new SeparateContexts();
        await contexts.SetupAsync();
        try
        {
            measurements.Add("new context", 100, 4_000, "database", () => contexts.Context_Plain(), () => contexts.Context_InDatabase());
            measurements.Add("new context", 100, 4_000, "schema", () => contexts.Context_Plain(), () => contexts.Context_InSchema());
            measurements.Add("one row by key, new context", 200, 100, "database", () => contexts.Query_Plain(), () => contexts.Query_InDatabase());
            measurements.Add("one row by key, new context", 200, 100, "schema", () => contexts.Query_Plain(), () => contexts.Query_InSchema());
            measurements.Add("one row by key, pooled context", 200, 100, "database", () => contexts.PooledQuery_Plain(), () => contexts.PooledQuery_InDatabase());
            measurements.Add("one row by key, pooled context", 200, 100, "schema", () => contexts.PooledQuery_Plain(), () => contexts.PooledQuery_InSchema());
        }
        finally
        {
            await contexts.CleanupAsync();
        }

        measurements.Print();
    }

    private void Print()
    {
        AnsiConsole.Console.Profile.Width = 250;
        AnsiConsole.Console.Write(_table);
    }

    private void Add(string what, int rounds, int times, string beside, Action byHand, Action tenancy)
    {
        Action[] variants = [byHand, tenancy];
        var spent = new List<(Spent ByHand, Spent Tenancy)>();

        // The first fifth warms up.
        for (var round = -rounds / 5; round < rounds; round++)
        {
            var ofRound = new Spent[2];
            foreach (var i in round % 2 == 0 ? [0, 1] : (int[])[1, 0])
            {
                ofRound[i] = Spent.By(variants[i], times);
            }

            if (round >= 0)
            {
                spent.Add((ofRound[0], ofRound[1]));
            }
        }

        var cpu = Quartiles(spent.Select(s => s.Tenancy.Cpu / s.ByHand.Cpu));
        _table.AddRow(
            what,
            beside,
            Text(Quartiles(spent.Select(s => s.ByHand.Cpu.TotalMicroseconds / times)).Middle)
                + " / " + Text(Quartiles(spent.Select(s => s.Tenancy.Cpu.TotalMicroseconds / times)).Middle),
            Text(cpu.Middle),
            Text(cpu.Lower) + "–" + Text(cpu.Upper),
            Text(Quartiles(spent.Select(s => s.Tenancy.Time / s.ByHand.Time)).Middle),
            spent.Max(s => s.ByHand.Bytes) < times ? $"{spent.Max(s => s.Tenancy.Bytes / times)}" // Neither allocates.
                : Text(Quartiles(spent.Select(s => (double)s.Tenancy.Bytes / s.ByHand.Bytes)).Middle));
    }

    private static (double Lower, double Middle, double Upper) Quartiles(IEnumerable<double> values)
    {
        var ordered = values.Order().ToList();
        return (ordered[ordered.Count / 4], ordered[ordered.Count / 2], ordered[ordered.Count * 3 / 4]);
    }

    private static string Text(double number)
        => number.ToString(number < 10 ? "0.000" : "#,0", CultureInfo.InvariantCulture);

    private readonly record struct Spent(TimeSpan Cpu, TimeSpan Time, long Bytes)
    {
        public static Spent By(Action work, int times)
        {
            GC.Collect();
            var (cpu, started, bytes) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp(), GC.GetTotalAllocatedBytes(precise: true));
            for (var i = 0; i < times; i++)
            {
                work();
            }

            return new(
                Environment.CpuUsage.TotalTime - cpu,
                Stopwatch.GetElapsedTime(started),
                GC.GetTotalAllocatedBytes(precise: true) - bytes);
        }
    }
}
