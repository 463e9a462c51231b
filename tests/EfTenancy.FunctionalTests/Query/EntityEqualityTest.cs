using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Entities in predicates, as plain EF takes them: o.Customer == customer.</summary>
public class EntityEqualityTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task An_entity_is_compared_by_its_key_tracked_or_not()
    {
        foreach (var customer in (Customer[])[
                     await _blue.Customers.SingleAsync(),
                     await _blue.Customers.AsNoTracking().SingleAsync(),
                     new Customer { Id = 1, Email = "" }])
        {
            Assert.Equal(2, await _blue.Orders.CountAsync(o => o.Customer == customer));
            Assert.Equal(2, await _blue.Orders.CountAsync(o => customer == o.Customer));
            Assert.Equal(2, await _blue.Orders.CountAsync(o => o.Customer!.Equals(customer)));
            Assert.Equal(2, await _blue.Orders.CountAsync(o => Equals(o.Customer, customer)));
            Assert.Equal(0, await _blue.Orders.CountAsync(o => o.Customer != customer));
            Assert.Equal(1, await _blue.Customers.CountAsync(c => c == customer));
        }

        var other = new Customer { Id = 99, Email = "" };
        Assert.Equal(0, await _blue.Orders.CountAsync(o => o.Customer == other));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.Customer != other));
    }

    [Fact]
    public async Task Null_is_nobody()
    {
        Customer? nobody = null;
        Assert.Equal(0, await _blue.Orders.CountAsync(o => o.Customer == nobody));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.Customer != nobody));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.Customer != null));
    }

    [Fact]
    public async Task A_list_of_entities_is_asked_by_key()
    {
        var customers = await _blue.Customers.ToListAsync();
        var array = customers.ToArray();
        Assert.Equal(2, await _blue.Orders.CountAsync(o => customers.Contains(o.Customer!)));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => array.Contains(o.Customer)));
        Assert.Equal(0, await _blue.Orders.CountAsync(o => !customers.Contains(o.Customer!)));
        customers.Clear();
        Assert.Equal(0, await _blue.Orders.CountAsync(o => customers.Contains(o.Customer!)));
    }

    [Fact]
    public async Task A_tracked_entity_of_another_tenant_is_another_one()
    {
        var red = await _blue.Customers.SingleAsync(c => c.TenantIsOneOf("Red"));
        List<Customer> list = [red];
        Assert.Equal(0, await _blue.Orders.CountAsync(o => o.Customer == red));
        Assert.Equal(0, await _blue.Orders.CountAsync(o => list.Contains(o.Customer!)));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.TenantIsOneOf("Red", "Blue") && o.Customer == red));
    }

    [Fact]
    public async Task One_query_serves_each_tenant()
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = fixture.For(tenant);
            var customer = await context.Customers.SingleAsync();
            Assert.Equal(tenant + " 1", (await context.Orders.OrderBy(o => o.Id).FirstAsync(o => o.Customer == customer)).Title);
        }
    }

    [Fact]
    public async Task Global_entities_are_compared_as_ever()
    {
        var region = await _blue.Regions.SingleAsync();
        List<Region> regions = [region];
        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Region == region));
        Assert.Equal(1, await _blue.Customers.CountAsync(c => regions.Contains(c.Region!)));
    }
}
