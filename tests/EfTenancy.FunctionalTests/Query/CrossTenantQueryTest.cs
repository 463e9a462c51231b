using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

public class CrossTenantQueryTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task TenantIsOneOf_takes_variables()
    {
        foreach (var tenants in (string[][])[["Green"], ["Red", "Blue"], [], ["Red", "Green", "Blue"]])
        {
            Assert.Equal(
                tenants.Select(t => t + " 1").Order(), await Titles(_blue.Orders.Where(o => !o.Paid && o.TenantIsOneOf(tenants))));
        }

        var (one, two) = ("Green", "Red");
        Assert.Equal(["Green 1", "Red 1"], await Titles(_blue.Orders.Where(o => o.TenantIsOneOf(one, two) && !o.Paid)));
    }

    [Fact]
    public async Task TenantIsOneOf_sends_scalar_parameters()
    {
        var tenants = new[] { "Green", "Red" };
        foreach (var query in (IQueryable<Order>[])[
                     _blue.Orders.Where(o => o.TenantIsOneOf("Green", "Red")), _blue.Orders.Where(o => o.TenantIsOneOf(tenants)),
                     _blue.Orders.Where(o => o.TenantIsOneOf(EF.Constant(tenants))), _blue.Orders.Where(o => o.TenantIsOneOf(EF.Parameter(tenants)))])
        {
            Assert.Equal(["Green", "Red"], (await query.AsNoTracking().ToListAsync()).Select(o => o.Title.Split(' ')[0]).Distinct().Order());
            var sql = fixture.Sql[^1];
            Assert.Contains(" IN (@", sql, StringComparison.Ordinal);
            Assert.DoesNotContain("ANY", sql, StringComparison.Ordinal);
            Assert.DoesNotContain("IN ('", sql, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Other_filters_of_the_user_stay()
        => Assert.DoesNotContain("Red 3", await Titles(_blue.Orders.Where(o => o.AnyTenant())));

    [Fact]
    public async Task Or_and_not_cannot_widen_a_predicate()
    {
        Assert.Equal(
            ["Red 1", "Red 2"], await Titles(_blue.Orders.Where(o => o.Paid || o.TenantIsOneOf("Red"))));
        Assert.Empty(await Titles(_blue.Orders.Where(o => !o.TenantIsOneOf("Red"))));
        Assert.Empty(await Titles(_blue.Orders.Where(o => o.TenantIsOneOf("Red") && o.TenantIsOneOf("Green"))));
    }

    [Fact]
    public async Task Another_use_of_the_same_set_keeps_its_tenant()
    {
        var result = await _blue.Orders.Where(o => o.TenantIsOneOf("Red"))
            .Select(o => new { o.Title, Mine = _blue.Orders.OrderBy(x => x.Id).Select(x => x.Title).ToList() })
            .OrderBy(o => o.Title).ToListAsync();

        Assert.Equal(["Red 1", "Red 2"], result.Select(r => r.Title));
        Assert.All(result, r => Assert.Equal(["Blue 1", "Blue 2"], r.Mine));
    }

    [Fact]
    public async Task Subqueries_joins_and_set_operations_keep_their_tenant()
    {
        Assert.Equal(
            ["Green 1"],
            await Titles(_blue.Orders.Where(o => o.TenantIsOneOf("Green") && _blue.OrderLines.Any(l => l.Quantity == 10 && l.OrderId == o.Id))));
        Assert.Empty(await Titles(
            _blue.Orders.Where(o => o.TenantIsOneOf("Green") && _blue.Orders.Any(x => x.Title == "Red 1"))));

        var joined = await (from o in _blue.Orders
                            join l in _blue.OrderLines on o.Id equals l.OrderId
                            where o.AnyTenant()
                            select new { o.Title, LineTenant = EF.Property<string>(l, "TenantId") }).ToListAsync();
        Assert.Equal(6, joined.Count);
        Assert.All(joined, j => Assert.Equal("Blue", j.LineTenant));

        var concatenated = _blue.Orders.Where(o => o.TenantIsOneOf("Red")).Concat(_blue.Orders);
        Assert.Equal(["Blue 1", "Blue 2", "Red 1", "Red 2"], await Titles(concatenated));
    }

    [Fact]
    public async Task The_predicate_may_stand_behind_a_join_or_a_projection()
    {
        var byJoin = from o in _blue.Orders
                     join c in _blue.Customers on o.CustomerId equals c.Id
                     where c.TenantIsOneOf("Red") && o.Paid
                     select new { o.Title, CustomerTenant = EF.Property<string>(c, "TenantId") };
        Assert.Equal(("Blue 2", "Red"), (await byJoin.SingleAsync()) is var j ? (j.Title, j.CustomerTenant) : default);

        var byProjection = _blue.Orders.Select(o => new { Order = o, o.Title }).Where(x => x.Order.TenantIsOneOf("Red"));
        Assert.Equal(2, await byProjection.CountAsync());

        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.TenantIsOneOf("Red")));
        Assert.True(await _blue.Orders.AnyAsync(o => o.TenantIsOneOf("Red") && o.Title == "Red 1"));
        Assert.Equal("Red 1", (await _blue.Orders.FirstAsync(o => o.TenantIsOneOf("Red") && !o.Paid)).Title);
    }

    [Fact]
    public async Task Includes_lead_to_rows_of_the_same_tenant()
    {
        var orders = await _blue.Orders.Include(o => o.Lines).Include(o => o.Customer).Where(o => o.AnyTenant()).ToListAsync();

        Assert.Equal(6, orders.Count);
        Assert.All(
            orders, o =>
            {
                Assert.Equal(_blue.Tenancy().TenantOf(o), _blue.Tenancy().TenantOf(Assert.Single(o.Lines)));
                Assert.Equal(_blue.Tenancy().TenantOf(o), _blue.Tenancy().TenantOf(o.Customer!));
            });
    }

    [Fact]
    public async Task Ignoring_query_filters_by_name_drops_the_tenant_only_and_bare_drops_all()
    {
        Assert.Equal(6, await _blue.Orders.IgnoreQueryFilters([TenancyDefaults.QueryFilterName]).CountAsync());
        Assert.Equal(9, await _blue.Orders.IgnoreQueryFilters().CountAsync());
        Assert.Equal(3, await _blue.Orders.IgnoreQueryFilters(["Live"]).CountAsync());
    }

    [Fact]
    public async Task Ignored_filters_and_a_predicate_work_together()
        => Assert.Equal(
            6 * 2,
            await _blue.Orders.IgnoreQueryFilters([TenancyDefaults.QueryFilterName])
                .SelectMany(o => _blue.Orders.Where(x => x.TenantIsOneOf("Red")), (o, x) => x).CountAsync());

    [Fact]
    public async Task One_compiled_query_serves_each_tenant()
    {
        var mine = EF.CompileAsyncQuery((ShopContext db) => db.Orders.OrderBy(o => o.Id).Select(o => o.Title));
        var others = EF.CompileAsyncQuery((ShopContext db, string tenant)
            => db.Orders.Where(o => o.TenantIsOneOf(tenant) && db.Orders.Count() == 2).OrderBy(o => o.Id).Select(o => o.Title));

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = fixture.For(tenant);
            Assert.Equal([tenant + " 1", tenant + " 2"], await mine(context).ToListAsync());
            Assert.Equal(["Blue 1", "Blue 2"], await others(context, "Blue").ToListAsync());
        }
    }

    [Fact]
    public async Task The_rewritten_query_is_cached_for_all_tenants()
    {
        foreach (var tenant in (string[])["Green", "Red", "Blue"])
        {
            await using var context = fixture.For(tenant);
            var result = await context.Orders.Where(o => o.TenantIsOneOf("Red") && o.Paid)
                .Select(o => context.Orders.Where(x => x.Paid).Select(x => x.Title).Single()).SingleAsync();
            Assert.Equal(tenant + " 2", result);
        }
    }

    [Fact]
    public async Task From_sql_and_bulk_statements_take_the_predicate()
    {
        Assert.Equal(["Red 1", "Red 2"], await Titles(_blue.Orders.FromSql($"SELECT * FROM \"Orders\"").Where(o => o.TenantIsOneOf("Red"))));

        await using var database = await fixture.CloneAsync();
        await using var context = fixture.CreateContext(database.ConnectionString, "Blue");
        Assert.Equal(2, await context.Orders.Where(o => o.TenantIsOneOf("Red")).ExecuteUpdateAsync(s => s.SetProperty(o => o.Title, "x")));
        Assert.Equal(
            ["Red", "Red"], await database.ColumnAsync("""SELECT "TenantId" FROM "Orders" WHERE "Title" = 'x' """));
    }

    [Fact]
    public void A_navigation_from_a_global_entity_is_refused_beside_a_predicate()
    {
        AssertRefused("Region.Customers", () => _blue.Orders.Where(o => o.AnyTenant()).Select(o => o.Customer!.Region!.Customers.Count).ToList());
        AssertRefused("Region.Customers", () => _blue.Orders.Where(o => o.AnyTenant()).Include(o => o.Customer!.Region!.Customers).ToList());
        AssertRefused("Region.Customers", () => _blue.Orders.Where(o => o.AnyTenant()).Include("Customer.Region.Customers").ToList());
        AssertRefused(
            "Region.Customers",
            () => _blue.Regions.Select(r => new { r.Customers.Count, All = _blue.Orders.Count(o => o.AnyTenant()) }).ToList());
        AssertRefused(
            "Region.Customers",
            () => _blue.Regions.Select(
                r => new { EF.Property<List<Customer>>(r, "Customers").Count, All = _blue.Orders.Count(o => o.AnyTenant()) }).ToList());
    }

    [Fact]
    public void A_predicate_that_cannot_be_followed_to_a_set_is_refused()
    {
        AssertRefused("AnyTenant", () => _blue.Orders.GroupBy(o => o.Paid).Select(g => g.Count(o => o.AnyTenant())).ToList());
        AssertRefused("AnyTenant", () => _blue.Orders.Where(o => o.Lines.Any(l => l.AnyTenant())).ToList());
        AssertRefused("AnyTenant", () => _blue.Orders.Concat(_blue.Orders).Where(o => o.AnyTenant()).ToList());
        AssertRefused("single-tenanted", () => _blue.Regions.Where(r => r.AnyTenant()).ToList());
        AssertRefused("known before", () => _blue.Orders.Where(o => o.TenantIsOneOf(o.Title)).ToList());
        AssertRefused("in memory", () => new Region { Name = "" }.AnyTenant());
    }

    [Fact]
    public async Task Hostile_tenants_stay_parameters()
        => Assert.Empty(await Titles(_blue.Orders.Where(o => o.TenantIsOneOf("') OR 1=1 --", "Robert'); DROP TABLE \"Orders\";"))));

    [Fact]
    public async Task No_tenants_at_all_are_refused()
    {
        string[] none = null!;
        Assert.Equal("tenantIds", (await Assert.ThrowsAsync<ArgumentNullException>(() => Titles(_blue.Orders.Where(o => o.TenantIsOneOf(none))))).ParamName);
        string one = null!;
        Assert.Equal("tenantIds", (await Assert.ThrowsAsync<ArgumentException>(() => Titles(_blue.Orders.Where(o => o.TenantIsOneOf(one))))).ParamName);
        Assert.Equal("tenantIds", (await Assert.ThrowsAsync<ArgumentException>(() => Titles(_blue.Orders.Where(o => o.TenantIsOneOf((string)null!))))).ParamName);
    }

    private static void AssertRefused(string part, Func<object> query)
        => Assert.Contains(part, Assert.Throws<InvalidOperationException>(query).Message, StringComparison.Ordinal);

    private static Task<List<string>> Titles(IQueryable<Order> orders)
        => orders.Select(o => o.Title).OrderBy(t => t).ToListAsync();
}
