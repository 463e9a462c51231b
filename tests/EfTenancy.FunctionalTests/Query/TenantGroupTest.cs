using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>A context that reads several tenants.</summary>
public class TenantGroupTest(ShopFixture shop) : IClassFixture<ShopFixture>
{
    private static readonly Func<ShopContext, IAsyncEnumerable<string>> Titles
        = EF.CompileAsyncQuery((ShopContext db) => db.Orders.OrderBy(o => o.Title).Select(o => o.Title));

    private static readonly Func<ShopContext, IAsyncEnumerable<string>> GroupTitles
        = EF.CompileAsyncQuery((ShopContext db) => db.Orders.OrderBy(o => o.Title).Select(o => o.Title));

    [Fact]
    public async Task Reads_the_rows_of_its_tenants_and_of_no_other()
    {
        await using var db = For("Green", "Red");

        Assert.Equal(["Green", "Red"], db.Tenancy().TenantIds);
        Assert.Equal(["Green 1", "Green 2", "Red 1", "Red 2"], await TitlesAsync(db.Orders));
        Assert.Equal(2, await db.Customers.CountAsync());
        Assert.Equal([10, 10, 20, 20], await db.OrderLines.Select(l => l.Quantity).Order().ToListAsync());
    }

    [Fact]
    public async Task Every_level_of_a_query_reads_the_group()
    {
        await using var db = For("Green", "Red");

        var orders = await db.Orders.Include(o => o.Lines).Include(o => o.Customer).AsSplitQuery().ToListAsync();
        Assert.Equal(4, orders.Count);
        Assert.All(orders, o => Assert.Equal((1, db.Tenancy().TenantOf(o)), (o.Lines.Count, db.Tenancy().TenantOf(o.Customer!))));

        // From a global row into tenants' rows, where no foreign key says whose.
        var region = await db.Regions.Include(r => r.Customers).SingleAsync();
        Assert.Equal(["Green", "Red"], region.Customers.Select(db.Tenancy().TenantOf).Order());
        Assert.Equal(2, await db.Regions.Select(r => r.Customers.Count).SingleAsync());
        Assert.Equal(4, await db.Orders.CountAsync(o => db.Customers.Any(c => c.Id == o.CustomerId)));
        Assert.Equal(4, await db.Orders.FromSql($"SELECT * FROM \"Orders\"").CountAsync());
        Assert.Equal(2, await db.Orders.GroupBy(o => EF.Property<string>(o, "TenantId")).CountAsync());
    }

    [Fact]
    public async Task Each_number_of_tenants_has_a_query_of_its_own_with_scalar_parameters()
    {
        await using var one = For("Blue");
        await using var three = For("Green", "Red", "Blue");

        Assert.Equal(["Blue 1", "Blue 2"], await TitlesAsync(one.Orders));
        Assert.Equal(6, await three.Orders.CountAsync());
        Assert.DoesNotContain("ANY (", three.Orders.ToQueryString(), StringComparison.Ordinal);
        await using var single = shop.For("Red");
        Assert.Equal(["Red 1", "Red 2"], await TitlesAsync(single.Orders));
    }

    [Fact]
    public async Task Predicates_and_filters_keep_their_meaning()
    {
        await using var db = For("Green", "Red");

        Assert.Equal(["Blue 1", "Blue 2"], await TitlesAsync(db.Orders.Where(o => o.TenantIsOneOf("Blue"))));
        Assert.Equal(6, await db.Orders.CountAsync(o => o.AnyTenant()));
        Assert.Equal(
            2 * 4, await db.Orders.Where(o => o.TenantIsOneOf("Blue")).SelectMany(_ => db.Orders).CountAsync());
        Assert.Equal(["Blue 1", "Blue 2"], await TitlesAsync(db.Tenancy().ForTenant("Blue").Set<Order>()));

        var customers = await db.Customers.ToListAsync();
        Assert.Equal(4, await db.Orders.CountAsync(o => customers.Contains(o.Customer!)));
        Assert.Equal(2, await db.Orders.CountAsync(o => o.Customer == customers[1]));
    }

    [Fact]
    public async Task Belongs_to_none_of_its_tenants()
    {
        await using var database = await shop.CloneAsync();
        await using var db = shop.CreateContext(database.ConnectionString);
        db.Tenancy().Use(["Green", "Red"]);
        var before = await database.ColumnAsync("""SELECT o::text || o.xmin FROM "Orders" o ORDER BY 1""");

        Assert.Contains("Green, Red", Assert.Throws<InvalidOperationException>(() => db.Tenancy().TenantId).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => db.Add(new Order { Title = "whose?" }));
        Assert.Throws<InvalidOperationException>(() => db.Update(new Order { Id = 1, Title = "whose?" }));
        Assert.Throws<InvalidOperationException>(() => db.Find<Order>(1));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Orders.ExecuteDeleteAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.Title, "all")));
        await Assert.ThrowsAsync<InvalidOperationException>(() => db.Tenancy().BulkInsertAsync([new Order { Title = "whose?" }]));

        var order = await db.Orders.SingleAsync(o => o.Title == "Red 1");
        order.Title = "changed";
        Assert.Contains("'Green, Red'", (await Assert.ThrowsAsync<CrossTenantWriteException>(() => db.SaveChangesAsync())).Message, StringComparison.Ordinal);
        Assert.Equal(before, await database.ColumnAsync("""SELECT o::text || o.xmin FROM "Orders" o ORDER BY 1"""));

        db.Tenancy().ForTenant("Red").Add(new Order { Title = "Red new" });
        await db.SaveChangesAsync();
        Assert.Equal(1, await db.Tenancy().ForTenant("Red").Set<Order>().Where(o => o.Title == "Red new").ExecuteDeleteAsync());
        await db.Entry(order).ReloadAsync();
        Assert.Equal("changed", order.Title);
    }

    [Fact]
    public async Task Compiled_queries_refuse_to_run_for_another_number_of_tenants()
    {
        await using var group = For("Green", "Red");
        await using var single = shop.For("Red");

        Assert.Equal(2, await Titles(single).CountAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await Titles(group).CountAsync());
        Assert.Equal(4, await GroupTitles(group).CountAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await GroupTitles(single).CountAsync());
        await using var three = For("Green", "Red", "Blue");
        await Assert.ThrowsAsync<InvalidOperationException>(async () => await GroupTitles(three).CountAsync());
        await using var other = For("Blue", "Red");
        Assert.Equal(["Blue 1", "Blue 2", "Red 1", "Red 2"], await GroupTitles(other).ToListAsync());
    }

    [Fact]
    public async Task A_pooled_context_forgets_its_group()
    {
        var factory = new ServiceCollection()
            .AddPooledDbContextFactory<ShopContext>(o => o.UseTestDatabase(shop.ConnectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted()))
            .BuildServiceProvider().GetRequiredService<IDbContextFactory<ShopContext>>();

        await using (var db = await factory.CreateDbContextAsync())
        {
            db.Tenancy().Use(["Green", "Red"]);
            Assert.Equal(4, await db.Orders.CountAsync());
        }

        await using (var db = await factory.CreateDbContextAsync())
        {
            Assert.Equal(TenancyDefaults.DefaultTenantId, db.Tenancy().TenantId);
            Assert.Equal(0, await db.Orders.CountAsync());
        }
    }

    [Fact]
    public async Task No_tenant_is_no_group_and_a_tracking_context_keeps_its_tenants()
    {
        await using var db = For("Green", "Red");

        Assert.Throws<ArgumentException>(() => db.Tenancy().Use([]));
        Assert.Throws<ArgumentException>(() => db.Tenancy().Use(["Green", " "]));
        Assert.Throws<ArgumentNullException>(() => db.Tenancy().Use((IEnumerable<string>)null!));
        await db.Orders.LoadAsync();
        Assert.Throws<InvalidOperationException>(() => db.Tenancy().Use("Green"));
        Assert.Throws<InvalidOperationException>(() => db.Tenancy().Use(["Green", "Blue"]));
        db.Tenancy().Use(["Red", "Green", "Red"]);
    }

    private ShopContext For(params string[] tenants)
    {
        var context = shop.CreateContext();
        context.Tenancy().Use(tenants);
        return context;
    }

    private static Task<List<string>> TitlesAsync(IQueryable<Order> orders)
        => orders.Select(o => o.Title).Order().ToListAsync();
}
