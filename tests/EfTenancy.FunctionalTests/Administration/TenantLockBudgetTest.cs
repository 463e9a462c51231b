using EfTenancy.Administration;
using EfTenancy.Administration.Internal;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>The estimate of locks against those that PostgreSQL takes.</summary>
public class TenantLockBudgetTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private WarehouseContext _context = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        _context = WarehouseContext.Create(_database.ConnectionString);
        await _context.Database.EnsureCreatedAsync();
        await _context.Tenancy().Administration.AddAsync(Enumerable.Range(0, 20).Select(i => $"t{i}"));
    }

    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task The_estimate_is_not_below_what_creating_and_dropping_take_and_not_far_above()
    {
        var database = new TenantDatabase(_context, new TenantAdministrationOptions());
        await using var connection = await database.OpenAsync(CancellationToken.None);
        var catalog = await TenantCatalog.LoadAsync(connection, database, CancellationToken.None);
        var budget = new TenantLockBudget(catalog, 64, 100);

        var figures = new List<(long Estimate, int Taken)>();
        foreach (var table in catalog.Managed)
        {
            var created = await LocksOf(
                database.PartitionSql.CreatePartition(table.Name, table.Schema, new TenantPartition("new") { Values = ["new"] }));
            var dropped = await LocksOf(
                [$"""ALTER TABLE "{table.Name}" DETACH PARTITION "{table.Name}_t1" """, $"""DROP TABLE "{table.Name}_t1" """]);
            var estimate = budget.Locks(table, partitions: 1);
            output.WriteLine($"{table.Name}: estimated {estimate}, created {created}, dropped {dropped}");
            figures.Add((estimate, Math.Max(created, dropped)));
        }

        Assert.All(figures, f => Assert.InRange(f.Taken, f.Estimate / 5, f.Estimate));
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_with_the_setting_and_what_fits_is_split()
    {
        var database = new TenantDatabase(_context, new TenantAdministrationOptions());
        await using var connection = await database.OpenAsync(CancellationToken.None);
        var catalog = await TenantCatalog.LoadAsync(connection, database, CancellationToken.None);
        var orders = catalog.Managed.Single(t => t.Name == "Orders");

        var exception = Assert.Throws<InvalidOperationException>(() => new TenantLockBudget(catalog, 10, 10).RefuseTooMany(orders));
        Assert.Contains("public.Orders", exception.Message, StringComparison.Ordinal);
        Assert.Contains("max_locks_per_transaction, which is 10 now", exception.Message, StringComparison.Ordinal);

        var budget = new TenantLockBudget(catalog, 64, 50);
        budget.RefuseTooMany(orders);
        var atOnce = budget.PartitionsAtOnce(orders);
        Assert.InRange(budget.Locks(orders, atOnce), 1, 1600);
        Assert.InRange(budget.Locks(orders, atOnce + 1), 1601, int.MaxValue);
    }

    private async Task<int> LocksOf(IEnumerable<string> statements)
    {
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using var command = new NpgsqlCommand(string.Join("; ", statements.Select(s => s.TrimEnd(';'))), connection);
        await command.ExecuteNonQueryAsync();
        await using var count = new NpgsqlCommand("SELECT count(*)::int FROM pg_locks WHERE pid = pg_backend_pid()", connection);
        return (int)(await count.ExecuteScalarAsync())!;
    }
}
