using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

public class ColumnsBulkInsertTest(PlainDatabase<ColumnsContext> plain, HashedDatabase<ColumnsContext> hashed)
    : BulkInsertMappingTest<ColumnsContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Defaults_computed_columns_and_shadow_properties(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Defaults>(
                tenant =>
                [
                    new Defaults { Id = 1, Name = tenant },
                    new Defaults { Id = 2, Name = tenant, IsActive = false, Rank = 1, Code = "c" },
                    new Defaults { Id = 3, Name = tenant, Rank = 7 },
                    new Defaults { Id = 4, Name = tenant, Code = "d" },
                ])
            {
                IsReadBack = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Values_of_the_applications_own_generators(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Generated>(
                tenant => [new Generated { Name = tenant }, new Generated { Name = tenant + 2, Slug = "own" }])
            {
                Generated = ["Id"],
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Structs_optional_complex_values_and_converters(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Shape>(
                tenant =>
                [
                    new Shape
                    {
                        Id = 1,
                        Name = tenant,
                        Centre = new Point(1, 2),
                        Colour = Colour.Yellow,
                        Corner = new Corner { Mark = "m", Depth = 4 },
                        Label = new Label { Text = tenant, Kind = Colour.Yellow, Numbers = [1, 2] },
                    },
                    new Shape { Id = 2, Name = tenant, Corner = new Corner { Mark = "n" } },
                    new Shape { Id = 3, Name = tenant },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Hierarchy_with_shared_columns_defaults_and_json(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Base>(
                tenant =>
                [
                    new Left { Id = 1, Shared = tenant, Detail = new Home { Street = tenant } },
                    new Right { Id = 2, Shared = tenant },
                    new Right { Id = 3, Preset = tenant },
                    new Base { Id = 4 },
                    new Left { Id = 5 },
                ])
            {
                IsReadBack = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Column_that_entities_of_one_row_share(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Document>(
                tenant =>
                [
                    new Document { Id = 1, Version = 3, Text = new DocumentText { Body = tenant, Version = 3 } },
                    new Document { Id = 2, Version = 5 },
                ])
            {
                IsReadBack = false,
            });

    [Fact]
    public async Task Global_rows_of_nothing_but_generated_values()
    {
        await using var green = For("Green");
        Global[] globals = [new Global(), new Global()];

        Assert.Equal(2, await green.Tenancy().BulkInsertAsync([new Global(), new Global()]));
        Assert.Equal(2, await green.Tenancy().BulkInsertAsync(globals, returnGeneratedValues: true));

        Assert.Equal(4, await green.Set<Global>().CountAsync());
        Assert.NotNull(await green.FindAsync<Global>(globals[1].Id));
        Assert.NotEqual(globals[0].Id, globals[1].Id);
    }

    [Fact]
    public async Task Global_rows_with_owned_ones()
    {
        await using var green = For("Green");

        await green.Tenancy().BulkInsertAsync(
            [new GlobalWithParts { Parts = { new GlobalPart { Name = "a" }, new GlobalPart { Name = "b" } } }, new GlobalWithParts()]);

        Assert.Equal([0, 2], (await green.Set<GlobalWithParts>().ToListAsync()).Select(g => g.Parts.Count).Order());
    }

    [Fact]
    public async Task Shadow_foreign_key_follows_its_navigation()
    {
        await using var green = For("Green");
        await green.Tenancy().BulkInsertAsync([new Owner { Id = 5 }]);

        await green.Tenancy().BulkInsertAsync([new Reference { Id = 1, Owner = new Owner { Id = 5 } }, new Reference { Id = 2 }]);

        Assert.Equal([5, null], await green.Set<Reference>().OrderBy(r => r.Id).Select(r => EF.Property<int?>(r, "OwnerId")).ToListAsync());
    }

    [Fact]
    public async Task Reference_to_an_entity_of_another_tenant_is_refused()
    {
        await using var green = For("Green");

        await Assert.ThrowsAsync<CrossTenantWriteException>(
            () => green.Tenancy().BulkInsertAsync([new Reference { Id = 10, Owner = new Owner { Id = 5, TenantId = "Red" } }]));

        Assert.Null(await green.FindAsync<Reference>(10));
    }

    [Fact]
    public async Task Owned_entity_of_another_tenant_is_refused()
    {
        await using var green = For("Green");
        Box[] boxes = [new Box { Id = 20, Items = { new Item { Id = 1 } } }, new Box { Id = 21, Items = { new Item { Id = 1, TenantId = "Red" } } }];

        var exception = await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.Tenancy().BulkInsertAsync(boxes));

        Assert.Equal("Red", exception.RowTenantId);
        Assert.False(await green.Set<Box>().IgnoreQueryFilters().AnyAsync());
    }

    [Fact]
    public async Task Entity_without_key()
    {
        await using (var green = For("Green"))
        {
            Assert.Equal(2, await green.Tenancy().BulkInsertAsync([new LogLine { Text = "a" }, new LogLine { Text = "b" }]));
            Assert.Equal(2, await green.Set<LogLine>().CountAsync());
        }

        await using var red = For("Red");
        Assert.Equal(0, await red.Set<LogLine>().CountAsync());
    }
}
