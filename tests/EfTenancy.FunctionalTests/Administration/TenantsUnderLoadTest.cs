using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Tenants come and go in ten related tables while writers and readers of others work.</summary>
public class TenantsUnderLoadTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Workers = 8;

    private static readonly string[] Working = ["w0", "w1", "w2", "w3"];

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
    public async Task No_request_fails_or_waits_long_for_a_lock_while_tenants_come_and_go()
    {
        var tenants = Enumerable.Range(0, Scale.LoadTenants).Select(i => $"t{i:000}").ToList();
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(Working);

        using var stop = new CancellationTokenSource();
        var writers = Enumerable.Range(0, Workers).Select(i => Task.Run(() => RequestLoad.RepeatAsync(() => Write(i), stop.Token))).ToList();
        var readers = Enumerable.Range(0, Workers).Select(i => Task.Run(() => RequestLoad.RepeatAsync(() => Read(i), stop.Token))).ToList();
        var watch = Task.Run(() => _requests.WatchAsync(stop.Token));

        await Task.Delay(500);
        var watchOfAdd = Stopwatch.StartNew();
        await Administration.AddAsync(tenants);
        var added = watchOfAdd.Elapsed;
        var longestOfAdd = _requests.LongestLockWait;
        foreach (var tenant in tenants.Take(5))
        {
            await using var rows = WarehouseContext.Create(_database.ConnectionString, tenant);
            rows.AddRows(1);
            await rows.SaveChangesAsync();
        }

        // A detach waits for all requests of its moment, so that many of them take long; a few show as much.
        var leaving = tenants.Take(6).ToList();
        var watchOfRemove = Stopwatch.StartNew();
        output.WriteLine($"Added in {added}.");
        await Administration.RemoveAsync(leaving);
        var removed = watchOfRemove.Elapsed;

        await stop.CancelAsync();
        var written = await Task.WhenAll(writers);
        var read = await Task.WhenAll(readers);
        await watch;
        var deadlocks = await _database.ScalarAsync<int>(
            "SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()");

        output.WriteLine(
            $"{tenants.Count} tenants over 10 tables beside {Workers} writers and {Workers} readers: added in {added.TotalSeconds:0.0} s, "
            + $"{leaving.Count} removed in {removed.TotalSeconds:0.0} s, {written.Sum(w => w.Count)} writes (slowest {written.Max(w => w.Slowest).TotalMilliseconds:0} ms), "
            + $"{read.Sum(r => r.Count)} reads (slowest {read.Max(r => r.Slowest).TotalMilliseconds:0} ms), "
            + $"longest wait of a request for a lock {longestOfAdd.TotalMilliseconds:0} ms "
            + $"while adding and {_requests.LongestLockWait.TotalMilliseconds:0} ms in all, {deadlocks} deadlocks.");

        Assert.Equal(0, deadlocks);
        Assert.InRange(_requests.LongestLockWait, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        Assert.All(written.Concat(read), w => Assert.True(w.Count > 0));
        Assert.Equal(tenants.Except(leaving).Concat(Working).Order(StringComparer.Ordinal), (await context.Tenancy().Administration.ListAsync()).Select(t => t.TenantId));
        Assert.Equal(10 * (tenants.Count - leaving.Count + Working.Length), await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"));
        Assert.Equal(
            written.Sum(w => w.Count), await _database.ScalarAsync<int>("""SELECT count(*) FROM "Payment" WHERE "TenantId" LIKE 'w%'"""));
    }

    // Patient: a machine that is busy with other tests has long transactions.
    private ITenantAdministration<WarehouseContext> Administration
        => new ServiceCollection()
            .AddScoped(_ => WarehouseContext.Create(_database.ConnectionString))
            .AddTenantAdministration<WarehouseContext>(o => o.RetryTimeout = TimeSpan.FromMinutes(5))
            .BuildServiceProvider().GetRequiredService<ITenantAdministration<WarehouseContext>>();

    private int _ids;

    // Several saves in one transaction, also against the order of references.
    private async Task Write(int worker)
    {
        var id = Interlocked.Increment(ref _ids);
        await using var context = WarehouseContext.Create(_requests.ConnectionString, Working[worker % Working.Length]);
        await using var transaction = await context.Database.BeginTransactionAsync();
        context.AddRows(id);
        await context.SaveChangesAsync();
        var line = await context.OrderLines.SingleAsync(l => l.Id == id);
        line.Quantity++;
        await context.SaveChangesAsync();
        await context.Customers.Where(c => c.Id == id).ExecuteUpdateAsync(s => s.SetProperty(c => c.RegionId, (int?)null));
        await transaction.CommitAsync();
    }

    private async Task Read(int worker)
    {
        await using var context = WarehouseContext.Create(_requests.ConnectionString, Working[worker % Working.Length]);
        _ = await context.Orders.Include(o => o.Lines).ThenInclude(l => l.Product).OrderByDescending(o => o.Id).Take(20).ToListAsync();
        _ = await context.OrderLines.CountAsync();
    }

}
