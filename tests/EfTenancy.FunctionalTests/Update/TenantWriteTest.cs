using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

/// <summary>Each way to write, tried against another tenant's rows. Red's rows have the ids 1 to 3; Green gets no row 2 and 3.</summary>
public class TenantWriteTest(ShopFixture fixture) : IClassFixture<ShopFixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private List<string> _before = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CloneAsync();
        await _database.ExecuteAsync("""DELETE FROM "OrderLines" WHERE "TenantId" = 'Green'; DELETE FROM "Orders" WHERE "TenantId" = 'Green'""");
        _before = await _database.RowsOfAsync("Red");
    }

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task A_disconnected_graph_with_foreign_keys_of_another_tenant_changes_nothing()
    {
        await using var green = Green();
        green.Update(new Order { Id = 1, Title = "stolen", Lines = { new OrderLine { Id = 1, Quantity = 99 }, new OrderLine { Quantity = 98 } } });

        // The new line finds no order 1 of Green's; had there been none, the update of order 1 would find no row.
        await Assert.ThrowsAnyAsync<DbUpdateException>(() => green.SaveChangesAsync());
        await AssertRedUntouched();
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "OrderLines" WHERE "TenantId" = 'Green' """));
    }

    [Fact]
    public async Task Removing_a_tracked_row_of_another_tenant_is_refused()
    {
        await using var green = Green();
        green.Remove(await green.OrderLines.IgnoreQueryFilters().FirstAsync(l => EF.Property<string>(l, "TenantId") == "Red"));
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
        await AssertRedUntouched();
    }

    [Fact]
    public async Task The_tenant_of_a_tracked_row_cannot_be_changed()
    {
        await using var green = Green();
        var invoice = await green.Invoices.SingleAsync();
        invoice.TenantId = "Red";
        await Assert.ThrowsAnyAsync<InvalidOperationException>(() => green.SaveChangesAsync());

        green.ChangeTracker.Clear();
        invoice = await green.Invoices.SingleAsync();
        Assert.ThrowsAny<InvalidOperationException>(
            () =>
            {
                green.Entry(invoice).Property(i => i.TenantId).CurrentValue = "Red";
                green.SaveChanges();
            });
        await AssertRedUntouched();
    }

    [Fact]
    public async Task An_own_property_with_another_tenant_is_refused()
    {
        var red = await _database.ScalarAsync<Guid>("""SELECT "Id" FROM "Invoices" WHERE "TenantId" = 'Red' """);

        foreach (var write in (Action<ShopContext, Invoice>[])[
                     (c, i) => c.Add(i), (c, i) => c.Update(i), (c, i) => c.Remove(i), (c, i) => c.Attach(i).State = EntityState.Modified])
        {
            await using var green = Green();
            write(green, new Invoice { Id = red, TenantId = "Red", Amount = 99 });
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
        }

        await AssertRedUntouched();
    }

    [Fact]
    public async Task An_own_property_is_filled_and_a_stub_stays_in_its_tenant()
    {
        var red = await _database.ScalarAsync<Guid>("""SELECT "Id" FROM "Invoices" WHERE "TenantId" = 'Red' """);
        await using var green = Green();
        var stub = green.Update(new Invoice { Id = red, Amount = 99 }).Entity;
        Assert.Equal("Green", stub.TenantId);
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => green.SaveChangesAsync());
        await AssertRedUntouched();

        green.ChangeTracker.Clear();
        var own = green.Add(new Invoice { Id = red, TenantId = "", Amount = 5 }).Entity;
        await green.SaveChangesAsync();
        Assert.Equal("Green", own.TenantId);
        Assert.Equal(
            ["Blue", "Green", "Green", "Red"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Invoices" ORDER BY 1"""));
        await AssertRedUntouched();
    }

    [Fact]
    public async Task Bulk_statements_stay_in_their_tenant()
    {
        await using var green = Green();
        Assert.Equal(0, await green.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.Title, "stolen")));
        Assert.Equal(0, await green.OrderLines.ExecuteDeleteAsync());
        await AssertRedUntouched();
    }

    [Fact]
    public async Task Bulk_statements_cannot_set_the_tenant()
    {
        await using var green = Green();
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Invoices.ExecuteUpdateAsync(s => s.SetProperty(i => i.Amount, 2).SetProperty(i => i.TenantId, "Red")));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Customers.ExecuteUpdateAsync(s => s.SetProperty(c => EF.Property<string>(c, "TenantId"), c => c.Email)));
        Assert.Throws<InvalidOperationException>(
            () => green.Invoices.Where(i => i.AnyTenant()).ExecuteUpdate(s => s.SetProperty(i => i.TenantId, i => "Green")));
        await AssertRedUntouched();
    }

    [Fact]
    public async Task Find_reload_and_database_values_stay_in_their_tenant()
    {
        await using var green = Green();
        Assert.Null(await green.Orders.FindAsync(1));
        Assert.Null(green.Orders.Find(1));
        Assert.Null(await green.FindAsync<Order>([1], TestContext.Current.CancellationToken));
        Assert.Null(await green.FindAsync(typeof(Order), 1));
        Assert.Null(await green.Orders.FindAsync("Red", 1));

        var stub = green.Attach(new Order { Id = 1, Title = "mine" });
        Assert.Null(await stub.GetDatabaseValuesAsync());
        await stub.ReloadAsync();
        Assert.Equal(EntityState.Detached, stub.State);

        // A tracked row of Red is not what Green's key 1 means.
        await green.Orders.Where(o => o.TenantIsOneOf("Red")).LoadAsync();
        Assert.Null(await green.Orders.FindAsync(1));
        Assert.Null(green.Orders.Local.FindEntry(1));
    }

    [Fact]
    public async Task Find_finds_the_own_row_tracked_or_not()
    {
        await using var red = fixture.CreateContext(_database.ConnectionString, "Red");
        Assert.Equal("Red 1", red.Orders.Find(1)!.Title);
        Assert.Equal("Red 2", (await red.Orders.FindAsync([2], TestContext.Current.CancellationToken))!.Title);
        Assert.Equal("Red 2", ((Order)(await red.FindAsync(typeof(Order), [2], TestContext.Current.CancellationToken))!).Title);
        Assert.Equal("Red 1", red.Orders.Local.FindEntry(1)!.Entity.Title);
        Assert.Same(red.Orders.Find(1), await red.Orders.FindAsync("Red", 1));
        Assert.Equal("North", (await red.Regions.FindAsync(1))!.Name);
    }

    [Fact]
    public async Task Explicit_loading_stays_in_its_tenant()
    {
        await using var green = Green();
        var stub = green.Attach(new Order { Id = 1, Title = "" });
        await stub.Collection(o => o.Lines).LoadAsync();
        Assert.Empty(stub.Entity.Lines);

        var region = await green.Regions.SingleAsync();
        await green.Entry(region).Collection(r => r.Customers).LoadAsync();
        Assert.Equal("Green", green.Tenancy().TenantOf(Assert.Single(region.Customers)));
    }

    [Fact]
    public async Task Rows_of_two_tenants_with_one_id_are_two_entities()
    {
        await using var blue = fixture.CreateContext(_database.ConnectionString, "Blue");
        var all = await blue.Orders.Where(o => o.AnyTenant() && o.Id == 1).ToListAsync();
        Assert.Equal(["Blue 1", "Red 1"], all.Select(o => o.Title).Order());
        Assert.Equal("Red", blue.Tenancy().TenantOf(all.Single(o => o.Title == "Red 1")));
    }

    [Fact]
    public async Task Generated_keys_come_back_and_never_meet()
    {
        await using var green = Green();
        var orders = Enumerable.Range(0, 10).Select(i => new Order { Title = $"{i}", Lines = { new OrderLine { Quantity = i } } }).ToList();
        green.AddRange(orders);
        await green.SaveChangesAsync();
        Assert.Equal(10, orders.Select(o => o.Id).Where(id => id > 0).Distinct().Count());
        Assert.Equal(
            10, await _database.ScalarAsync<int>("""SELECT count(*) FROM "OrderLines" l JOIN "Orders" o ON o."TenantId" = l."TenantId" AND o."Id" = l."OrderId" WHERE o."TenantId" = 'Green' """));
    }

    private ShopContext Green()
        => fixture.CreateContext(_database.ConnectionString, "Green");

    private async Task AssertRedUntouched()
        => Assert.Equal(_before, await _database.RowsOfAsync("Red"));
}
