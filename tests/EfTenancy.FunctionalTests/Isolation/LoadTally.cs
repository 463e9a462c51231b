using System.Collections.Concurrent;
using System.Globalization;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>What the workers did, what they read, and what there must be in the end.</summary>
public sealed class LoadTally
{
    private readonly ConcurrentDictionary<string, int> _done = [];
    private readonly ConcurrentDictionary<string, int> _givenUp = [];
    private readonly ConcurrentDictionary<(string Table, string Tenant), int> _rows = [];
    private long _read;

    public ConcurrentQueue<string> Crossings { get; } = [];

    public ConcurrentQueue<string> Surprises { get; } = [];

    public int Done(string operation)
        => _done.GetValueOrDefault(operation);

    public int Rows(string table, string tenant)
        => _rows.GetValueOrDefault((table, tenant));

    public void CountDone(string operation)
        => _done.AddOrUpdate(operation, 1, (_, n) => n + 1);

    public void CountGivenUp(string operation)
        => _givenUp.AddOrUpdate(operation, 1, (_, n) => n + 1);

    public void CountRows(string table, string tenant, int rows)
        => _rows.AddOrUpdate((table, tenant), rows, (_, n) => n + rows);

    public void CountRead(int rows)
        => Interlocked.Add(ref _read, rows);

    public string Describe(TimeSpan elapsed)
        => string.Create(
            CultureInfo.InvariantCulture,
            $"""
            {_done.Values.Sum()} operations and {_givenUp.Values.Sum()} given up in {elapsed.TotalSeconds:F1} s, {_read} rows read and checked, {Crossings.Count} crossings, {Surprises.Count} surprises
            done:     {Text(_done)}
            given up: {Text(_givenUp)}
            rows:     {string.Join(", ", _rows.OrderBy(r => r.Key).Select(r => $"{r.Key.Table} of {r.Key.Tenant} {r.Value}"))}
            {string.Join('\n', Crossings.Concat(Surprises).Take(3))}
            """);

    private static string Text(ConcurrentDictionary<string, int> counts)
        => string.Join(", ", counts.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => $"{c.Key} {c.Value}"));
}
