using DevPostgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>A tenant leaves a bucket while others write to it, and read.</summary>
public sealed class SplitMeasurement(PostgresServer server, MeasurementTable table)
{
    private const string Database = "split";
    private const int RowsOfTenant = 100_000;

    public async Task RunAsync()
    {
        var connectionString = server.ConnectionStringFor(Database);
        await using var context = new ThreeTablesContext(connectionString);
        await context.Database.EnsureCreatedAsync();
        var administration = context.Tenancy().Administration;
        await administration.AddAsync(["other1", "other2", "other3"]);
        await administration.AddAsync(new Dictionary<string, string> { ["leaving"] = "bucket", ["staying"] = "bucket" });
        await context.FillAsync("leaving", RowsOfTenant);
        await context.FillAsync("staying", 4 * RowsOfTenant);
        foreach (var other in (string[])["other1", "other2", "other3"])
        {
            await context.FillAsync(other, RowsOfTenant);
        }

        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using (var vacuum = new NpgsqlCommand("VACUUM ANALYZE", connection) { CommandTimeout = 0 })
        {
            await vacuum.ExecuteNonQueryAsync();
        }

        await using var parent = new NpgsqlCommand("""SELECT '"T0"'::regclass::oid""", connection);
        var before = await ChecksumAsync(connection);

        using var stop = new CancellationTokenSource();
        var held = ExclusiveLock.LongestAsync(connectionString, (uint)(await parent.ExecuteScalarAsync())!, stop.Token);
        var slowestWrite = SlowestAsync(
            connectionString, i => $"""INSERT INTO "T1" ("TenantId", "Id", "Text", "ParentId") VALUES ('staying', -{i + 1}, 'new', 1)""", stop.Token);
        var slowestRead = SlowestAsync(connectionString, i => $"""SELECT * FROM "T2" WHERE "TenantId" = 'leaving' AND "Id" = {(i % RowsOfTenant) + 1}""", stop.Token);
        var time = await MeasurementTable.TimeAsync(() => administration.SplitAsync(["leaving"]));
        await stop.CancelAsync();

        if (before != await ChecksumAsync(connection))
        {
            throw new InvalidOperationException("Splitting changed rows.");
        }

        table.Add(
            $"split: {RowsOfTenant:N0} rows in each of 3 related tables out of a bucket of {5 * RowsOfTenant:N0}, all of it against the exclusive lock", time, await held);
        table.Add("split: slowest insert and slowest read by key meanwhile", await slowestWrite, await slowestRead);
    }

    private static async Task<TimeSpan> SlowestAsync(string connectionString, Func<int, string> statement, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(CancellationToken.None);
        var slowest = TimeSpan.Zero;
        for (var i = 0; !stop.IsCancellationRequested; i++)
        {
            await using var command = new NpgsqlCommand(statement(i), connection) { CommandTimeout = 0 };
            var took = await MeasurementTable.TimeAsync(() => command.ExecuteNonQueryAsync(CancellationToken.None));
            slowest = i > 0 && took > slowest ? took : slowest;
        }

        return slowest;
    }

    private static async Task<string> ChecksumAsync(NpgsqlConnection connection)
    {
        await using var command = new NpgsqlCommand(
            string.Join(
                " || ' ' || ",
                TablesContext.Tables.Take(3).Select(t => $"""(SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "{t}" t WHERE "Id" > 0)"""))
                .Insert(0, "SELECT "),
            connection) { CommandTimeout = 0 };
        return (string)(await command.ExecuteScalarAsync())!;
    }

    // EF keeps one model for a type of context.
    private sealed class ThreeTablesContext(string connectionString) : TablesContext(OptionsOf(connectionString, isPartitioned: true), tables: 3);
}
