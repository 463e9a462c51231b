using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public class OwnedTest(PlainDatabase<OwnedContext> plain, HashedDatabase<OwnedContext> hashed) : MappingTest<OwnedContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_types_in_the_table_of_the_owner_and_in_their_own(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<House>(
                tenant => new Villa
                {
                    Id = 1,
                    Name = tenant,
                    Roof = new Roof { Tiles = tenant, Paint = new Paint { Colour = tenant } },
                    Cellar = new Cellar { Wine = tenant },
                    Pool = new Pool { Shape = tenant },
                },
                house =>
                {
                    house.Roof = new Roof { Tiles = house.Name, Paint = new Paint { Colour = house.Name + "?" } };
                    house.Cellar!.Wine += "!";
                    ((Villa)house).Pool!.Shape += "!";
                },
                house => new Villa { Id = house.Id, Name = "" }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Owned_types_come_go_and_are_replaced(Tables tables)
    {
        foreach (var tenant in (string[])["Red", "Green"])
        {
            await using var context = For(tables, tenant);
            context.Add(new House { Id = 2, Name = tenant, Roof = new Roof { Tiles = tenant }, Cellar = new Cellar { Wine = tenant } });
            await context.SaveChangesAsync();
        }

        await using (var context = For(tables, "Green"))
        {
            var house = await context.Set<House>().SingleAsync();
            (house.Roof, house.Cellar) = (null, new Cellar { Wine = "new" });
            await context.SaveChangesAsync();
            (house.Roof, house.Cellar) = (new Roof { Tiles = "new" }, null);
            await context.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green|new", "Red|Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Roof_Tiles") FROM "House" ORDER BY 1"""));
        Assert.Equal(["Red|Red"], await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Wine") FROM "Cellars" """));
        await Database(tables).ExecuteAsync("""DELETE FROM "House" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_collections_with_owned_types_of_their_own(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Band>(
                tenant => new Band
                {
                    Id = 1,
                    Name = tenant,
                    Members =
                    {
                        new Member
                        {
                            Id = 1, Name = tenant, Home = new Home { Street = tenant }, Instruments = { new Instrument { Id = 1, Kind = tenant } },
                        },
                        new Member { Id = 2, Name = tenant },
                    },
                },
                band =>
                {
                    band.Name += "!";
                    band.Members[0].Home!.Street += "!";
                    band.Members[0].Instruments[0].Kind += "!";
                    band.Members[1].Name += "!";
                },
                band => new Band { Id = band.Id, Name = "" }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Members_of_an_owned_collection_come_and_go(Tables tables)
    {
        foreach (var tenant in (string[])["Red", "Green"])
        {
            await using var context = For(tables, tenant);
            context.Add(new Band { Id = 2, Name = tenant, Members = { new Member { Id = 1, Name = tenant }, new Member { Id = 2, Name = tenant } } });
            await context.SaveChangesAsync();
        }

        await using (var context = For(tables, "Green"))
        {
            var band = await context.Set<Band>().AsSplitQuery().SingleAsync();
            band.Members.Remove(band.Members.Single(m => m.Id == 1));
            band.Members.Add(new Member { Name = "new" });
            await context.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green|Green", "Green|new", "Red|Red", "Red|Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Name") FROM "Member" ORDER BY 1"""));
        await Database(tables).ExecuteAsync("""DELETE FROM "Band" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_types_in_json(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Menu>(
                tenant => new Menu
                {
                    Id = 1,
                    Chef = new Chef { Name = tenant, Home = new Home { Street = tenant } },
                    Dishes =
                    {
                        new Dish { Name = tenant, Ingredients = { new Ingredient { Name = tenant }, new Ingredient { Name = tenant } } },
                        new Dish { Name = tenant },
                    },
                },
                menu =>
                {
                    menu.Chef!.Home!.Street += "!";
                    menu.Dishes[0].Ingredients[1].Name += "!";
                    menu.Dishes[1].Name += "!";
                },
                menu => new Menu { Id = menu.Id })
            {
                // A JSON array gives its elements no key that a detached entity could hold.
                CanBeDetached = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_type_in_json_without_arrays(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Menu>(
                tenant => new Menu { Id = 1, Chef = new Chef { Name = tenant, Home = new Home { Street = tenant } } },
                menu => (menu.Chef!.Name, menu.Chef.Home!.Street) = (menu.Chef.Name + "!", menu.Chef.Home.Street + "!"),
                menu => new Menu { Id = menu.Id }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Json_holds_no_tenant_and_is_queried_within_one(Tables tables)
    {
        foreach (var tenant in (string[])["Red", "Green"])
        {
            await using var context = For(tables, tenant);
            context.Add(new Menu { Id = 2, Chef = new Chef { Name = "same" }, Dishes = { new Dish { Name = tenant } } });
            await context.SaveChangesAsync();
        }

        await using var green = For(tables, "Green");
        Assert.Single(await green.Set<Menu>().Where(m => m.Chef!.Name == "same").ToListAsync());
        Assert.Equal(["Green"], await green.Set<Menu>().SelectMany(m => m.Dishes).Select(d => d.Name).ToListAsync());
        Assert.Equal(
            0, await Database(tables).ScalarAsync<long>("""SELECT count(*) FROM "Menu" WHERE "Chef"::text || "Dishes"::text LIKE '%Tenant%'"""));
        await Database(tables).ExecuteAsync("""DELETE FROM "Menu" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Complex_types_in_columns_and_in_json(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Parcel>(
                tenant => new Parcel
                {
                    Id = 1, From = Spot(tenant), To = Spot(tenant), Stops = [Spot(tenant), Spot(tenant)],
                },
                parcel =>
                {
                    parcel.From.At.Mark += "!";
                    parcel.To.Name += "!";
                    parcel.Stops[1].At.Mark += "!";
                    parcel.Stops.Add(Spot("more"));
                },
                parcel => new Parcel { Id = parcel.Id, From = Spot(""), To = Spot("") }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_type_that_references_an_entity(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Kiosk>(
                tenant => new Kiosk { Id = 1, Owner = new KioskOwner { Name = tenant, City = new City { Id = 1, Name = tenant } } },
                kiosk =>
                {
                    kiosk.Owner.Name += "!";
                    kiosk.Owner.City!.Name += "!";
                },
                kiosk => new Kiosk { Id = kiosk.Id, Owner = new KioskOwner { Name = "", CityId = 1 } })
            {
                Load = kiosks => kiosks.Include(k => k.Owner.City),
            });

    private static Spot Spot(string text)
        => new() { Name = text, At = new Position { X = 1, Mark = text } };
}
