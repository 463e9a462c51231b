using System.Globalization;
using DevPostgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Spectre.Console;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>
///     What it takes to be rid of a tenant: DELETE from plain tables and from partitioned ones, the DDL by hand in one transaction, and
///     <c>RemoveAsync</c>. In turns, so that other work of the machine falls on all of them; medians.
/// </summary>
public sealed class RemovalMeasurement(PostgresServer server, int runs)
{
    private static readonly Shape[] Shapes =
    [
        new("1,000 rows over ten tables", 100),
        new("100,000 rows over ten tables", 10_000),
        new("100,000 rows over ten tables, beside 200 tenants", 10_000, Tenants: 200),
        new("100,000 rows in the last of ten tables, 100 in each other", 100, 100_000),
        new("1,000,000 rows, 100,000 in each of ten tables", 100_000),
    ];

    private readonly Table _table = new Table().MarkdownBorder().AddColumns(
        "tenant", "DELETE", "DELETE and VACUUM", "DELETE, partitioned", "DDL by hand", "RemoveAsync", "lock held", "DELETE / RemoveAsync", "with VACUUM", "partitioned", "RemoveAsync / by hand");

    public static async Task RunAsync(int runs, string shapes)
    {
        await using var server = await PostgresServer.StartAsync();
        AnsiConsole.WriteLine(server.Description);
        var measurement = new RemovalMeasurement(server, runs);
        foreach (var shape in Shapes.Where(s => s.Name.Contains(shapes, StringComparison.Ordinal)))
        {
            await measurement.MeasureAsync(shape);
        }

        AnsiConsole.Console.Profile.Width = 250;
        AnsiConsole.Write(measurement._table);
    }

    private async Task MeasureAsync(Shape shape)
    {
        await using var plain = await TablesContext.CreateAsync(server.ConnectionStringFor("removed_rows"), isPartitioned: false);
        await using var managed = await TablesContext.CreateAsync(server.ConnectionStringFor("removed"));
        var kept = Enumerable.Range(0, shape.Tenants).Select(i => $"kept{i}").ToList();
        await managed.Tenancy().Administration.AddAsync(kept);

        // The first round warms up, and counts for nothing.
        var rounds = new List<Round>();
        for (var i = 0; i <= runs; i++)
        {
            rounds.Add(await MeasureAsync(shape, plain, managed, i));
        }

        rounds.RemoveAt(0);
        string[] cells =
        [
            shape.Name, Time(r => r.Delete), Time(r => r.Delete + r.Vacuum), Time(r => r.DeletePartitioned), Time(r => r.ByHand), Time(r => r.Remove), Time(r => r.LockHeld),
            Ratio(r => r.Delete / r.Remove), Ratio(r => (r.Delete + r.Vacuum) / r.Remove), Ratio(r => r.DeletePartitioned / r.Remove),
            Ratio(r => r.Remove / r.ByHand),
        ];
        AnsiConsole.WriteLine(string.Join(" | ", cells));
        _table.AddRow(cells);
        foreach (var context in (TablesContext[])[plain, managed])
        {
            await context.Database.EnsureDeletedAsync();
        }

        string Time(Func<Round, TimeSpan> time)
            => Median(r => time(r).TotalMilliseconds).ToString("#,0 ms", CultureInfo.InvariantCulture);

        string Ratio(Func<Round, double> ratio)
            => Median(ratio).ToString("0.0", CultureInfo.InvariantCulture);

        double Median(Func<Round, double> value)
            => rounds.Select(value).Order().ElementAt(runs / 2);
    }

    private static async Task<Round> MeasureAsync(Shape shape, TablesContext plain, TablesContext managed, int round)
    {
        var (deleted, dropped, removed, watched) = ($"deleted{round}", $"dropped{round}", $"removed{round}", $"watched{round}");
        var administration = managed.Tenancy().Administration;
        await administration.AddAsync([deleted, dropped, removed, watched]);
        await plain.FillAsync(deleted, shape.Rows, shape.RowsOfLast);
        foreach (var tenant in (string[])[deleted, dropped, removed, watched])
        {
            await managed.FillAsync(tenant, shape.Rows, shape.RowsOfLast);
        }

        await ExecuteAsync(plain, "VACUUM ANALYZE");
        await ExecuteAsync(managed, "VACUUM ANALYZE");
        await ExecuteAsync(managed, "CHECKPOINT");

        var childrenFirst = TablesContext.Tables.Reverse().ToList();
        var delete = string.Concat(childrenFirst.Select(t => $"""DELETE FROM "{t}" WHERE "TenantId" = '{deleted}'; """));
        var drop = string.Concat(
            childrenFirst.Select(
                (t, i) => (i == 0 ? "" : $"""ALTER TABLE "{t}" DETACH PARTITION "{t}_{dropped}"; """) + $"""DROP TABLE "{t}_{dropped}"; """));

        var measured = new Round(
            Delete: await MeasurementTable.TimeAsync(() => ExecuteAsync(plain, delete)),
            Vacuum: await MeasurementTable.TimeAsync(
                () => ExecuteAsync(plain, $"VACUUM {string.Join(", ", childrenFirst.Select(t => $"\"{t}\""))}")),
            DeletePartitioned: await MeasurementTable.TimeAsync(() => ExecuteAsync(managed, delete)),
            ByHand: await MeasurementTable.TimeAsync(() => ExecuteAsync(managed, drop)),
            Remove: await MeasurementTable.TimeAsync(() => administration.RemoveAsync([removed])),
            LockHeld: await LockHeldAsync(managed, () => administration.RemoveAsync([watched])));

        // What a statement by hand takes grows with the partitions that are there.
        await administration.RemoveAsync([deleted, dropped]);
        return measured;
    }

    private static async Task<TimeSpan> LockHeldAsync(DbContext context, Func<Task> removal)
    {
        await using var parent = new NpgsqlCommand("""SELECT '"T5"'::regclass::oid""", (NpgsqlConnection)context.Database.GetDbConnection());
        using var stop = new CancellationTokenSource();
        var held = ExclusiveLock.LongestAsync(context.Database.GetConnectionString()!, (uint)(await parent.ExecuteScalarAsync())!, stop.Token);
        await removal();
        await stop.CancelAsync();
        return await held;
    }

    // Several statements are one transaction.
    private static async Task ExecuteAsync(DbContext context, string sql)
    {
        await context.Database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand(sql, (NpgsqlConnection)context.Database.GetDbConnection()) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync();
    }

    private sealed record Shape(string Name, int Rows, int? RowsOfLast = null, int Tenants = 2);

    private sealed record Round(TimeSpan Delete, TimeSpan Vacuum, TimeSpan DeletePartitioned, TimeSpan ByHand, TimeSpan Remove, TimeSpan LockHeld);
}
