using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Navigations of entities that are not tracked are loaded as plain EF loads them, and lazy loading after AsNoTracking with them.</summary>
public class DetachedLoadTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task References_and_collections_of_an_untracked_entity_are_loaded()
    {
        var order = await _blue.Orders.AsNoTracking().SingleAsync(o => o.Id == 1);

        await _blue.Entry(order).Collection(o => o.Lines).LoadAsync();
        _blue.Entry(order).Reference(o => o.Customer).Load();

        Assert.Equal(10, Assert.Single(order.Lines).Quantity);
        Assert.Same(order, order.Lines[0].Order);
        Assert.Equal("a@x.org", order.Customer!.Email);
        Assert.True(_blue.Entry(order).Collection(o => o.Lines).IsLoaded);
        Assert.Empty(_blue.ChangeTracker.Entries());
        Assert.Equal(1, await _blue.Entry(order).Collection(o => o.Lines).Query().CountAsync());
    }

    [Fact]
    public async Task Nothing_is_loaded_over_an_empty_reference()
    {
        var order = new Order { Id = 1, Title = "" };

        await _blue.Entry(order).Reference(o => o.Customer).LoadAsync();

        Assert.Null(order.Customer);
    }

    [Fact]
    public async Task Identity_is_resolved_where_it_is_asked_for()
    {
        var customer = await _blue.Customers.AsNoTracking().Include(c => c.Orders.Where(o => o.Id == 1)).SingleAsync();
        var first = customer.Orders.Single();

        await _blue.Entry(customer).Collection(c => c.Orders).LoadAsync(LoadOptions.ForceIdentityResolution);

        Assert.Equal(2, customer.Orders.Count);
        Assert.Contains(first, customer.Orders);
        Assert.Empty(_blue.ChangeTracker.Entries());
    }

    [Fact]
    public async Task It_stays_refused_once_the_context_read_rows_of_other_tenants()
    {
        var red = await _blue.Orders.AsNoTracking().SingleAsync(o => o.TenantIsOneOf("Red") && o.Id == 1);

        await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.Entry(red).Collection(o => o.Lines).LoadAsync());
        Assert.Empty(red.Lines);
    }

    [Fact]
    public async Task It_stays_refused_inside_and_after_across_tenants()
    {
        using (_blue.Tenancy().AcrossTenants("report"))
        {
            var order = await _blue.Orders.AsNoTracking().FirstAsync(o => o.Title == "Red 1");
            Assert.Throws<InvalidOperationException>(() => _blue.Entry(order).Reference(o => o.Customer).Load());
        }

        var own = await _blue.Orders.AsNoTracking().FirstAsync();
        Assert.Throws<InvalidOperationException>(() => _blue.Entry(own).Reference(o => o.Customer).Load());
    }

    [Fact]
    public async Task It_stays_refused_once_the_context_worked_for_another_tenant()
    {
        var blue = await _blue.Orders.AsNoTracking().SingleAsync(o => o.Id == 1);
        _blue.Tenancy().Use("Red");

        await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.Entry(blue).Collection(o => o.Lines).LoadAsync());
        Assert.Empty(blue.Lines);

        _blue.Tenancy().Use(["Red"]);
        Assert.Throws<InvalidOperationException>(() => _blue.Entry(blue).Collection(o => o.Lines).Load());
    }

    [Fact]
    public async Task Reload_does_not_count_as_reading_other_tenants()
    {
        await _blue.Entry(await _blue.Orders.FirstAsync()).ReloadAsync();
        var order = await _blue.Orders.AsNoTracking().FirstAsync();

        await _blue.Entry(order).Collection(o => o.Lines).LoadAsync();

        Assert.Single(order.Lines);
    }
}
