using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

public class RelationshipsBulkInsertTest(PlainDatabase<RelationshipsContext> plain, HashedDatabase<RelationshipsContext> hashed)
    : BulkInsertMappingTest<RelationshipsContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Rows_that_reference_each_other(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Folder>(
                tenant =>
                [
                    new Folder { Id = 3, Name = tenant, ParentId = 2 },
                    new Folder { Id = 2, Name = tenant, ParentId = 1 },
                    new Folder { Id = 1, Name = tenant },
                ])
            {
                IsReadBack = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Foreign_key_of_a_navigation(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Town>(
                tenant =>
                [
                    new Town { Id = 1, Name = tenant, Country = new Country { Id = 1, Code = "c", Name = tenant } },
                    new Town { Id = 2, Name = tenant },
                ])
            {
                Before = tenant => [new Country { Id = 1, Code = "c", Name = tenant }],
                Principal = town => town.Country,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Composite_foreign_key_of_a_navigation(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Booking>(
                tenant => [new Booking { Id = 1, Guest = tenant, Seat = new Seat { Row = 3, Number = 4, Colour = tenant } }])
            {
                Before = tenant => [new Seat { Row = 3, Number = 4, Colour = tenant }],
                Principal = booking => booking.Seat,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Join_entity_with_payload(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Enrolment>(tenant => [new Enrolment { StudentId = 1, CourseId = 2, Grade = tenant }])
            {
                Before = tenant => [new Student { Id = 1, Name = tenant }, new Course { Id = 2, Name = tenant }],
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Fields_and_private_setters(Tables tables)
        => VerifyAsync(
            tables, new BulkInsertScenario<Project>(tenant => [Project.Create(1, tenant), Project.Create(2, tenant)]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Optional_shadow_foreign_key(Tables tables)
        => VerifyAsync(tables, new BulkInsertScenario<Idea>(tenant => [new Idea { Id = 1, Text = tenant }]));

    [Fact]
    public async Task Required_shadow_foreign_key_that_nothing_tells_is_refused()
    {
        await using var green = For("Green");

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Tenancy().BulkInsertAsync([new ProjectTask { Id = 1, Name = "x" }]));

        Assert.Contains("'ProjectId'", exception.Message, StringComparison.Ordinal);
        Assert.False(await green.Set<ProjectTask>().AnyAsync());
    }

    [Fact]
    public async Task Navigations_are_not_followed()
    {
        await using var green = For("Green");

        await green.Tenancy().BulkInsertAsync(
            [new Student { Id = 50, Name = "x", Courses = { new Course { Id = 50, Name = "x" } } }]);

        Assert.NotNull(await green.FindAsync<Student>(50));
        Assert.Null(await green.FindAsync<Course>(50));
        Assert.False(await green.Set<Enrolment>().AnyAsync(e => e.StudentId == 50));
    }

    [Fact]
    public async Task Navigation_to_an_entity_without_key_is_refused_and_works_once_that_is_returned()
    {
        await using var green = For("Green");
        var parent = new Folder { Name = "parent" };
        var child = new Folder { Name = "child", Parent = parent };

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => green.Tenancy().BulkInsertAsync([child]));
        Assert.Contains("Folder.Parent", exception.Message, StringComparison.Ordinal);

        Assert.Equal(2, await green.Tenancy().BulkInsertAsync([child, parent], returnGeneratedValues: true));

        Assert.Equal(parent.Id, (await green.Set<Folder>().SingleAsync(f => f.Id == child.Id)).ParentId);
        Assert.Equal("parent", (await green.Set<Folder>().SingleAsync(f => f.Id == parent.Id)).Name);
    }

    [Fact]
    public async Task Join_entity_without_class_is_refused()
    {
        await using var green = For("Green");

        await Assert.ThrowsAnyAsync<InvalidOperationException>(
            () => green.Tenancy().BulkInsertAsync([new Dictionary<string, object> { ["AuthorsId"] = 1, ["BooksId"] = 1 }]));
    }
}
