using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Concurrent detaches: those that were cut off, and what they wait for.</summary>
public class TenantDetachTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task One_that_was_cut_off_is_undone_for_a_registered_tenant()
    {
        var tenants = await CreateManaged("a", "b");
        await Insert("a", "b");
        var foreignKeys = await ForeignKeys();
        await CutOffDetach("Payment", "Payment_a");
        await using (var a = WarehouseContext.Create(_database.ConnectionString, "a"))
        {
            Assert.Equal(0, await a.Set<Payment>().CountAsync());
        }

        var repairs = await tenants.RepairAsync();

        var repair = Assert.Single(repairs);
        Assert.Equal(("public.Payment", "a", true), (repair.Table, repair.TenantId, repair.IsMended));
        await using var whole = WarehouseContext.Create(_database.ConnectionString, "a");
        Assert.Equal(1, await whole.Set<Payment>().CountAsync());
        Assert.Equal(foreignKeys, await ForeignKeys());
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task One_that_was_cut_off_is_finished_for_a_tenant_that_goes_and_keeps_no_other_from_going()
    {
        var tenants = await CreateManaged("a", "b", "c");
        await Insert("a", "b");
        await CutOffDetach("Payment", "Payment_a");
        await CutOffDetach("Remark", "Remark_b");
        await CutOffDetach("Orders", "Orders_c");

        await tenants.RemoveAsync(["a"]);
        Assert.Equal(["b", "c"], (await tenants.ListAsync()).Select(t => t.TenantId));
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_a'"));
        Assert.Equal(2, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"));

        Assert.Equal([("public.Orders", "c", true), ("public.Remark", "b", true)], (await tenants.RepairAsync()).Select(r => (r.Table, r.TenantId, r.IsMended)));
        Assert.Empty(await tenants.RepairAsync());
        Assert.Equal(20, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relispartition"));
        await using var b = WarehouseContext.Create(_database.ConnectionString, "b");
        Assert.Equal(1, await b.Set<TenantProcess.Remark>().CountAsync());

        await CutOffDetach("Orders", "Orders_c");
        await tenants.RemoveAsync(["c"]);
        Assert.Empty(await tenants.RepairAsync());
        Assert.Equal(11, (await ForeignKeys()).Count);
    }

    [Fact]
    public async Task One_that_is_cut_off_while_the_tenant_goes_is_finished_all_the_same()
    {
        var tenants = await CreateManaged("a", "b");
        await Insert("b");
        Task? cuttingOff = null;

        // Categories reference themselves, and go by themselves after the tables that were told of by then.
        await tenants.RemoveAsync(["a"], progress: new Told(_ => (cuttingOff ??= CutOffDetach("Categories", "Categories_a")).Wait()));

        Assert.NotNull(cuttingOff);
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_a'"));
        Assert.Empty(await tenants.RepairAsync());
        await using var b = WarehouseContext.Create(_database.ConnectionString, "b");
        Assert.Equal(1, await b.Set<Payment>().CountAsync());
    }

    [Fact]
    public async Task Finishing_one_waits_for_old_snapshots_but_no_request_waits_for_it()
    {
        await CreateManaged("a", "b");
        await Insert("a");
        await CutOffDetach("Orders", "Orders_b");

        // Long reports: one has an old snapshot, the other just a lock of a table that references the partition's.
        await using (var old = new NpgsqlConnection(_database.ConnectionString))
        {
            await old.OpenAsync();
            await using var snapshot = await old.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
            await Run(old, "SELECT 1");
            var repair = Task.Run(() => Patient(TimeSpan.FromSeconds(30)).RepairAsync());
            await Task.Delay(1500);
            Assert.False(repair.IsCompleted);
            await snapshot.CommitAsync();
            Assert.Single(await repair);
        }

        await CutOffDetach("Orders", "Orders_b");
        await using var reader = new NpgsqlConnection(_database.ConnectionString);
        await reader.OpenAsync();
        await using var report = await reader.BeginTransactionAsync();
        await Run(reader, """LOCK TABLE "OrderLines" IN ACCESS SHARE MODE""");

        var mending = Task.Run(() => Patient(TimeSpan.FromSeconds(3)).RepairAsync());
        var slowest = TimeSpan.Zero;
        while (!mending.IsCompleted)
        {
            var watch = Stopwatch.StartNew();
            await _database.ScalarAsync<int>("""SELECT count(*) FROM "OrderLines" """);
            slowest = watch.Elapsed > slowest ? watch.Elapsed : slowest;
        }

        var exception = await Assert.ThrowsAsync<TenantAdministrationException>(() => mending);
        Assert.IsType<TimeoutException>(Assert.Single(exception.InnerExceptions));
        Assert.InRange(slowest, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        await report.CommitAsync();
        Assert.Single(await Patient(TimeSpan.FromSeconds(30)).RepairAsync());
    }

    [Fact]
    public async Task A_tenant_leaves_a_table_without_foreign_keys_beside_long_readers_and_nobody_waits()
    {
        await using var context = new PartitionContext(
            _database.ConnectionString,
            b => b.Entity<Happening>().Ignore(e => e.Remarks).IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")));
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(["a", "b"]);
        await using var reader = new NpgsqlConnection(_database.ConnectionString);
        await reader.OpenAsync();
        await using var report = await reader.BeginTransactionAsync();
        await Run(reader, """SELECT count(*) FROM "Events" """);

        var removal = Task.Run(() => tenants.RemoveAsync(["a"]));
        var until = Stopwatch.StartNew();
        while (until.Elapsed < TimeSpan.FromSeconds(2))
        {
            var watch = Stopwatch.StartNew();
            await _database.ExecuteAsync("""INSERT INTO "Events" ("TenantId", "Name", "At") VALUES ('b', 'x', now())""");
            Assert.InRange(watch.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(1));
        }

        Assert.False(removal.IsCompleted);
        await report.CommitAsync();
        await removal;
        Assert.Equal(["Events_b"], await _database.ColumnAsync("SELECT relname FROM pg_class WHERE relname LIKE 'Events\\__'"));
    }

    private async Task<ITenantAdministration> CreateManaged(params string[] tenants)
    {
        var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(tenants);
        return context.Tenancy().Administration;
    }

    private ITenantAdministration<WarehouseContext> Patient(TimeSpan patience)
        => new ServiceCollection()
            .AddScoped(_ => WarehouseContext.Create(_database.ConnectionString))
            .AddTenantAdministration<WarehouseContext>(o => o.RetryTimeout = patience)
            .BuildServiceProvider().GetRequiredService<ITenantAdministration<WarehouseContext>>();

    private async Task Insert(params string[] tenants)
    {
        foreach (var tenant in tenants)
        {
            await using var context = WarehouseContext.Create(_database.ConnectionString, tenant);
            context.AddRows(1);
            await context.SaveChangesAsync();
        }
    }

    // A reader with an old snapshot keeps the detach waiting until its own lock timeout.
    private async Task CutOffDetach(string table, string partition)
    {
        await using var reader = new NpgsqlConnection(_database.ConnectionString);
        await reader.OpenAsync();
        await using var transaction = await reader.BeginTransactionAsync();
        await Run(reader, $"""SELECT count(*) FROM "{table}" """);
        await using var detaching = new NpgsqlConnection(_database.ConnectionString);
        await detaching.OpenAsync();
        await Run(detaching, "SET lock_timeout = '200ms'");
        var late = await Assert.ThrowsAsync<PostgresException>(() => Run(detaching, $"""ALTER TABLE "{table}" DETACH PARTITION "{partition}" CONCURRENTLY"""));
        Assert.Equal(PostgresErrorCodes.LockNotAvailable, late.SqlState);
    }

    private static async Task Run(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    private Task<List<string>> ForeignKeys()
        => _database.ColumnAsync(
            "SELECT conname || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1");
}
