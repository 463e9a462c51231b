using DevPostgres;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Spectre.Console;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>
///     What partitions cost and bring, on real flights: one run of each, whose ratio counts. Prints a table for <c>docs/performance.md</c>.
/// </summary>
public sealed class PartitionMeasurements(PostgresServer server, MeasurementTable table)
{
    private const string Plain = "plain";

    public static async Task RunAsync(string flights)
    {
        await using var server = await PostgresServer.StartAsync();
        AnsiConsole.WriteLine(server.Description);
        var table = new MeasurementTable();
        var measurements = new PartitionMeasurements(server, table);
        await measurements.LoadAsync(flights);
        await measurements.ConvertAsync();
        await measurements.PlanAsync();
        await measurements.UpdateAsync();
        await new TenantMeasurements(server, table).AddAsync();
        await new SplitMeasurement(server, table).RunAsync();
        table.Write(AnsiConsole.Console);
    }

    public static async Task SplitAsync()
    {
        await using var server = await PostgresServer.StartAsync();
        AnsiConsole.WriteLine(server.Description);
        var table = new MeasurementTable();
        await new SplitMeasurement(server, table).RunAsync();
        table.Write(AnsiConsole.Console);
    }

    private async Task LoadAsync(string flights)
    {
        await using (var context = FlightContext.Create(server.ConnectionStringFor(Plain)))
        {
            await context.Database.EnsureCreatedAsync();
            await context.Tenancy().BulkInsertAsync(f => f.Origin!, FlightFile.ReadAsync(flights));
        }

        await ExecuteAsync(Plain, "VACUUM ANALYZE");
    }

    private async Task ConvertAsync()
    {
        var airports = await TenantsBySizeAsync();
        Action<TenantPartitioningBuilder> byAirport = x => x.ByList().AddTenants([.. airports]);

        var attached = await new Conversion(await CopyOfPlainAsync("attached")).RunAsync(x => x.ByExternallyManagedListPartitions());
        var copied = await new Conversion(await CopyOfPlainAsync("listed")).RunAsync(
            byAirport, steps => steps.RebuildTableByCopying("Flights", "TenantId", partitioning: byAirport));
        foreach (var (name, result) in ((string, ConversionResult)[])[("attaching", attached), ("copying", copied)])
        {
            if (!result.HasAllRows || result.HasSameFile != (result == attached))
            {
                throw new InvalidOperationException($"The conversion by {name} went wrong: {result}.");
            }
        }

        table.Add("convert: time, copying against attaching", copied.Duration, attached.Duration, "229 tenants; same file, same checksums");
        table.Add("convert: exclusive lock held", copied.LockHeld, attached.LockHeld);
        table.Add("convert: slowest insert meanwhile", copied.LongestWrite, attached.LongestWrite);
        table.Add("convert: slowest read by key meanwhile", copied.LongestRead, attached.LongestRead);

        await ExecuteAsync("listed", "VACUUM ANALYZE");
        foreach (var (name, tenant) in ((string, string)[])[("largest", airports[0]), ("median", airports[airports.Count / 2])])
        {
            table.Add(
                $"aggregate of the {name} tenant, plain against list",
                await MeasurementTable.MedianAsync(() => AggregateAsync(Plain, tenant, null)),
                await MeasurementTable.MedianAsync(() => AggregateAsync("listed", tenant, byAirport)),
                tenant);
        }
    }

    private async Task PlanAsync()
    {
        var times = new Dictionary<int, TimeSpan>();
        foreach (var count in (int[])[10, 229, 2000])
        {
            var database = $"planned{count}";
            await using (var context = FlightContext.Create(server.ConnectionStringFor(database), Numbered(count)))
            {
                await context.Database.EnsureCreatedAsync();
            }

            await using var one = FlightContext.Create(server.ConnectionStringFor(database), Numbered(count), tenant: "t1");
            await one.Database.OpenConnectionAsync();
            times[count] = await MeasurementTable.MedianAsync(async () => await one.Flights.AsNoTracking().FirstOrDefaultAsync(f => f.Id == 1));
        }

        foreach (var (count, time) in times)
        {
            table.Add($"query by key over one connection, {count} partitions against 10", times[10], time, "an empty table: planning and a round trip");
        }
    }

    private async Task UpdateAsync()
    {
        const int partitions = 200;
        const string database = "updated";
        await using (var context = FlightContext.Create(server.ConnectionStringFor(database), Numbered(partitions)))
        {
            await context.Database.EnsureCreatedAsync();
            await context.Tenancy().BulkInsertAsync(
                f => f.Origin!,
                Enumerable.Range(0, 20_000).Select(i => new Flight { Destination = "x", Origin = $"t{i % partitions}" }));
        }

        await ExecuteAsync(database, """CREATE INDEX ON "Flights" ("Id"); VACUUM ANALYZE""");

        table.Add(
            "100 updates by key at 200 partitions, key without the tenant against with",
            await MeasurementTable.MedianAsync(
                async () =>
                {
                    await using var context = new IdOnlyFlightContext(server.ConnectionStringFor(database));
                    await ChangeAsync(context, context.Set<Flight>().Where(f => EF.Property<string>(f, "TenantId") == "t7"));
                }),
            await MeasurementTable.MedianAsync(
                async () =>
                {
                    await using var context = FlightContext.Create(server.ConnectionStringFor(database), Numbered(partitions), "t7");
                    await ChangeAsync(context, context.Flights);
                }),
            "an index on the id alone for the former");
    }

    private static async Task ChangeAsync(DbContext context, IQueryable<Flight> flights)
    {
        foreach (var flight in await flights.ToListAsync())
        {
            flight.DelayMinutes++;
        }

        await context.SaveChangesAsync();
    }

    private async Task AggregateAsync(string database, string tenant, Action<TenantPartitioningBuilder>? partitioning)
    {
        await using var context = FlightContext.Create(server.ConnectionStringFor(database), partitioning, tenant);
        await context.Flights.GroupBy(_ => 1)
            .Select(g => new { Count = g.Count(), Delay = g.Average(f => f.DelayMinutes), Distance = g.Sum(f => (long)f.DistanceMiles) })
            .SingleAsync();
    }

    private static Action<TenantPartitioningBuilder> Numbered(int count)
        => x => x.ByList().AddTenants([.. Enumerable.Range(0, count).Select(i => $"t{i}")]);

    private async Task<List<string>> TenantsBySizeAsync()
    {
        await using var context = FlightContext.Create(server.ConnectionStringFor(Plain));
        return await context.Database
            .SqlQuery<string>($"""SELECT "TenantId" AS "Value" FROM "Flights" GROUP BY 1 ORDER BY count(*) DESC""").ToListAsync();
    }

    private async Task<string> CopyOfPlainAsync(string name)
    {
        NpgsqlConnection.ClearAllPools();
        await ExecuteAsync("postgres", $"CREATE DATABASE {name} TEMPLATE {Plain}");
        return server.ConnectionStringFor(name);
    }

    private async Task ExecuteAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionStringFor(database));
        await connection.OpenAsync();
        foreach (var statement in sql.Split(';'))
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
            await command.ExecuteNonQueryAsync();
        }
    }
}
