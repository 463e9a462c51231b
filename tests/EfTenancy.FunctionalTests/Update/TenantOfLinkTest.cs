using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

/// <summary>A row that EF makes for a many-to-many navigation, between rows of another tenant. Red has reader 1 and book 1.</summary>
public class TenantOfLinkTest(PostgresFixture postgres)
{
    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public async Task A_link_is_of_the_tenant_of_both_ends(TenantKeyStyle style)
    {
        await using var database = await CreateAsync(style);
        await using (var db = For(database, style, "Green"))
        {
            var red = db.Tenancy().ForTenant("Red");
            red.Find<Reader>(1)!.Books.Add(red.Find<Book>(1)!);
            red.Find<Reader>(1)!.Books.Add(new Book { Id = 2 });
            await db.SaveChangesAsync();
            red.Find<Reader>(1)!.Books.RemoveAt(0);
            await db.SaveChangesAsync();
        }

        Assert.Equal(["Red 2"], await database.ColumnAsync("""SELECT "TenantId" || ' ' || "BooksId" FROM "BookReader" """));
        Assert.Equal(["Red 1", "Red 2"], await database.ColumnAsync("""SELECT "TenantId" || ' ' || "Id" FROM "Book" ORDER BY 1"""));
    }

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public async Task A_tenant_that_is_not_open_gets_no_link(TenantKeyStyle style)
    {
        await using var database = await CreateAsync(style);
        await using (var db = For(database, style, "Green"))
        {
            using (db.Tenancy().AcrossTenants("to read"))
            {
                (await db.Set<Reader>().SingleAsync()).Books.Add(await db.Set<Book>().SingleAsync());
            }

            await Assert.ThrowsAsync<CrossTenantWriteException>(() => db.SaveChangesAsync());
        }

        Assert.Empty(await database.ColumnAsync("""SELECT "TenantId" FROM "BookReader" """));
    }

    private async Task<TestDatabase> CreateAsync(TenantKeyStyle style)
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var db = For(database, style, "Red");
        await db.Database.EnsureCreatedAsync();
        db.AddRange(new Reader { Id = 1 }, new Book { Id = 1 });
        await db.SaveChangesAsync();
        return database;
    }

    private static LibraryContext For(TestDatabase database, TenantKeyStyle style, string tenant)
    {
        var db = new LibraryContext(
            new DbContextOptionsBuilder<LibraryContext>().UseTestDatabase(database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style)).Options);
        db.Tenancy().Use(tenant);
        return db;
    }

    private sealed class LibraryContext(DbContextOptions<LibraryContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Reader>(
                reader =>
                {
                    reader.Property(r => r.Id).ValueGeneratedNever();
                    reader.HasMany(r => r.Books).WithMany(b => b.Readers);
                });
            modelBuilder.Entity<Book>().Property(b => b.Id).ValueGeneratedNever();
        }
    }

    private sealed class Reader
    {
        public int Id { get; set; }

        public List<Book> Books { get; } = [];
    }

    private sealed class Book
    {
        public int Id { get; set; }

        public List<Reader> Readers { get; } = [];
    }
}
