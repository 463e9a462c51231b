using System.Linq.Expressions;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>Queries of Blue that mention other tenants in one place and must not see them in any other.</summary>
public class QueryLeakTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private readonly ShopContext _blue = fixture.For("Blue");

    [Fact]
    public async Task A_predicate_on_the_key_of_a_group_is_refused()
        => await Assert.ThrowsAsync<InvalidOperationException>(
            () => _blue.Orders.GroupBy(o => o.Title, (title, orders) => new { title, Any = title.AnyTenant(), N = orders.Count() }).ToListAsync());

    [Fact]
    public async Task One_predicate_used_in_two_places_stands_on_both_sets()
    {
        Expression<Func<Order, bool>> red = o => o.TenantIsOneOf("Red");
        var titles = await _blue.Orders.Where(o => _blue.Orders.Where(red).Count() == 2).Where(red).Select(o => o.Title).ToListAsync();
        Assert.Equal(["Red 1", "Red 2"], titles.Order());
    }

    [Fact]
    public async Task One_query_used_in_two_places_keeps_its_tenants_in_both()
    {
        var red = _blue.Orders.Where(o => o.TenantIsOneOf("Red"));
        var result = await red.Where(o => red.Any(x => x.Id == o.Id)).Concat(red).Select(o => o.Title).ToListAsync();
        Assert.Equal(["Red 1", "Red 1", "Red 2", "Red 2"], result.Order());
    }

    [Fact]
    public async Task A_set_may_be_asked_for_an_entity_of_another_set()
        => Assert.Equal(2, await _blue.Orders.CountAsync(o => _blue.Customers.Contains(o.Customer!)));

    [Fact]
    public async Task A_variable_called_like_a_parameter_of_ours_is_only_a_variable()
    {
        var tenancy_tenant0 = "Blue";
        var tenancy_current = "Red";
        var titles = await _blue.Orders
            .Where(o => o.TenantIsOneOf("Red") && o.Title != tenancy_tenant0 && _blue.Orders.Any(x => x.Title != tenancy_current))
            .Select(o => o.Title).ToListAsync();
        Assert.Equal(["Red 1", "Red 2"], titles.Order());
    }

    [Fact]
    public async Task Two_sets_of_two_tenants_meet_in_one_query()
    {
        var (red, green) = (_blue.Tenancy().ForTenant("Red"), _blue.Tenancy().ForTenant("Green"));
        for (var i = 0; i < 2; i++)
        {
            var pairs = await red.Set<Order>().Join(green.Set<Order>(), r => r.Id, g => g.Id, (r, g) => r.Title + g.Title).OrderBy(t => t).ToListAsync();
            Assert.Equal(["Red 1Green 1", "Red 2Green 2"], pairs);
            (red, green) = (_blue.Tenancy().ForTenant("Red"), _blue.Tenancy().ForTenant("Green"));
        }
    }

    [Fact]
    public async Task A_compiled_query_keeps_its_tenant_inside_a_scope()
    {
        var count = EF.CompileAsyncQuery((ShopContext db) => db.Orders.Count());
        Assert.Equal(2, await count(_blue));
        using (_blue.Tenancy().AcrossTenants("test"))
        {
            Assert.Equal(2, await count(_blue));
            Assert.Equal(6, await _blue.Orders.CountAsync());
        }

        Assert.Equal(2, await count(_blue));
    }

    [Fact]
    public async Task A_stream_opened_inside_a_scope_and_read_outside_shows_one_tenant()
    {
        IAsyncEnumerable<Order> stream;
        using (_blue.Tenancy().AcrossTenants("test"))
        {
            stream = _blue.Orders.AsAsyncEnumerable();
        }

        Assert.Equal(2, await stream.CountAsync());
    }

    [Fact]
    public async Task Beside_a_predicate_no_operator_shows_the_rows_of_others()
    {
        var red = _blue.Orders.Where(o => o.TenantIsOneOf("Red"));
        var mine = _blue.Orders;
        var queries = new Dictionary<string, IQueryable<string>>
        {
            ["group join"] = red.GroupJoin(mine, r => r.Id, m => m.Id, (r, ms) => new { r, ms })
                .SelectMany(x => x.ms.DefaultIfEmpty(), (x, m) => m!.Title),
            ["left join"] = red.LeftJoin(mine, r => r.Id, m => m.Id, (r, m) => m!.Title),
            ["right join"] = red.RightJoin(mine, r => r.Id, m => m.Id, (r, m) => m.Title),
            ["predicate on the right of a left join"] = mine.LeftJoin(red, m => m.Id, r => r.Id, (m, r) => m.Title),
            ["cross join"] = red.SelectMany(_ => mine, (r, m) => m.Title),
            ["correlated"] = red.SelectMany(r => mine.Where(m => m.Id == r.Id).DefaultIfEmpty(), (r, m) => m!.Title),
            ["let"] = from r in red let m = mine.FirstOrDefault(x => x.Id == r.Id) select m.Title,
            ["except"] = mine.Except(red).Select(o => o.Title),
            ["intersect"] = mine.Union(mine.Intersect(red)).Select(o => o.Title),
            ["nested"] = mine.Where(m => red.Select(r => r.Id).Contains(m.Id) && mine.Any(x => x.Id == m.Id)).Select(m => m.Title),
            ["group"] = mine.Where(m => red.Any()).GroupBy(m => m.Paid).Select(g => g.Max(m => m.Title)!),
            ["group in group"] = red.GroupBy(r => r.Paid).Select(g => mine.Max(m => m.Title)!),
            ["projection"] = red.Select(r => new { r, m = mine.OrderBy(x => x.Id).First() }).Select(x => x.m.Title),
            ["ternary"] = red.Select(r => r.Paid ? mine.First(m => m.Paid).Title : mine.First(m => !m.Paid).Title),
            ["raw"] = _blue.Orders.FromSql($"SELECT * FROM \"Orders\"").Where(m => red.Any()).Select(m => m.Title),
            ["distinct"] = mine.Where(m => red.Any()).DistinctBy(m => m.Id).Select(m => m.Title),
            ["navigation"] = _blue.OrderLines.Where(l => red.Any()).Select(l => l.Order!.Title),
            ["skip take"] = mine.Where(m => red.Any()).OrderBy(m => m.Id).Skip(0).Take(9).Select(m => m.Title),
            ["casts"] = mine.Where(m => red.Any()).Cast<object>().OfType<Order>().Select(m => m.Title),
        };

        foreach (var (name, query) in queries)
        {
            List<string> titles;
            try
            {
                titles = await query.ToListAsync();
            }
            catch (InvalidOperationException exception) when (exception.Message.Contains("could not be translated", StringComparison.Ordinal))
            {
                continue;
            }

            Assert.True(titles.Count > 0, name);
            Assert.All(titles, t => Assert.True(t is null || t.StartsWith("Blue", StringComparison.Ordinal), $"{name}: {t}"));
        }
    }

    [Fact]
    public async Task Updates_with_subqueries_read_the_contexts_rows()
    {
        await using var database = await fixture.CloneAsync();
        await using var blue = fixture.CreateContext(database.ConnectionString, "Blue");
        await blue.Orders.ExecuteUpdateAsync(s => s.SetProperty(o => o.Title, o => blue.Customers.Count() + " " + blue.Orders.Count()));
        Assert.Equal(
            ["Blue 1 2", "Blue 1 2"],
            await database.ColumnAsync("""SELECT "TenantId" || ' ' || "Title" FROM "Orders" WHERE "Title" LIKE '1%' """));

        await blue.OrderLines.Where(l => blue.Orders.Any(o => o.AnyTenant() && o.Title == "Red 1")).ExecuteDeleteAsync();
        Assert.Equal(
            ["Green", "Red"], await database.ColumnAsync("""SELECT DISTINCT "TenantId" FROM "OrderLines" ORDER BY 1"""));
    }

    [Fact]
    public async Task Contexts_of_many_tenants_at_once_see_their_own()
    {
        await Task.WhenAll(
            Enumerable.Range(0, 60).Select(
                async i =>
                {
                    var tenant = ((string[])["Green", "Red", "Blue"])[i % 3];
                    await using var context = fixture.For(tenant);
                    using var scope = i % 2 == 0 ? context.Tenancy().AcrossTenants("test") : null;
                    var titles = await context.Orders.Select(o => o.Title).ToListAsync();
                    Assert.Equal(scope is null ? 2 : 6, titles.Count(t => scope is not null || t.StartsWith(tenant, StringComparison.Ordinal)));
                }));
    }
}
