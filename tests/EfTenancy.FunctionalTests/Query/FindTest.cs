using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Find speaks of the entity's own key, with EF's words.</summary>
public class FindTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task A_wrong_key_is_refused_in_words_of_the_own_key()
    {
        Assert.Equal(
            "Entity type 'Order' is defined with a single key property, but 2 values were passed to the 'Find' method.",
            Assert.Throws<ArgumentException>(() => _blue.Orders.Find(77, 88)).Message);
        Assert.Equal(
            "Entity type 'Order' is defined with a single key property, but 3 values were passed to the 'Find' method.",
            (await Assert.ThrowsAsync<ArgumentException>(async () => await _blue.FindAsync<Order>("Blue", 77, 88))).Message);
        Assert.Contains(
            "but 3 values were passed",
            (await Assert.ThrowsAsync<ArgumentException>(async () => await _blue.FindAsync<Order>(77, 88, CancellationToken.None))).Message);
        Assert.StartsWith(
            "The key value at position 0 of the call to 'DbSet<Order>.Find' was of type 'string'",
            Assert.Throws<ArgumentException>(() => _blue.Orders.Find("1")).Message);
    }

    [Fact]
    public async Task The_tenant_may_be_given_or_left_out()
    {
        Assert.Equal("Blue 1", _blue.Orders.Find(1)!.Title);
        Assert.Equal("Blue 2", (await _blue.Orders.FindAsync("Blue", 2))!.Title);
        Assert.Equal("Blue 1", (await _blue.Orders.FindAsync([1], CancellationToken.None))!.Title);
        Assert.Equal("Blue 1", (await _blue.Orders.FindAsync(1, CancellationToken.None))!.Title);
        Assert.Equal("Blue 1", (await _blue.Orders.FindAsync("Blue", 1, CancellationToken.None))!.Title);
        Assert.Null(await _blue.Orders.FindAsync("Red", 1));
        Assert.Null(_blue.Orders.Find([null]));
    }

    [Fact]
    public async Task Tracked_rows_are_found_by_their_own_ids_among_those_of_other_tenants()
    {
        await _blue.OrderLines.Where(l => l.TenantIsOneOf("Red")).LoadAsync();
        await _blue.OrderLines.LoadAsync();
        var lines = _blue.OrderLines.Local;

        Assert.Equal("Blue", _blue.Tenancy().TenantOf(lines.FindEntry(nameof(OrderLine.Id), 1)!.Entity));
        Assert.Equal("Blue", _blue.Tenancy().TenantOf(lines.FindEntry([nameof(OrderLine.Id)], [1])!.Entity));
        Assert.Equal("Blue", _blue.Tenancy().TenantOf(lines.FindEntry(nameof(OrderLine.OrderId), 1)!.Entity));
        Assert.Equal("Blue", _blue.Tenancy().TenantOf(Assert.Single(lines.GetEntries(nameof(OrderLine.Id), 1)).Entity));
        Assert.Equal("Blue", _blue.Tenancy().TenantOf(Assert.Single(lines.GetEntries([nameof(OrderLine.OrderId)], [1])).Entity));
        Assert.Equal("Red", _blue.Tenancy().TenantOf(lines.FindEntry(["TenantId", nameof(OrderLine.Id)], ["Red", 1])!.Entity));
        Assert.Equal(2, lines.GetEntries(nameof(OrderLine.Quantity), 10).Count());
    }
}
