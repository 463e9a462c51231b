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
}
