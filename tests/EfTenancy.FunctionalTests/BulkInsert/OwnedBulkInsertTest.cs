using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

public class OwnedBulkInsertTest(PlainDatabase<OwnedContext> plain, HashedDatabase<OwnedContext> hashed)
    : BulkInsertMappingTest<OwnedContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_entities_in_the_row_and_in_tables_of_their_own(Tables tables)
        => VerifyAsync(tables, new BulkInsertScenario<House>(tenant => Houses(tenant, 1)));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_entities_of_owners_with_ids_of_the_database(Tables tables)
        => VerifyAsync(tables, new BulkInsertScenario<House>(tenant => Houses(tenant, null)) { Generated = ["Id", "HouseId", "VillaId"] });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_collections(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Band>(
                tenant =>
                [
                    new Band
                    {
                        Id = 1,
                        Name = tenant,
                        Members =
                        {
                            new Member
                            {
                                Id = 1,
                                Name = tenant,
                                Home = new Home { Street = tenant },
                                Instruments = { new Instrument { Id = 1, Kind = tenant }, new Instrument { Id = 2, Kind = tenant + 2 } },
                            },
                            new Member { Id = 2, Name = tenant },
                        },
                    },
                    new Band { Id = 2, Name = tenant },
                    new Band { Id = 3, Name = tenant, Members = { new Member { Id = 1, Name = tenant } } },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_collections_with_ids_of_the_database(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Band>(
                tenant => Enumerable.Range(0, 1200).Select(
                    i => new Band
                    {
                        Name = tenant + i,
                        Members =
                        {
                            new Member { Name = tenant + i, Instruments = { new Instrument { Kind = tenant + i } } },
                            new Member { Name = tenant, Home = new Home { Street = tenant } },
                        },
                    }))
            {
                Generated = ["Id", "BandId", "MemberId", "MemberBandId"],
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Json_columns(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Menu>(
                tenant =>
                [
                    new Menu
                    {
                        Id = 1,
                        Chef = new Chef { Name = tenant, Home = new Home { Street = "a\"\\ü€ " + tenant } },
                        Dishes =
                        {
                            new Dish { Name = tenant, Ingredients = { new Ingredient { Name = tenant }, new Ingredient { Name = "salt" } } },
                            new Dish { Name = "empty" },
                        },
                    },
                    new Menu { Id = 2, Chef = new Chef { Name = tenant } },
                    new Menu { Id = 3 },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Complex_values_and_collections(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Parcel>(
                tenant =>
                [
                    new Parcel { Id = 1, From = Spot(tenant, 1), To = Spot(tenant, 2), Stops = [Spot(tenant, 3), Spot(tenant, 4)] },
                    new Parcel { Id = 2, From = Spot(tenant, 1), To = Spot(tenant, 2) },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Owned_entity_that_references_another_one(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Kiosk>(
                tenant =>
                [
                    new Kiosk { Id = 1, Owner = new KioskOwner { Name = tenant, CityId = 1 } },
                    new Kiosk { Id = 2, Owner = new KioskOwner { Name = tenant, City = new City { Id = 2, Name = tenant } } },
                ])
            {
                Before = tenant => [new City { Id = 1, Name = tenant }, new City { Id = 2, Name = tenant }],
                Principal = kiosk => kiosk.Owner.City,
            });

    [Fact]
    public async Task Owned_entity_by_itself_is_refused()
    {
        await using var green = For("Green");

        var exception = await Assert.ThrowsAnyAsync<Exception>(() => green.Tenancy().BulkInsertAsync([new Member { Name = "x" }]));

        Assert.Contains("inserted with it", exception.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<House> Houses(string tenant, int? id)
        =>
        [
            new House
            {
                Id = id++ ?? 0,
                Name = tenant,
                Roof = new Roof { Tiles = tenant, Paint = new Paint { Colour = tenant } },
                Cellar = new Cellar { Wine = tenant },
            },
            new Villa { Id = id++ ?? 0, Name = tenant, Roof = new Roof { Tiles = tenant }, Pool = new Pool { Shape = tenant } },
            new House { Id = id++ ?? 0, Name = tenant + 3 },
        ];

    private static Spot Spot(string name, int x)
        => new() { Name = name, At = new Position { X = x, Mark = name } };
}
