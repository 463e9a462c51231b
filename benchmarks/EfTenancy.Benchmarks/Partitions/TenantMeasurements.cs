using DevPostgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>Tenants that come and go, beside the same SQL sent by hand.</summary>
public sealed class TenantMeasurements(PostgresServer server, MeasurementTable table)
{
    private const int Tenants = 200;

    /// <summary>New databases for each run, since the work grows with the partitions that are there. Whoever is second finds a warm server.</summary>
    public async Task AddAsync()
    {
        const int runs = 3;
        string[] tenants = [.. Enumerable.Range(0, Tenants).Select(i => $"t{i:000}")];
        var times = new List<(TimeSpan ByHand, TimeSpan Tenancy)>();
        for (var run = 0; run < runs; run++)
        {
            await using var byHand = await TablesContext.CreateAsync(server.ConnectionStringFor($"added_by_hand{run}"));
            await using var tenancy = await TablesContext.CreateAsync(server.ConnectionStringFor($"added{run}"));
            await byHand.Database.OpenConnectionAsync();
            times.Add((
                await MeasurementTable.TimeAsync(
                    async () =>
                    {
                        foreach (var name in TablesContext.Tables)
                        {
                            var sql = string.Concat(
                                tenants.Select(
                                    t => $"""
                                        CREATE TABLE "{name}_{t}" (LIKE "{name}" INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED INCLUDING STORAGE);
                                        ALTER TABLE "{name}" ATTACH PARTITION "{name}_{t}" FOR VALUES IN ('{t}');

                                        """));
                            await using var command = new NpgsqlCommand(sql, (NpgsqlConnection)byHand.Database.GetDbConnection()) { CommandTimeout = 0 };
                            await command.ExecuteNonQueryAsync();
                        }
                    }),
                await MeasurementTable.TimeAsync(() => tenancy.Tenancy().Administration.AddAsync(tenants))));
        }

        var (hand, ours) = times.OrderBy(t => t.Tenancy / t.ByHand).ElementAt(runs / 2);
        table.Add($"add {Tenants} tenants over {TablesContext.Tables.Count} related tables, by hand against AddAsync", hand, ours, $"the median of {runs} ratios");
    }
}
