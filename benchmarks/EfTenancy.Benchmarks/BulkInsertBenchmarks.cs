using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using DevPostgres;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Benchmarks;

/// <summary>
///     Bulk insert beside binary COPY written by hand, of the same rows into the same table, which is emptied before each iteration. The
///     entities are made before; SaveChanges of the same is there for scale.
/// </summary>
[MemoryDiagnoser]
[CategoriesColumn]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public class BulkInsertBenchmarks
{
    private const int Rows = 100_000;
    private const int SavedRows = 10_000;
    private const string Tenant = "t7";

    private readonly List<Measurement> _measurements =
    [
        .. Enumerable.Range(0, Rows).Select(
            i => new Measurement
            {
                Id = Guid.CreateVersion7(),
                Sensor = "sensor-" + (i % 1000),
                At = DateTime.UnixEpoch.AddSeconds(i),
                Value = i / 7.0,
                Count = i,
                Note = i % 3 == 0 ? null : "note " + i,
            }),
    ];

    private PostgresServer _server = null!;
    private DbContextOptions<MeasurementContext> _options = null!;
    private string _connectionString = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _server = await PostgresServer.StartAsync();
        _connectionString = _server.ConnectionStringFor("bulk");
        _options = new DbContextOptionsBuilder<MeasurementContext>().UseNpgsql(_connectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;
        await using var context = new MeasurementContext(_options);
        await context.Database.EnsureCreatedAsync();
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
        => await _server.DisposeAsync();

    [IterationSetup]
    public void Empty()
    {
        using var connection = new NpgsqlConnection(_connectionString);
        connection.Open();
        foreach (var sql in (string[])["""TRUNCATE "Measurements" """, "CHECKPOINT"])
        {
            using var command = new NpgsqlCommand(sql, connection);
            command.ExecuteNonQuery();
        }
    }

    [BenchmarkCategory("100,000 rows"), Benchmark(Baseline = true)]
    public async Task<ulong> Copy_ByHand()
    {
        await using var connection = new NpgsqlConnection(_connectionString);
        await connection.OpenAsync();
        await using var importer = await connection.BeginBinaryImportAsync(
            """COPY "Measurements" ("TenantId", "Id", "Sensor", "At", "Value", "Count", "Note") FROM STDIN (FORMAT BINARY)""");
        foreach (var m in _measurements)
        {
            await importer.StartRowAsync();
            await importer.WriteAsync(Tenant, NpgsqlDbType.Varchar);
            await importer.WriteAsync(m.Id, NpgsqlDbType.Uuid);
            await importer.WriteAsync(m.Sensor, NpgsqlDbType.Text);
            await importer.WriteAsync(m.At, NpgsqlDbType.TimestampTz);
            await importer.WriteAsync(m.Value, NpgsqlDbType.Double);
            await importer.WriteAsync(m.Count, NpgsqlDbType.Integer);
            if (m.Note is null)
            {
                await importer.WriteNullAsync();
            }
            else
            {
                await importer.WriteAsync(m.Note, NpgsqlDbType.Text);
            }
        }

        return await importer.CompleteAsync();
    }

    [BenchmarkCategory("100,000 rows"), Benchmark]
    public async Task<long> BulkInsert()
    {
        await using var db = new MeasurementContext(_options);
        db.Tenancy().Use(Tenant);
        return await db.Tenancy().BulkInsertAsync(_measurements);
    }

    [BenchmarkCategory("100,000 rows"), Benchmark]
    public async Task<long> BulkInsert_EachRowsTenant()
    {
        await using var db = new MeasurementContext(_options);
        return await db.Tenancy().BulkInsertAsync(_ => Tenant, _measurements);
    }

    [BenchmarkCategory("10,000 rows"), Benchmark(Baseline = true)]
    public async Task<long> BulkInsert_10000()
    {
        await using var db = new MeasurementContext(_options);
        db.Tenancy().Use(Tenant);
        return await db.Tenancy().BulkInsertAsync(_measurements.Take(SavedRows));
    }

    [BenchmarkCategory("10,000 rows"), Benchmark]
    public async Task<int> SaveChanges_10000()
    {
        await using var db = new MeasurementContext(_options);
        db.Tenancy().Use(Tenant);
        db.AddRange(_measurements.Take(SavedRows));
        return await db.SaveChangesAsync();
    }
}

public class MeasurementContext(DbContextOptions<MeasurementContext> options) : DbContext(options)
{
    public DbSet<Measurement> Measurements => Set<Measurement>();
}

public class Measurement
{
    public Guid Id { get; set; }

    public required string Sensor { get; set; }

    public DateTime At { get; set; }

    public double Value { get; set; }

    public int Count { get; set; }

    public string? Note { get; set; }
}
