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
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _blue.Orders.CountAsync(o => o.TenantIsOneOf("Red", "Blue") && list.Contains(o.Customer!)));
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

    [Fact]
    public async Task An_entity_made_in_the_query_is_compared_by_its_key()
    {
        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.Customer == new Customer { Id = 1, Email = "" }));
        Assert.Equal(0, await _blue.Orders.CountAsync(o => o.Customer == new Customer { Id = 99, Email = "" }));
        Assert.Equal(0, await _blue.OrderLines.CountAsync(l => l == new OrderLine()));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => new List<Customer> { new() { Id = 1, Email = "" } }.Contains(o.Customer!)));
        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Orders.Any(o => c == new Customer { Id = o.Id, Email = "" })));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => o.AnyTenant() && o.Customer == new Customer { Id = 1, Email = "" }));
        Assert.Equal(
            1,
            await _blue.Customers.CountAsync(
                c => c.TenantIsOneOf("Red", "Blue") && c.Orders.Any(o => c == new Customer { Id = o.Id, Email = "" })));
    }

    [Fact]
    public async Task An_entity_is_looked_for_in_a_collection_and_in_an_inline_list()
    {
        var order = new Order { Id = 2, Title = "" };
        var other = await _blue.Orders.AsNoTracking().SingleAsync(o => o.Id == 1);
        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Orders.Contains(order)));
        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Orders.AsEnumerable().Contains(new Order { Id = 1, Title = "" })));
        Assert.Equal(0, await _blue.Customers.CountAsync(c => c.Orders.Contains(new Order { Id = 9, Title = "" })));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => new[] { order, other }.Contains(o)));
        Assert.Equal(2, await _blue.Orders.CountAsync(o => _blue.Customers.Contains(o.Customer)));
    }

    [Fact]
    public async Task A_subquery_is_compared_by_key()
    {
        var order = await _blue.Orders.OrderBy(o => o.Id).FirstAsync();
        var red = await _blue.Orders.OrderBy(o => o.Id).FirstAsync(o => o.TenantIsOneOf("Red"));
        Order? nothing = null;

        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Orders.OrderBy(o => o.Id).FirstOrDefault() == order));
        Assert.Equal(0, await _blue.Customers.CountAsync(c => c.Orders.OrderBy(o => o.Id).FirstOrDefault() == red));
        Assert.Equal(0, await _blue.Customers.CountAsync(c => c.Orders.OrderBy(o => o.Id).FirstOrDefault() == nothing));
        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Orders.FirstOrDefault(o => o.Id == 9) == nothing));
        Assert.Equal(1, await _blue.Orders.CountAsync(o => o.Customer!.Orders.OrderBy(x => x.Id).First() == o));
        Assert.Equal(1, await _blue.Customers.CountAsync(c => c.Orders.OrderBy(o => o.Id).FirstOrDefault()!.Customer != null));
        Assert.Equal(0, await _blue.Customers.CountAsync(c => c.Orders.OrderBy(o => o.Id).FirstOrDefault()!.Customer == null));
        Assert.Equal(
            1, await _blue.Orders.CountAsync(o => _blue.Orders.GroupBy(x => x.CustomerId).Select(g => g.First()).Any(x => x == o)));
        Assert.Equal(1, await _blue.Invoices.CountAsync(i => _blue.Invoices.OrderBy(x => x.Id).First() == i));
    }

    [Fact]
    public async Task A_subquery_is_not_compared_by_two_properties_that_may_be_of_two_rows()
    {
        var order = await _blue.Orders.OrderBy(o => o.Id).FirstAsync();
        foreach (var customers in (IQueryable<Customer>[])[
                     _blue.Customers.Where(c => c.AnyTenant() && c.Orders.FirstOrDefault() == order),
                     _blue.Customers.Where(c => c.AnyTenant() && order == c.Orders.FirstOrDefault()),
                     _blue.Customers.Where(c => c.AnyTenant() && c.Orders.FirstOrDefault() == new Order { Id = 1, Title = "" })])
        {
            var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => customers.ToListAsync());
            Assert.Contains("composite", refusal.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task Rows_that_are_not_there_do_not_join()
    {
        Assert.Equal(
            0,
            await _blue.Orders.Where(o => o.Id == 9).DefaultIfEmpty()
                .Join(_blue.Orders.Where(o => o.Id == 9).DefaultIfEmpty(), o => o, i => i, (o, i) => o)
                .CountAsync());
        Assert.Equal(2, await _blue.Orders.Join(_blue.Customers, o => o.Customer, c => c, (o, c) => o).CountAsync());
    }

    [Fact]
    public async Task Nor_do_they_join_across_tenants()
    {
        var nobody = _blue.Orders.Where(o => o.AnyTenant() && o.Id == 9).DefaultIfEmpty();

        Assert.Equal(0, await nobody.Join(nobody, o => o, i => i, (o, i) => 1).CountAsync());
        Assert.Equal(0, await nobody.Join(nobody, o => o!.Customer, i => i!.Customer, (o, i) => 1).CountAsync());
        Assert.Equal(
            6,
            await _blue.Orders.Where(o => o.AnyTenant())
                .Join(_blue.Orders.Where(o => o.AnyTenant() && !o.Paid), o => o.Customer, i => i.Customer, (o, i) => 1)
                .CountAsync());
        foreach (var joined in (IQueryable<int?>[])[
                     _blue.Customers.Where(c => c.AnyTenant()).RightJoin(nobody, c => c, o => o!.Customer, (c, o) => (int?)c!.Id),
                     nobody.LeftJoin(_blue.Customers.Where(c => c.AnyTenant()), o => o!.Customer, c => c, (o, c) => (int?)c!.Id)])
        {
            Assert.Equal([null], await joined.ToListAsync());
        }
    }

    [Fact]
    public async Task Entities_of_two_tenants_with_one_id_differ_in_a_query_across_tenants()
    {
        Assert.Equal(
            1,
            await _blue.Customers.Where(c => c.TenantIsOneOf("Red"))
                .CountAsync(r => _blue.Customers.Any(b => b.Id == r.Id) && !_blue.Customers.Any(b => b == r)));
        Assert.Equal(3, await _blue.Customers.IgnoreQueryFilters().CountAsync(c => _blue.Customers.Count(x => x == c) == 1));
        Assert.Equal(
            3, await _blue.Customers.IgnoreQueryFilters().Join(_blue.Customers, a => a, b => b, (a, b) => a).CountAsync());
    }
}
