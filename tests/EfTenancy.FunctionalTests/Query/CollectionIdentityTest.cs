using System.Linq.Expressions;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Collections in projections, whose rows EF must tell apart, where a key of one property is enough in plain EF.</summary>
public class CollectionIdentityTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task Rows_with_their_id_and_a_computed_value_stay_apart_behind_Distinct()
    {
        var orders = await _blue.Orders
            .Where(o => o.Id > 0)
            .Select(o => new { o.Id, Length = o.Title.Length + 1 })
            .Distinct()
            .Select(o => new { o.Id, o.Length, Lines = _blue.OrderLines.Where(l => l.OrderId == o.Id).Select(l => l.Quantity).ToList() })
            .OrderBy(o => o.Id)
            .ToListAsync();

        Assert.Equal([(1, 7, 10), (2, 7, 20)], orders.Select(o => (o.Id, o.Length, o.Lines.Single())));
    }

    [Fact]
    public async Task A_union_of_a_tenants_rows_and_of_values_or_global_rows_is_a_collection()
    {
        Assert.Equal(
            ["Blue 1", "Blue 2", "a@x.org"],
            await SingleAsync(c => new[] { c.Email, c.Email }.Union(_blue.Orders.Select(o => o.Title)).ToList()));
        Assert.Equal(
            ["Blue 1", "Blue 2", "a@x.org"],
            await SingleAsync(c => _blue.Orders.OrderBy(o => o.Id).Select(o => o.Title).Union(new[] { c.Email }).ToList()));
        Assert.Equal(
            ["Blue 1", "Blue 2", "North"], await SingleAsync(c => _blue.Regions.Select(r => r.Name).Union(c.Orders.Select(o => o.Title)).ToList()));
        Assert.Equal(
            ["Blue 1!", "Blue 2!", "North!"],
            await SingleAsync(c => _blue.Regions.Select(r => r.Name + "!").Union(c.Orders.Select(o => o.Title + "!")).ToList()));
    }

    [Fact]
    public async Task Rows_of_SQL_are_told_apart_as_rows_of_sets_are()
        => Assert.Equal(
            [(1, 10), (2, 20)],
            (await _blue.Orders.FromSql($"""SELECT * FROM "Orders" """)
                .Union(_blue.Orders.Where(o => o.Paid))
                .Select(o => new { o.Id, Lines = o.Lines.Select(l => l.Quantity).ToList() })
                .OrderBy(o => o.Id)
                .ToListAsync())
            .Select(o => (o.Id, o.Lines.Single())));

    [Fact]
    public async Task Groups_by_ids_and_computed_values_have_collections()
        => Assert.Equal(
            [(1, 10), (2, 20)],
            (await _blue.Orders
                .GroupBy(o => new { o.Id, Length = o.Title.Length + 1 })
                .Select(g => new { g.Key.Id, Lines = _blue.OrderLines.Where(l => l.OrderId == g.Key.Id).Select(l => l.Quantity).ToList() })
                .OrderBy(o => o.Id)
                .ToListAsync())
            .Select(o => (o.Id, o.Lines.Single())));

    [Fact]
    public async Task Joined_rows_stay_apart_behind_Distinct()
        => Assert.Equal(
            [(1, 1, "North"), (1, 2, "North")],
            (await _blue.Orders
                .Select(o => new { o.Id, CustomerId = o.Customer!.Id, Length = o.Title.Length + 1 })
                .Distinct()
                .Select(o => new { o.CustomerId, o.Id, Regions = _blue.Regions.Where(r => r.Id == o.CustomerId).Select(r => r.Name).ToList() })
                .OrderBy(o => o.Id)
                .ToListAsync())
            .Select(o => (o.CustomerId, o.Id, o.Regions.Single())));

    // Customer 1 has orders in both.
    [Theory]
    [InlineData("group")]
    [InlineData("predicate")]
    [InlineData("any tenant")]
    [InlineData("ignored filter")]
    [InlineData("all filters ignored")]
    [InlineData("across tenants")]
    [InlineData("union")]
    public async Task Rows_of_several_tenants_with_the_same_id_keep_their_own_collections(string reach)
    {
        var collections = await CollectionsAsync(reach, split: false);

        Assert.Equal(["Blue 1, Blue 2", "Red 1, Red 2"], collections);
        Assert.Equal(collections, await CollectionsAsync(reach, split: true));
    }

    private async Task<List<string>> CollectionsAsync(string reach, bool split)
    {
        using var db = reach == "group" ? fixture.CreateContext() : fixture.For("Blue");
        IQueryable<Customer> customers = db.Customers;
        switch (reach)
        {
            case "group":
                db.Tenancy().Use(["Red", "Blue"]);
                break;
            case "predicate":
                customers = customers.Where(c => c.TenantIsOneOf("Red", "Blue"));
                break;
            case "any tenant":
                customers = customers.Where(c => c.AnyTenant());
                break;
            case "ignored filter":
                customers = customers.IgnoreQueryFilters([TenancyDefaults.QueryFilterName]);
                break;
            case "all filters ignored":
                customers = customers.IgnoreQueryFilters();
                break;
            case "union":
                customers = customers.Union(db.Tenancy().ForTenant("Red").Set<Customer>());
                break;
        }

        using var across = reach == "across tenants" ? db.Tenancy().AcrossTenants("Test") : null;
        var selected = customers.Select(c => new { c.Id, Orders = c.Orders.Where(o => !o.IsDeleted).OrderBy(o => o.Id).Select(o => o.Title).ToList() });
        return [.. (await (split ? selected.AsSplitQuery() : selected).ToListAsync()).Select(c => string.Join(", ", c.Orders)).Where(o => !o.StartsWith("Green", StringComparison.Ordinal)).Order()];
    }

    private async Task<IEnumerable<string>> SingleAsync(Expression<Func<Customer, List<string>>> collection)
        => (await _blue.Customers.Select(collection).ToListAsync()).Single().Order(StringComparer.Ordinal);
}
