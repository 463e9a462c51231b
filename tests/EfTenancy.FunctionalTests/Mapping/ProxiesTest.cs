using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public sealed class ProxiesTest(PlainDatabase<ProxiesContext> plain, HashedDatabase<ProxiesContext> hashed)
    : MappingTest<ProxiesContext>(plain, hashed), IAsyncLifetime
{
    private static readonly string[] Tenants = ["Green", "Red"];

    public async ValueTask InitializeAsync()
    {
        foreach (var tables in Enum.GetValues<Tables>())
        {
            foreach (var tenant in Tenants)
            {
                await using var context = For(tables, tenant);
                var dog = context.CreateProxy<Dog>(d => (d.Id, d.Name) = (1, tenant));
                dog.Shelter = context.CreateProxy<Shelter>(s => (s.Id, s.Name) = (1, tenant));
                dog.Walkers.Add(context.CreateProxy<Walker>(k => (k.Id, k.Name) = (1, tenant)));
                context.Add(dog);
                await context.SaveChangesAsync();
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var tables in Enum.GetValues<Tables>())
        {
            await Database(tables).ExecuteAsync("""TRUNCATE "Shelter", "Dog", "Walker", "DogWalker" """);
        }
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Navigations_are_loaded_when_they_are_asked_for(Tables tables)
    {
        foreach (var tenant in Tenants)
        {
            await using var context = For(tables, tenant);
            var shelter = await context.Set<Shelter>().SingleAsync();
            var dog = Assert.Single(shelter.Dogs);
            Assert.Equal(tenant, dog.Name);
            Assert.Equal(tenant, Assert.Single(dog.Walkers).Name);
        }

        foreach (var tenant in Tenants)
        {
            await using var context = For(tables, tenant);
            var dog = await context.Set<Dog>().SingleAsync();
            Assert.Equal(tenant, dog.Shelter!.Name);
            Assert.Equal(tenant, Assert.Single(Assert.Single(dog.Walkers).Dogs).Name);
        }
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Entities_of_another_tenant_load_that_tenants_rows_once_it_is_opened(Tables tables)
    {
        await using var green = For(tables, "Green");
        var shelter = await green.Set<Shelter>().SingleAsync(s => s.TenantIsOneOf("Red"));
        Assert.Throws<InvalidOperationException>(() => shelter.Dogs);

        green.Tenancy().ForTenant("Red");
        Assert.Equal("Red", Assert.Single(shelter.Dogs).Name);

        await using var again = For(tables, "Green");
        var dog = await again.Set<Dog>().SingleAsync(d => d.TenantIsOneOf("Red"));
        Assert.Throws<InvalidOperationException>(() => dog.Shelter);
        Assert.Throws<InvalidOperationException>(() => dog.Walkers);

        again.Tenancy().ForTenant("Red");
        Assert.Equal("Red", dog.Shelter!.Name);
        Assert.Equal("Red", Assert.Single(dog.Walkers).Name);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Entities_that_are_not_tracked_load_theirs(Tables tables)
    {
        foreach (var tenant in Tenants)
        {
            await using var context = For(tables, tenant);
            var dog = await context.Set<Dog>().AsNoTracking().SingleAsync();
            Assert.Equal(tenant, dog.Shelter!.Name);
            Assert.Equal(tenant, Assert.Single(dog.Walkers).Name);
            Assert.Equal(tenant, Assert.Single((await context.Set<Shelter>().AsNoTracking().SingleAsync()).Dogs).Name);
        }
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Changes_are_told_and_written_for_the_own_tenant(Tables tables)
    {
        await using (var green = For(tables, "Green"))
        {
            green.ChangeTracker.AutoDetectChangesEnabled = false;
            var dog = await green.Set<Dog>().SingleAsync();
            dog.Name = "changed";
            dog.Shelter!.Name = "changed";
            dog.Walkers.Single().Dogs.Add(green.Add(green.CreateProxy<Dog>(d => (d.Id, d.Name) = (2, "new"))).Entity);
            await green.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green|1|changed", "Green|2|new", "Red|1|Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Id", "Name") FROM "Dog" ORDER BY 1"""));
        Assert.Equal(
            ["Green|changed", "Red|Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Name") FROM "Shelter" ORDER BY 1"""));
        Assert.Equal(
            ["Green|1|1", "Green|2|1", "Red|1|1"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "DogsId", "WalkersId") FROM "DogWalker" ORDER BY 1"""));

        await using (var green = For(tables, "Green"))
        {
            var shelter = await green.Set<Shelter>().SingleAsync();
            var dog = Assert.Single(shelter.Dogs);
            Assert.Equal("changed", dog.Name);
            shelter.Dogs.Remove(dog);
            green.Remove(shelter);
            await green.SaveChangesAsync();
        }

        Assert.Equal(["Red"], await Database(tables).ColumnAsync("""SELECT "TenantId" FROM "Shelter" """));
        Assert.Equal(
            ["Green|1", "Green|2", "Red|1|1"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Id", "ShelterId") FROM "Dog" ORDER BY 1"""));
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Changes_of_another_tenant_s_entities_are_refused(Tables tables)
    {
        await using var green = For(tables, "Green");
        var red = await green.Set<Dog>().SingleAsync(d => d.TenantIsOneOf("Red"));
        red.Name = "stolen";
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());

        await using var other = For(tables, "Green");
        var shelter = await other.Set<Shelter>().SingleAsync();
        red = await other.Set<Dog>().SingleAsync(d => d.TenantIsOneOf("Red"));
        Assert.Throws<InvalidOperationException>(() => shelter.Dogs.Add(red));
        Assert.Equal(
            ["Green|1|1|Green", "Red|1|1|Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Id", "ShelterId", "Name") FROM "Dog" ORDER BY 1"""));
    }
}
