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
