using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests;

/// <summary>Somebody else's context opts in from the outside: its options get UseTenancy, and no line of it changes.</summary>
public class ExistingContextTest(ExistingContextTest.Fixture fixture) : IClassFixture<ExistingContextTest.Fixture>
{
    [Fact]
    public async Task Two_tenants_live_the_same_life_side_by_side()
    {
        await using var database = await fixture.CloneAsync();

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using (var context = fixture.CreateContext(database.ConnectionString, tenant))
            {
                // The same keys in both tenants, the same unique name.
                context.Shelves.Add(new Shelf { Room = 1, Number = 7, Label = tenant });
                context.Authors.Add(
                    new Author
                    {
                        Name = "Le Guin",
                        Address = new Address { City = tenant + " City" },
                        Prizes = { new Prize { Title = "Hugo", Year = 1970 } },
                        Books =
                        {
                            new Book { Title = "Dispossessed", ShelfRoom = 1, ShelfNumber = 7, Genres = { new Genre { Name = "Utopia" } } },
                            new AudioBook { Title = "Earthsea", Minutes = 360 },
                            new Book { Title = "Withdrawn", IsWithdrawn = true },
                        },
                    });
                context.Members.Add(new Member { Name = "Ada" });
                await context.SaveChangesAsync();

                var book = await context.Books.SingleAsync(b => b.Title == "Dispossessed");
                context.Loans.Add(new Loan { BookId = book.Id, MemberId = (await context.Members.SingleAsync()).Id, Since = DateTime.UtcNow });
                await context.SaveChangesAsync();
            }

            await using (var context = fixture.CreateContext(database.ConnectionString, tenant))
            {
                var author = await context.Authors.AsSplitQuery().Include(a => a.Books).ThenInclude(b => b.Genres).Include(a => a.Books)
                    .ThenInclude(b => b.Shelf).SingleAsync();

                Assert.Equal(tenant + " City", author.Address!.City);
                Assert.Single(author.Prizes);
                Assert.Equal(["Dispossessed", "Earthsea"], author.Books.Select(b => b.Title).Order());
                Assert.Equal(tenant, author.Books.Single(b => b.Title == "Dispossessed").Shelf!.Label);
                Assert.Equal("Utopia", Assert.Single(author.Books.Single(b => b.Title == "Dispossessed").Genres).Name);
                Assert.All(author.Books, b => Assert.True(b.AddedAt > DateTime.UtcNow.AddMinutes(-5)));
                Assert.Equal(360, (await context.Set<AudioBook>().SingleAsync()).Minutes);
                Assert.Equal(3, await context.Books.IgnoreQueryFilters(["Tenancy:Anonymous"]).CountAsync());
                Assert.Equal(tenant, (await context.Shelves.FindAsync(1, 7))!.Label);
                Assert.Equal("Ada", (await context.Loans.Include(l => l.Member).SingleAsync()).Member.Name);
            }
        }

        Assert.Equal(["Green", "Red"], await database.ColumnAsync("""SELECT DISTINCT "TenantId" FROM "Books" ORDER BY 1"""));
        foreach (var table in (string[])["Authors", "Books", "BookGenre", "Genres", "Shelves", "Members", "Loans", "Prize"])
        {
            Assert.Equal(
                2, await database.ScalarAsync<int>($"""SELECT count(DISTINCT "TenantId") FROM "{table}" """));
        }
    }

    [Fact]
    public async Task Deleting_a_principal_nulls_the_optional_reference_and_not_the_tenant()
    {
        await using var database = await fixture.CloneAsync();
        await using (var context = fixture.CreateContext(database.ConnectionString, "Green"))
        {
            context.Add(new Book { Title = "A", Author = new Author { Name = "B" }, Shelf = new Shelf { Room = 1, Number = 1 } });
            await context.SaveChangesAsync();
        }

        // Untracked dependents: the database's own ON DELETE SET NULL does it.
        await using (var context = fixture.CreateContext(database.ConnectionString, "Green"))
        {
            context.Remove(new Shelf { Room = 1, Number = 1 });
            await context.SaveChangesAsync();
        }

        Assert.Equal(["Green||"], await database.ColumnAsync("""SELECT concat_ws('|', "TenantId", coalesce("ShelfRoom"::text, ''), coalesce("ShelfNumber"::text, '')) FROM "Books" """));

        await using (var context = fixture.CreateContext(database.ConnectionString, "Green"))
        {
            var shelf = context.Add(new Shelf { Room = 1, Number = 1 }).Entity;
            var book = await context.Books.SingleAsync();
            book.Shelf = shelf;
            await context.SaveChangesAsync();

            // Tracked dependents: the change tracker does it.
            context.Remove(shelf);
            await context.SaveChangesAsync();
            Assert.Null(book.ShelfRoom);
            Assert.Equal("Green", context.Tenancy().TenantOf(book));
        }

        Assert.Equal(["Green||"], await database.ColumnAsync("""SELECT concat_ws('|', "TenantId", coalesce("ShelfRoom"::text, ''), coalesce("ShelfNumber"::text, '')) FROM "Books" """));
    }

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<LibraryContext>(postgres)
    {
        public override LibraryContext CreateContext(string connectionString)
            => new(Options(connectionString));

        public LibraryContext CreateContext(string connectionString, string tenant)
        {
            var context = CreateContext(connectionString);
            context.Tenancy().Use(tenant);
            return context;
        }

        private static DbContextOptions<LibraryContext> Options(string connectionString)
            => new DbContextOptionsBuilder<LibraryContext>()
                .UseTestDatabase(connectionString)
                .ConfigureWarnings(w => w.Default(WarningBehavior.Throw))
                .UseTenancy(tenancy => tenancy.AllEntitiesAreMultiTenanted())
                .Options;
    }
}
