using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

public class ForTenantTest(ShopFixture fixture) : IClassFixture<ShopFixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ShopContext _green = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CloneAsync();
        _green = fixture.CreateContext(_database.ConnectionString, "Green");
    }

    public async ValueTask DisposeAsync()
    {
        await _green.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Its_queries_and_finds_see_its_rows_and_the_contexts_see_the_contexts()
    {
        var red = _green.Tenancy().ForTenant("Red");

        Assert.Equal(["Red 1", "Red 2"], await red.Set<Order>().OrderBy(o => o.Id).Select(o => o.Title).ToListAsync());
        Assert.Equal("Red 1", red.Find<Order>(1)!.Title);
        Assert.Equal("Green 1", (await _green.Orders.FindAsync(1))!.Title);
        Assert.Equal("Red 2", (await red.FindAsync<Order>([2]))!.Title);
        Assert.Same(await red.FindAsync<Order>([2]), red.Find<Order>(2));
        Assert.Null(red.Find<Order>(99));
        Assert.Equal("North", red.Find<Region>(1)!.Name);
        Assert.Equal(1, await red.Set<Region>().CountAsync());
        Assert.Throws<ArgumentException>(() => red.Find<Order>("Red", 1));
        Assert.Contains("'int'", Assert.Throws<ArgumentException>(() => red.Find<Order>("1")).Message, StringComparison.Ordinal);
        Assert.Equal("keyValues", Assert.Throws<ArgumentNullException>(() => red.Find<Order>(null!)).ParamName);
        Assert.Equal("Green", _green.Tenancy().TenantId);
    }

    [Fact]
    public async Task Its_rows_are_updated_and_removed_and_only_its()
    {
        var red = _green.Tenancy().ForTenant("Red");
        red.Find<Order>(1)!.Title = "changed";
        red.Update(new Order { Id = 2, Title = "stub" });
        red.Remove(new OrderLine { Id = 1 });
        await _green.SaveChangesAsync();

        Assert.Equal(
            ["Green 1", "Green 2", "Green 3", "Red 3", "changed", "stub"],
            await _database.ColumnAsync("""SELECT "Title" FROM "Orders" WHERE "TenantId" IN ('Red', 'Green') ORDER BY "Title" COLLATE "C" """));
        Assert.Equal(
            ["Blue", "Green"], await _database.ColumnAsync("""SELECT "TenantId" FROM "OrderLines" WHERE "Id" = 1 ORDER BY 1"""));
    }

    [Fact]
    public async Task A_row_hung_later_under_its_row_is_its_row()
    {
        var order = _green.Tenancy().ForTenant("Red").Add(new Order { Title = "r" }).Entity;
        order.Lines.Add(new OrderLine { Quantity = 7 });
        await _green.SaveChangesAsync();
        order.Lines.Add(new OrderLine { Quantity = 8 });
        await _green.SaveChangesAsync();

        Assert.Equal(
            ["Red", "Red"], await _database.ColumnAsync("""SELECT "TenantId" FROM "OrderLines" WHERE "Quantity" IN (7, 8)"""));
    }

    [Fact]
    public async Task A_row_that_its_row_references_later_is_its_row()
    {
        var order = _green.Tenancy().ForTenant("Red").Find<Order>(1)!;
        order.Customer = new Customer { Email = "later", Orders = { new Order { Title = "and what it leads to" } } };
        await _green.SaveChangesAsync();

        Assert.Equal(["Red"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Customers" WHERE "Email" = 'later'"""));
        Assert.Equal(
            ["Red", "Red"],
            await _database.ColumnAsync(
                """
                SELECT o."TenantId" FROM "Orders" o JOIN "Customers" c ON c."Id" = o."CustomerId" AND c."TenantId" = o."TenantId"
                WHERE "Email" = 'later'
                """));
    }

    [Fact]
    public async Task What_the_context_looked_at_before_goes_to_the_named_tenant_all_the_same()
    {
        var looked = new Order { Title = "looked at" };
        _green.Entry(looked).Property(o => o.Paid).CurrentValue = true;
        var asked = new Order { Title = "asked for" };
        Assert.Equal("Green", _green.Tenancy().TenantOf(asked));
        var compared = new Customer { Id = 1, Email = "compared" };
        Assert.Equal(2, await _green.Orders.CountAsync(o => o.Customer == compared));

        var red = _green.Tenancy().ForTenant("Red");
        red.Add(looked);
        red.AddRange([asked]);
        red.Update(compared);
        await _green.SaveChangesAsync();

        Assert.Equal(
            ["Red", "Red", "Red"],
            await _database.ColumnAsync(
                """
                SELECT "TenantId" FROM "Orders" WHERE "Title" IN ('looked at', 'asked for')
                UNION ALL SELECT "TenantId" FROM "Customers" WHERE "Email" = 'compared'
                """));
    }

    [Fact]
    public async Task It_takes_no_entity_of_another_tenant()
    {
        var red = _green.Tenancy().ForTenant("Red");
        var own = await _green.Orders.SingleAsync(o => o.Id == 1);
        var posted = new Invoice { TenantId = "Green", Amount = 5 };

        foreach (var refused in (Action[])[
                     () => red.Remove(own), () => red.Update(own), () => red.Attach(own), () => red.Add(own),
                     () => red.Add(posted), () => red.AddRange([new Order { Title = "first" }, posted])])
        {
            Assert.Contains(
                "belongs to tenant 'Green', not to 'Red'",
                Assert.Throws<InvalidOperationException>(refused).Message,
                StringComparison.Ordinal);
        }

        Assert.Equal(0, await _green.SaveChangesAsync());
        posted.TenantId = null;
        red.Add(posted);
        await _green.SaveChangesAsync();
        Assert.Equal("Red", await _database.ScalarAsync<string>("""SELECT "TenantId" FROM "Invoices" WHERE "Amount" = 5"""));
    }

    [Fact]
    public async Task A_third_tenant_stays_closed()
    {
        _green.Tenancy().ForTenant("Red");
        _green.Remove(await _green.OrderLines.FirstAsync(l => l.TenantIsOneOf("Blue")));
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => _green.SaveChangesAsync());
    }

    [Fact]
    public void Bad_tenants_are_refused_at_the_door()
        => Assert.Throws<ArgumentException>(() => _green.Tenancy().ForTenant("\t"));

    [Fact]
    public async Task Across_tenants_reads_and_writes_all_and_ends_with_its_scope()
    {
        using (_green.Tenancy().AcrossTenants("test"))
        {
            var orders = await _green.Orders.Include(o => o.Lines).ToListAsync();
            Assert.Equal(6, orders.Count);
            Assert.All(orders, o => Assert.Single(o.Lines));
            Assert.Equal(3, await _green.Regions.Select(r => r.Customers.Count).SingleAsync());

            orders.ForEach(o => o.Title = "across");
            _green.Add(new Order { Title = "new" });
            await _green.SaveChangesAsync();
            Assert.Equal(6, await _green.OrderLines.ExecuteUpdateAsync(s => s.SetProperty(l => l.Quantity, 1)));
        }

        Assert.Equal(6, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Orders" WHERE "Title" = 'across' """));
        Assert.Equal("Green", await _database.ScalarAsync<string>("""SELECT "TenantId" FROM "Orders" WHERE "Title" = 'new' """));

        // The same queries again: another compilation, and the guard is back.
        Assert.Equal(3, (await _green.Orders.Include(o => o.Lines).ToListAsync()).Count);
        Assert.Equal(1, await _green.Regions.Select(r => r.Customers.Count).SingleAsync());
        (await _green.Orders.FirstAsync(o => o.TenantIsOneOf("Red"))).Title = "stolen";
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => _green.SaveChangesAsync());
    }

    [Fact]
    public async Task A_named_tenant_is_that_tenant_inside_across_tenants_too()
    {
        using (_green.Tenancy().AcrossTenants("each tenant by itself"))
        {
            var red = _green.Tenancy().ForTenant("Red");
            Assert.Equal(["Red 1", "Red 2"], await red.Set<Order>().OrderBy(o => o.Id).Select(o => o.Title).ToListAsync());
            Assert.Equal("Red 1", red.Find<Order>(1)!.Title);
            Assert.Equal(
                ["Blue 1 6", "Red 1 6"],
                await _green.Orders.Where(o => o.Id == 1 && o.TenantIsOneOf("Red", "Blue"))
                    .Select(o => o.Title + " " + _green.Orders.Count()).OrderBy(t => t).ToListAsync());
            Assert.Equal(6, await _green.Orders.CountAsync(o => o.AnyTenant()));
            Assert.Equal(2, await red.Set<Order>().ExecuteUpdateAsync(s => s.SetProperty(o => o.Title, "named")));
        }

        Assert.Equal(
            ["Red", "Red"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Orders" WHERE "Title" = 'named' """));
    }

    [Fact]
    public async Task Nested_scopes_end_with_the_outermost()
    {
        var outer = _green.Tenancy().AcrossTenants("outer");
        var inner = _green.Tenancy().AcrossTenants("inner");
        inner.Dispose();
        inner.Dispose();
        Assert.Equal(6, await _green.Orders.CountAsync());
        outer.Dispose();
        Assert.Equal(2, await _green.Orders.CountAsync());
    }

    [Fact]
    public async Task A_query_compiled_across_tenants_does_not_run_outside()
    {
        var count = EF.CompileAsyncQuery((ShopContext db) => db.Orders.Count());
        using (_green.Tenancy().AcrossTenants("test"))
        {
            Assert.Equal(6, await count(_green));
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => count(_green));
    }

    [Fact]
    public void Across_tenants_wants_a_reason()
        => Assert.Throws<ArgumentException>(() => _green.Tenancy().AcrossTenants(" "));
}
