using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>Query filters of the application's own. Green and Red have a book of their name each, written by the author of that name.</summary>
public sealed class UserFilterTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    [Fact]
    public async Task One_that_ignores_all_filters_does_not_open_the_rest_of_the_query()
    {
        await using var green = await ContextAsync<IgnoringContext>();
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Books.SelectMany(b => green.Writers, (b, w) => b.Title + w.Name).ToListAsync());
        Assert.Contains("IgnoreQueryFilters", refused.Message, StringComparison.Ordinal);
        Assert.Contains("'Shop'", refused.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => green.Books.ToListAsync());

        // Without the filter there is nothing to refuse.
        Assert.Equal(["Green"], await green.Books.IgnoreQueryFilters(["Sold"]).Select(b => b.Title).ToListAsync());
        Assert.Equal(["Green"], await green.Writers.Select(w => w.Name).ToListAsync());
    }

    [Fact]
    public async Task One_that_names_the_filters_it_ignores_goes_on()
    {
        await using var green = await ContextAsync<NamingContext>();
        Assert.Equal(["GreenGreen"], await green.Books.SelectMany(b => green.Writers, (b, w) => b.Title + w.Name).ToListAsync());
    }

    [Fact]
    public async Task One_that_ignores_ours_by_name_is_refused()
    {
        await using var green = await ContextAsync<NamingOursContext>();
        await Assert.ThrowsAsync<InvalidOperationException>(() => green.Books.ToListAsync());
    }

    [Fact]
    public async Task One_that_compares_entities_compares_keys()
    {
        await using var green = await ContextAsync<WriterContext>();
        Assert.Equal(["Green"], await green.Books.Select(b => b.Title).ToListAsync());

        green.Mine = await green.Writers.SingleAsync();
        Assert.Equal(["Green"], await green.Books.Select(b => b.Title).ToListAsync());

        green.Mine = new Writer { Id = 2, Name = "" };
        Assert.Empty(await green.Books.Select(b => b.Title).ToListAsync());
        Assert.Equal(["Green"], await green.Books.Where(b => b.Writer == green.Writers.First()).IgnoreQueryFilters(["Mine"]).Select(b => b.Title).ToListAsync());

        // The same query, and another one's writer: Red's has the same id.
        green.Mine = await green.Writers.SingleAsync(w => w.TenantIsOneOf("Red"));
        Assert.Empty(await green.Books.Select(b => b.Title).ToListAsync());
        Assert.Equal(["Red"], await green.Books.Where(b => b.AnyTenant()).Select(b => b.Title).ToListAsync());
    }

    [Fact]
    public async Task One_whose_variable_is_called_like_ours_is_only_a_filter_in_a_group()
    {
        await using var group = await ContextAsync<TitleContext>();
        group.ChangeTracker.Clear();
        TenancyDbContextExtensions.Tenancy(group).Use(["Green", "Red"]);
        Assert.Equal(["Green", "Red"], await group.Writers.Select(w => w.Name).OrderBy(n => n).ToListAsync());

        (group.Tenancy, group.TenancyTitle) = ("Green", "Green");
        Assert.Equal(["Green"], await group.Books.Select(b => b.Title).ToListAsync());
        group.Tenancy = "Red";
        Assert.Empty(await group.Books.ToListAsync());
    }

    // EF applies no filter to a set that its own filter reads.
    [Fact]
    public async Task One_that_reads_its_own_set_reads_the_rows_of_its_tenant()
    {
        await using var green = await ContextAsync<FirstContext>();
        await using var red = Context<FirstContext>(green.Database.GetConnectionString()!, "Red");
        green.Add(new Book { Id = 2, Title = "Second" });
        red.Add(new Book { Id = -1, Title = "Zero" });
        await green.SaveChangesAsync();
        await red.SaveChangesAsync();

        Assert.Equal(["Zero"], await red.Books.Select(b => b.Title).ToListAsync());
        Assert.Equal(["Green"], await green.Books.Select(b => b.Title).ToListAsync());
        Assert.Equal(1, await green.Books.ExecuteUpdateAsync(u => u.SetProperty(b => b.Title, "First")));
    }

    [Fact]
    public async Task One_that_reads_tenants_rows_is_ignored_by_name_beside_a_predicate()
    {
        await using var green = await ContextAsync<FirstContext>();
        green.Add(new Book { Id = 2, Title = "Second" });
        await green.SaveChangesAsync();

        var everybodys = green.Books.Where(b => b.AnyTenant());
        Assert.Contains("IgnoreQueryFilters", (await Assert.ThrowsAsync<InvalidOperationException>(() => everybodys.ToListAsync())).Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<InvalidOperationException>(() => everybodys.IgnoreQueryFilters(["Open"]).ToListAsync());
        Assert.Equal(
            ["Green 1", "Red 2", "Second 1"],
            await everybodys.IgnoreQueryFilters(["First"]).OrderBy(b => b.Title)
                .Select(b => b.Title + " " + green.Books.Count(other => other.Title != b.Title)).ToListAsync());
    }

    private async Task<TContext> ContextAsync<TContext>()
        where TContext : BookContext
    {
        var database = await DatabaseAsync();
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = Context<TContext>(database, tenant);
            await context.Database.EnsureCreatedAsync();
            context.Add(new Book { Id = 1, Title = tenant, Writer = new Writer { Id = 1, Name = tenant } });
            await context.SaveChangesAsync();
        }

        await database.ExecuteAsync("""INSERT INTO "Shop" ("Id") VALUES (1)""");
        return Own(Context<TContext>(database, "Green"));
    }

    private static TContext Context<TContext>(TestDatabase database, string tenant)
        where TContext : DbContext
        => Context<TContext>(database.ConnectionString, tenant);

    private static TContext Context<TContext>(string connectionString, string tenant)
        where TContext : DbContext
    {
        var context = (TContext)Activator.CreateInstance(
            typeof(TContext),
            new DbContextOptionsBuilder<TContext>().UseTestDatabase(connectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options)!;
        TenancyDbContextExtensions.Tenancy(context).Use(tenant);
        return context;
    }

    public abstract class BookContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Book> Books => Set<Book>();

        public DbSet<Writer> Writers => Set<Writer>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Shop>().IsSingleTenanted().HasQueryFilter("Open", s => s.Id > 0);
            Filter(modelBuilder.Entity<Book>());
        }

        protected abstract void Filter(EntityTypeBuilder<Book> book);
    }

    public class IgnoringContext(DbContextOptions<IgnoringContext> options) : BookContext(options)
    {
        protected override void Filter(EntityTypeBuilder<Book> book)
            => book.HasQueryFilter("Sold", b => Set<Shop>().IgnoreQueryFilters().Any());
    }

    public class NamingContext(DbContextOptions<NamingContext> options) : BookContext(options)
    {
        protected override void Filter(EntityTypeBuilder<Book> book)
            => book.HasQueryFilter("Sold", b => Set<Shop>().IgnoreQueryFilters(new[] { "Open" }).Any());
    }

    public class NamingOursContext(DbContextOptions<NamingOursContext> options) : BookContext(options)
    {
        protected override void Filter(EntityTypeBuilder<Book> book)
            => book.HasQueryFilter("Sold", b => Set<Writer>().IgnoreQueryFilters(new[] { TenancyDefaults.QueryFilterName }).Any());
    }

    public class FirstContext(DbContextOptions<FirstContext> options) : BookContext(options)
    {
        protected override void Filter(EntityTypeBuilder<Book> book)
            => book.HasQueryFilter("First", b => b.Id == Books.Min(other => other.Id));
    }

    public class WriterContext(DbContextOptions<WriterContext> options) : BookContext(options)
    {
        public Writer? Mine { get; set; }

        protected override void Filter(EntityTypeBuilder<Book> book)
            => book.HasQueryFilter("Mine", b => Mine == null || b.Writer == Mine);
    }

    public class TitleContext(DbContextOptions<TitleContext> options) : BookContext(options)
    {
        public string? Tenancy { get; set; }

        public string? TenancyTitle { get; set; }

        protected override void Filter(EntityTypeBuilder<Book> book)
            => book.HasQueryFilter("Title", b => b.Title == Tenancy && b.Title == TenancyTitle);
    }

    public class Book
    {
        public int Id { get; set; }

        public required string Title { get; set; }

        public int? WriterId { get; set; }

        public Writer? Writer { get; set; }
    }

    public class Writer
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Shop
    {
        public int Id { get; set; }
    }
}
