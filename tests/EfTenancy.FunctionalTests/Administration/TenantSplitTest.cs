using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Tenants leave the partitions that they share.</summary>
public class TenantSplitTest(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly string[] Tables =
        ["Address", "Categories", "Customers", "Invoice", "OrderLines", "Orders", "Payment", "Products", "Remark", "Shipment"];

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task A_tenant_leaves_a_bucket_and_everything_is_as_if_it_had_been_added_alone()
    {
        var tenants = await CreateBucket("a", "b", "c");
        await tenants.AddAsync(["alone"]);
        await Insert("alone");
        var before = await Rows("a", "b", "c", "alone");
        var foreignKeys = await ForeignKeys();
        var bucket = await Shape("small");

        var result = await tenants.SplitAsync(["a", "alone"]);

        Assert.Equal(Tables, result.Tables.Select(t => t.Table["public.".Length..]).Order(StringComparer.Ordinal));
        Assert.All(result.Tables, t => Assert.Equal((1, 0L), (t.Changes, t.DeletedRows)));
        Assert.Equal(
            [("a", "a"), ("alone", "alone"), ("b", "small"), ("c", "small")], (await tenants.ListAsync()).Select(t => (t.TenantId, t.Suffix)));
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Active, 10, 0), (t.State, t.Partitions, t.MissingPartitions)));
        foreach (var table in Tables)
        {
            Assert.Equal(
                [$"{table}_a: a", $"{table}_alone: alone", $"{table}_small: b", $"{table}_small: c"],
                await _database.ColumnAsync(
                    $"""SELECT DISTINCT relname || ': ' || "TenantId" FROM "{table}" t JOIN pg_class c ON c.oid = t.tableoid ORDER BY 1"""));
        }

        Assert.Equal(before, await Rows("a", "b", "c", "alone"));
        Assert.Equal(foreignKeys, await ForeignKeys());
        Assert.Equal(bucket, await Shape("small"));
        await tenants.AddAsync(["fresh"]);
        Assert.Equal(await Shape("fresh"), await Shape("a"));
        await AssertNothingLeft();
        Assert.Empty(await tenants.RepairAsync());

        // Foreign keys work, and so do the tenants.
        await using var a = WarehouseContext.Create(_database.ConnectionString, "a");
        a.AddRows(2);
        await a.SaveChangesAsync();
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""UPDATE "OrderLines" SET "OrderId" = 99 WHERE "TenantId" = 'a'"""));
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""UPDATE "OrderLines" SET "OrderId" = 99 WHERE "TenantId" = 'b'"""));
        await _database.ExecuteAsync("""DELETE FROM "Orders" WHERE "TenantId" = 'a' AND "Id" = 2""");
        Assert.Equal(["1"], await _database.ColumnAsync("""SELECT "Id" FROM "OrderLines" WHERE "TenantId" = 'a'"""));
        await tenants.RemoveAsync(["a"]);
        Assert.Equal(before.Where(r => !r.StartsWith("a ", StringComparison.Ordinal)), await Rows("b", "c", "alone"));

        // Again: nothing is to be done.
        Assert.All((await tenants.SplitAsync(["alone"])).Tables, t => Assert.Equal(0, t.Changes));
    }

    [Fact]
    public async Task Several_tenants_leave_at_once_also_all_of_them_and_two_may_stay_together()
    {
        var tenants = await CreateBucket("a", "b", "c", "d", "e");
        var before = await Rows("a", "b", "c", "d", "e");

        await tenants.SplitAsync(new Dictionary<string, string> { ["a"] = "pair", ["d"] = "pair" });
        Assert.Equal(["pair", "small", "small", "pair", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
        await tenants.SplitAsync(["a", "b", "c", "d", "e"]);

        Assert.Equal(["a", "b", "c", "d", "e"], (await tenants.ListAsync()).Select(t => t.Suffix));
        Assert.Equal(before, await Rows("a", "b", "c", "d", "e"));
        Assert.Equal(50, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"));
        await AssertNothingLeft();
        Assert.Empty(await tenants.RepairAsync());
    }

    private async Task<ITenantAdministration> CreateBucket(params string[] ids)
    {
        var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(ids.ToDictionary(id => id, _ => "small"));
        await Insert(ids);
        return context.Tenancy().Administration;
    }

    private async Task Insert(params string[] tenants)
    {
        foreach (var tenant in tenants)
        {
            await using var context = WarehouseContext.Create(_database.ConnectionString, tenant);
            context.AddRows(1);
            await context.SaveChangesAsync();
        }
    }

    // Not xmin and ctid: they are what a split changes.
    private async Task<List<string>> Rows(params string[] ids)
    {
        var rows = new List<string>();
        foreach (var id in ids)
        {
            foreach (var table in Tables)
            {
                rows.AddRange(await _database.ColumnAsync(
                    $"""SELECT "TenantId" || ' {table} ' || count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM "{table}" t WHERE "TenantId" = '{id}' GROUP BY "TenantId" """));
            }
        }

        Assert.Equal(ids.Length * Tables.Length, rows.Count);
        return rows;
    }

    private Task<List<string>> ForeignKeys()
        => _database.ColumnAsync(
            "SELECT conname || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1");

    /// <summary>All that the catalog knows of the partitions of a suffix.</summary>
    private async Task<List<string>> Shape(string suffix)
        => [.. (await _database.ColumnAsync(SplitCatalog.Shape(suffix))).Select(s => s.Replace("_" + suffix, "_?", StringComparison.Ordinal))];

    private async Task AssertNothingLeft()
        => Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));
}
