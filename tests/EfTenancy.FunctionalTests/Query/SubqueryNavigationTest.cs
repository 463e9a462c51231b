using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>What EF translates over a key of one property, and only there.</summary>
public class SubqueryNavigationTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task A_collection_behind_a_subquery_is_read()
    {
        Assert.Equal(
            20,
            await _blue.Customers
                .Select(c => c.Orders.OrderByDescending(o => o.Id).FirstOrDefault()!.Lines.OrderBy(l => l.Id).FirstOrDefault()!.Quantity)
                .SingleAsync());
        Assert.Equal(
            [true], await _blue.Customers.Select(c => c.Orders.OrderBy(o => o.Id).First().Customer!.Orders.Any(o => o.Paid)).ToListAsync());
        Assert.Equal(
            [0], await _blue.Customers.Select(c => c.Orders.FirstOrDefault(o => o.Id == 9)!.Lines.Count()).ToListAsync());
    }

    [Fact]
    public async Task A_right_join_keeps_the_rows_that_find_none()
    {
        var joined = await _blue.Customers
            .RightJoin(_blue.Orders, c => c.Id, o => o.Id, (c, o) => new { Email = c == null ? null : c.Email, o.Title })
            .OrderBy(x => x.Title)
            .ToListAsync();

        Assert.Equal([("a@x.org", "Blue 1"), (null, "Blue 2")], joined.Select(x => ((string?)x.Email, x.Title)));
    }

    [Fact]
    public async Task So_does_one_of_untracked_rows_and_beside_and_behind_a_predicate()
    {
        var everybody = _blue.Customers.Where(c => c.AnyTenant());
        foreach (var (customers, orders) in ((IQueryable<Customer>, IQueryable<Order>)[])[
                     (_blue.Customers.AsNoTracking().Include(c => c.Orders), _blue.Orders),
                     (_blue.Customers, _blue.Orders.Where(o => everybody.Count() == 3)),
                     (_blue.Customers.Where(c => c.TenantIsOneOf("Blue")), _blue.Orders),
                     (_blue.Tenancy().ForTenant("Red").Set<Customer>().AsNoTracking(), _blue.Orders)])
        {
            var joined = await customers
                .RightJoin(orders, c => c.Id, o => o.Id, (c, o) => new { Customer = c, o.Title })
                .OrderBy(x => x.Title)
                .ToListAsync();

            Assert.Equal([("a@x.org", "Blue 1"), (null, "Blue 2")], joined.Select(x => (x.Customer?.Email, x.Title)));
        }
    }

    [Fact]
    public async Task So_does_one_of_what_a_query_made_of_rows()
    {
        foreach (var ids in (IQueryable<int>[])[
                     _blue.Customers.Select(c => c.Id),
                     _blue.Customers.OrderBy(c => c.Id).Select(c => c.Id),
                     _blue.Customers.Join(_blue.Orders, c => c.Id, o => o.Id, (c, o) => c.Id)])
        {
            var joined = await ids.RightJoin(_blue.Orders, i => i, o => o.Id, (i, o) => o.Title).OrderBy(t => t).ToListAsync();
            Assert.Equal(["Blue 1", "Blue 2"], joined);
        }
    }

    [Fact]
    public async Task So_does_one_by_entities_of_several_tenants()
    {
        await using var group = fixture.CreateContext();
        group.Tenancy().Use(["Green", "Blue"]);
        var nobodys = group.Orders.Except(group.Orders);

        Assert.Equal(2, (await nobodys.RightJoin(group.Customers, o => o.Customer, c => c, (o, c) => c.Id).ToListAsync()).Count);
    }

    [Fact]
    public async Task A_right_join_whose_first_side_the_application_filters_answers_as_plain_EF_does()
        => Assert.Equal(
            ["Blue 1"],
            await _blue.Customers.Where(c => c.Id == 1).RightJoin(_blue.Orders, c => c.Id, o => o.Id, (c, o) => o.Title).ToListAsync());
}
