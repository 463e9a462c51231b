using System.Data;
using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Tenants leave a bucket while they and those who stay insert, update, delete and read.</summary>
public class SplitUnderLoadTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Standing = 900_000;

    private static readonly string[] Tenants = ["leaving1", "leaving2", "staying1", "staying2"];
    private static readonly string[] Tables =
        ["Categories", "Products", "Customers", "Address", "Remark", "Orders", "OrderLines", "Invoice", "Payment", "Shipment"];

    private TestDatabase _database = null!;
    private RequestLoad _requests = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        _requests = new RequestLoad(_database);
    }

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task No_request_fails_and_no_row_is_lost_or_doubled()
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(Tenants.ToDictionary(t => t, _ => "bucket"));
        await FillAsync();

        using var stop = new CancellationTokenSource();
        var workers = Enumerable.Range(0, 8).Select(i => new Worker(_requests.ConnectionString, Tenants[i % 4], (i + 1) * 20_000, isRepeatable: i >= 6)).ToList();
        var writers = workers.Select(w => Task.Run(() => RequestLoad.RepeatAsync(w.WriteAsync, stop.Token))).ToList();
        var readers = Tenants.Select(t => Task.Run(() => RequestLoad.RepeatAsync(() => ReadAsync(t), stop.Token))).ToList();
        var watch = Task.Run(() => _requests.WatchAsync(stop.Token));

        // On a slow machine the split would be over before those with old snapshots come to rows that they may change.
        for (var patience = Stopwatch.StartNew(); workers.Exists(w => w.Deleted == 0) && patience.Elapsed < TimeSpan.FromMinutes(1);)
        {
            await Task.Delay(100);
        }

        var clock = Stopwatch.StartNew();
        await context.Tenancy().Administration.SplitAsync(["leaving1", "leaving2"]);
        clock.Stop();
        await Task.Delay(300);
        await stop.CancelAsync();
        var written = await Task.WhenAll(writers);
        var read = await Task.WhenAll(readers);
        await watch;

        output.WriteLine(
            $"{Tables.Length} tables of {Scale.SplitRows * Tenants.Length:N0} rows each split in {clock.Elapsed.TotalSeconds:0.0} s beside {written.Sum(w => w.Count)} writes "
            + $"(slowest {written.Max(w => w.Slowest).TotalMilliseconds:0} ms) and {read.Sum(w => w.Count)} reads (slowest "
            + $"{read.Max(w => w.Slowest).TotalMilliseconds:0} ms), longest wait of a request for a lock {_requests.LongestLockWait.TotalMilliseconds:0} ms.");

        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()"));
        Assert.All(written.Concat(read), w => Assert.True(w.Count > 0));
        Assert.All(workers, w => Assert.True(w.Deleted > 0));
        foreach (var tenant in Tenants)
        {
            var rows = workers.Where(w => w.Tenant == tenant).SelectMany(w => w.Rows).OrderBy(r => r.Key).Select(r => $"{r.Key} {r.Value}");
            Assert.Equal(rows, await _database.ColumnAsync(
                $"""SELECT "Id" || ' ' || "Quantity" FROM "OrderLines" WHERE "TenantId" = '{tenant}' AND "Id" < {Standing} ORDER BY "Id" """));
            foreach (var table in Tables)
            {
                var ofRow = table == "Categories" ? 2 : 1;
                Assert.Equal(
                    [$"{ofRow * workers.Where(w => w.Tenant == tenant).Sum(w => w.Rows.Count) + Scale.SplitRows} {table}_{(tenant[0] == 'l' ? tenant : "bucket")}"],
                    await _database.ColumnAsync(
                        $"""SELECT count(*) || ' ' || tableoid::regclass::text FROM "{table}" WHERE "TenantId" = '{tenant}' GROUP BY tableoid""")
                        .ContinueWith(t => t.Result.Select(r => r.Replace("\"", "", StringComparison.Ordinal))));
            }
        }

        Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));
        Assert.Empty(await context.Tenancy().Administration.RepairAsync());
    }

    // Rows that nobody changes: whoever reads sees all of them at any moment.
    private async Task FillAsync()
    {
        foreach (var (table, columns) in ((string, string)[])[
            ("Categories", """ "Name") SELECT "t", i, 'x' """), ("Products", """ "CategoryId") SELECT "t", i, i"""), ("Customers", """ "RegionId") SELECT "t", i, 1"""),
            ("Address", """ "CustomerId") SELECT "t", i, i"""), ("Remark", """ "CustomerId") SELECT "t", i, i"""), ("Orders", """ "CustomerId") SELECT "t", i, i"""),
            ("OrderLines", """ "OrderId", "ProductId", "Quantity") SELECT "t", i, i, i, 1"""), ("Invoice", """ "OrderId") SELECT "t", i, i"""),
            ("Payment", """ "InvoiceId") SELECT "t", i, i"""), ("Shipment", """ "OrderId") SELECT "t", i, i""")])
        {
            await _database.ExecuteAsync(
                $"""INSERT INTO "{table}" ("TenantId", "Id", {columns} FROM generate_series({Standing}, {Standing + Scale.SplitRows - 1}) AS i, unnest(ARRAY['{string.Join("','", Tenants)}']) AS "t" """);
        }
    }

    private async Task ReadAsync(string tenant)
    {
        await using var context = WarehouseContext.Create(_requests.ConnectionString, tenant);
        Assert.Equal(Scale.SplitRows, await context.Orders.CountAsync(o => o.Id >= Standing));
        Assert.Equal(1, await context.Orders.Where(o => o.Id == Standing).SelectMany(o => o.Lines).CountAsync(l => l.Product!.CategoryId == Standing));
    }

    /// <summary>Writes rows of its own, and knows what they must be.</summary>
    private sealed class Worker(string connectionString, string tenant, int firstId, bool isRepeatable)
    {
        // A snapshot that is older than the switch may miss rows that were changed in the last moments before it: seconds, on a busy machine.
        private const int Old = 300;

        private int _next = firstId;
        private int _changed = firstId;

        public string Tenant
            => tenant;

        public Dictionary<int, int> Rows { get; } = [];

        public int Deleted { get; private set; }

        public async Task WriteAsync()
        {
            var (id, changed, isGone) = (_next, _changed, false);
            await using (var context = WarehouseContext.Create(connectionString, tenant))
            {
                await using var transaction = await context.Database.BeginTransactionAsync(
                    isRepeatable ? IsolationLevel.RepeatableRead : IsolationLevel.ReadCommitted);
                context.AddRows(id);
                await context.SaveChangesAsync();
                if (changed + (isRepeatable ? Old : 2) < id)
                {
                    var line = await context.OrderLines.SingleAsync(l => l.Id == changed);
                    line.Quantity += 1_000;
                    await context.SaveChangesAsync();
                    if (isGone = changed % 3 == 0)
                    {
                        await context.Set<Category>().Where(c => c.Id == changed + 1_000_000).ExecuteDeleteAsync();
                        await context.Orders.Where(o => o.Id == changed).ExecuteDeleteAsync();
                        await context.Customers.Where(c => c.Id == changed).ExecuteDeleteAsync();
                        await context.Set<Product>().Where(p => p.Id == changed).ExecuteDeleteAsync();
                        await context.Categories.Where(c => c.Id == changed).ExecuteDeleteAsync();
                    }
                }

                await transaction.CommitAsync();
            }

            Rows.Add(id, id);
            if (changed + (isRepeatable ? Old : 2) < id)
            {
                Rows[changed] += 1_000;
                if (isGone)
                {
                    Rows.Remove(changed);
                    Deleted++;
                }

                _changed++;
            }

            _next++;
        }
    }
}
