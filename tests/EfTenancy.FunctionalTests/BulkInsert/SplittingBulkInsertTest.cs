using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

public class SplittingBulkInsertTest(PlainDatabase<SplittingContext> plain, HashedDatabase<SplittingContext> hashed)
    : BulkInsertMappingTest<SplittingContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_splitting(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Letter>(
                tenant =>
                [
                    new Letter { Id = 1, Subject = tenant, Body = new LetterBody { Id = 1, Text = tenant } },
                    new Letter { Id = 2, Subject = tenant, Body = new LetterBody { Id = 2, Text = tenant } },
                ])
            {
                IsReadBack = false,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Entity_splitting(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Film>(
                tenant => Enumerable.Range(1, 3).Select(i => new Film { Id = i, Title = tenant, Plot = tenant + i, Poster = tenant })));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Entity_splitting_with_ids_of_the_database(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Film>(
                tenant => Enumerable.Range(1, 1001).Select(i => new Film { Title = tenant, Plot = tenant + i, Poster = tenant }))
            {
                Generated = ["Id"],
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Key_that_follows_from_a_navigation(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Contract>(tenant => [new Contract { Terms = tenant, Actor = new Actor { Id = 7, Name = tenant } }])
            {
                Before = tenant => [new Actor { Id = 7, Name = tenant }],
                Principal = contract => contract.Actor,
            });

    [Fact]
    public async Task Part_of_a_shared_row_by_itself_is_refused()
    {
        await using var green = For("Green");

        var exception = await Assert.ThrowsAsync<NotSupportedException>(
            () => green.Tenancy().BulkInsertAsync([new LetterBody { Id = 1, Text = "x" }]));

        Assert.Contains("shares its row with 'Letter'", exception.Message, StringComparison.Ordinal);
    }
}
