using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.TestUtilities;

public class TestDatabaseTest(PostgresFixture postgres, TestDatabaseTest.Fixture fixture) : IClassFixture<TestDatabaseTest.Fixture>
{
    private const string Names = """SELECT "Name" FROM "Boats" ORDER BY "Id" """;

    [Fact]
    public async Task Clone_holds_what_the_template_holds()
    {
        await using var clone = await fixture.CloneAsync();

        Assert.Equal(["Ada", "Bea"], await clone.ColumnAsync(Names));
    }

    [Fact]
    public async Task Clones_are_independent()
    {
        await using var first = await fixture.CloneAsync();
        await using var second = await fixture.CloneAsync();

        await first.ExecuteAsync("""UPDATE "Boats" SET "Name" = 'Cleo' WHERE "Id" = 1""");

        Assert.Equal(["Cleo", "Bea"], await first.ColumnAsync(Names));
        Assert.Equal(["Ada", "Bea"], await second.ColumnAsync(Names));
        Assert.Equal(["Ada", "Bea"], await fixture.Database.ColumnAsync(Names));
    }

    [Fact]
    public async Task Context_and_raw_SQL_see_the_same_database()
    {
        await using var clone = await fixture.CloneAsync();
        await using var context = fixture.CreateContext(clone.ConnectionString);

        context.Add(new Boat { Id = 3, Name = "Dot" });
        await context.SaveChangesAsync();

        Assert.Equal(3, await clone.ScalarAsync<int>("""SELECT count(*) FROM "Boats" """));
    }

    [Fact]
    public async Task Disposed_database_is_gone_although_a_connection_is_open()
    {
        var database = await postgres.CreateDatabaseAsync();
        Assert.Equal(0, await database.ScalarAsync<int>("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"));
        await using var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync();

        await database.DisposeAsync();

        Assert.Equal(0, await fixture.Database.ScalarAsync<int>($"SELECT count(*) FROM pg_database WHERE datname = '{database.Name}'"));
    }

    [Fact]
    public void Names_are_unique_and_short_enough_for_PostgreSQL()
    {
        var longName = new string('x', 100);

        var names = new[] { TestDatabase.UniqueName(longName), TestDatabase.UniqueName(longName) };

        Assert.Distinct(names);
        Assert.All(names, x => Assert.InRange(x.Length, 1, 63));
    }

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<BoatContext>(postgres)
    {
        public override BoatContext CreateContext(string connectionString)
            => new(new DbContextOptionsBuilder<BoatContext>().UseTestDatabase(connectionString).Options);

        protected override async Task SeedTemplateAsync(BoatContext context)
        {
            await base.SeedTemplateAsync(context);
            context.AddRange(new Boat { Id = 1, Name = "Ada" }, new Boat { Id = 2, Name = "Bea" });
            await context.SaveChangesAsync();
        }
    }

    public class BoatContext(DbContextOptions<BoatContext> options) : DbContext(options)
    {
        public DbSet<Boat> Boats => Set<Boat>();
    }

    public class Boat
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }
}
