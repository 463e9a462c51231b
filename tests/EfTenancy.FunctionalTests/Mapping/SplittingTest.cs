using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public class SplittingTest(PlainDatabase<SplittingContext> plain, HashedDatabase<SplittingContext> hashed)
    : MappingTest<SplittingContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Two_entities_in_one_table(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Letter>(
                tenant => new Letter { Id = 1, Subject = tenant, Body = new LetterBody { Text = tenant } },
                letter => (letter.Subject, letter.Body!.Text) = (letter.Subject + "!", letter.Body.Text + "!"),
                letter => new Letter { Id = letter.Id, Subject = "", Body = new LetterBody { Id = letter.Id, Text = "" } })
            {
                Load = letters => letters.Include(l => l.Body),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task One_entity_in_three_tables(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Film>(
                tenant => new Film { Id = 1, Title = tenant, Plot = tenant, Poster = tenant },
                film => (film.Title, film.Plot, film.Poster) = (film.Title + "!", film.Plot + "!", film.Poster + "!"),
                film => new Film { Id = film.Id, Title = "", Plot = "", Poster = "" }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task One_part_of_a_split_entity(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Film>(
                tenant => new Film { Id = 1, Title = tenant, Plot = tenant, Poster = tenant },
                film => film.Poster += "!",
                film => new Film { Id = film.Id, Title = "", Plot = "", Poster = "" }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task A_bulk_update_of_one_part_stays_in_its_tenant(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.AddRange(
                new Film { Id = 1, Title = "one", Plot = tenant, Poster = tenant },
                new Film { Id = 2, Title = "two", Plot = tenant, Poster = tenant },
                new Actor { Id = 2, Name = "two" });
            await context.SaveChangesAsync();
        }

        await using var green = For(tables, "Green");
        Assert.Equal(
            1,
            await green.Set<Film>().Join(green.Set<Actor>(), f => f.Id, a => a.Id, (f, a) => f)
                .ExecuteUpdateAsync(s => s.SetProperty(f => f.Plot, "joined")));
        Assert.Equal(2, await green.Set<Film>().ExecuteUpdateAsync(s => s.SetProperty(f => f.Poster, "all")));
        Assert.Equal(
            1, await green.Set<Film>().Where(f => f.Title == "one").ExecuteUpdateAsync(s => s.SetProperty(f => f.Plot, "filtered")));

        Assert.Equal(
            ["Green 1 filtered", "Green 2 joined", "Red 1 Red", "Red 2 Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws(' ', "TenantId", "Id", "Plot") FROM "FilmPlots" ORDER BY 1"""));
        Assert.Equal(
            ["Green 1 all", "Green 2 all", "Red 1 Red", "Red 2 Red"],
            await Database(tables).ColumnAsync("""SELECT concat_ws(' ', "TenantId", "Id", "Poster") FROM art."FilmPosters" ORDER BY 1"""));

        await Database(tables).ExecuteAsync("""DELETE FROM "Films"; DELETE FROM "Actor" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task One_to_one_with_shared_and_with_own_key(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Actor>(
                tenant => new Actor
                {
                    Id = 1, Name = tenant, Contract = new Contract { Id = 1, Terms = tenant }, Agent = new Agent { Id = 5, Name = tenant },
                },
                actor =>
                {
                    actor.Name += "!";
                    actor.Contract!.Terms += "!";
                    actor.Agent!.Name += "!";
                },
                actor => new Actor { Id = actor.Id, Name = "" })
            {
                Load = actors => actors.Include(a => a.Contract).Include(a => a.Agent),
            });
}
