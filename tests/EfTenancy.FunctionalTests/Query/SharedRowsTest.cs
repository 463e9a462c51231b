using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Rows of the default tenant that every tenant reads.</summary>
public class SharedRowsTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        await using var shared = For(TenancyDefaults.DefaultTenantId);
        await shared.Database.EnsureCreatedAsync();
        shared.AddRange(
            new Article { Id = 1, Title = "shared", Notes = { new Note { Id = 1, Text = "note of shared" } } },
            new Article { Id = 2, Title = "shared too" });
        await shared.SaveChangesAsync();

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = For(tenant);
            db.AddRange(
                new Article { Id = 1, Title = tenant, Notes = { new Note { Id = 1, Text = tenant } } },
                new Article { Id = 3, Title = tenant + " too" });
            await db.SaveChangesAsync();
        }
    }

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task A_tenant_reads_the_shared_rows_beside_its_own()
    {
        await using var green = For("Green");

        Assert.Equal(["Green", "Green too", "seeded", "shared", "shared too"], await green.Set<Article>().Select(a => a.Title).Order().ToListAsync());
        Assert.Equal(["Green too", "shared too"], await green.Set<Article>().Where(a => a.Title.EndsWith("too")).Select(a => a.Title).Order().ToListAsync());

        // Only what is said to be shared.
        Assert.Equal(["Green"], await green.Set<Note>().Select(n => n.Text).ToListAsync());
        Assert.Equal(["Green"], (await green.Set<Article>().Include(a => a.Notes).ToListAsync()).SelectMany(a => a.Notes).Select(n => n.Text));
    }

    [Theory]
    [InlineData(QuerySplittingBehavior.SingleQuery)]
    [InlineData(QuerySplittingBehavior.SplitQuery)]
    public async Task An_own_and_a_shared_row_of_one_id_keep_their_own_collections(QuerySplittingBehavior splitting)
    {
        await using var green = For("Green");
        var articles = green.Set<Article>().Where(a => a.Id == 1).Select(a => new { a.Title, Notes = a.Notes.Select(n => n.Text).ToList() });

        Assert.Equal(
            [("Green", 1), ("shared", 0)],
            (await (splitting == QuerySplittingBehavior.SplitQuery ? articles.AsSplitQuery() : articles).ToListAsync())
            .Select(a => (a.Title, a.Notes.Count)).Order());
    }

    [Fact]
    public async Task Find_prefers_the_own_row_and_falls_back_to_the_shared_one()
    {
        await using var green = For("Green");

        Assert.Equal("Green", (await green.FindAsync<Article>(1))!.Title);
        Assert.Equal("shared too", (await green.FindAsync<Article>(2))!.Title);
        Assert.Equal("seeded", green.Find<Article>(9)!.Title);
        Assert.Null(await green.FindAsync<Article>(4));
        Assert.Equal("Red too", green.Tenancy().ForTenant("Red").Find<Article>(3)!.Title);
        Assert.Null(green.Tenancy().ForTenant("Red").Find<Article>(2));
        Assert.Equal(TenancyDefaults.DefaultTenantId, green.Tenancy().TenantOf(green.Find<Article>(2)!));
        await green.Entry(green.Find<Article>(2)!).ReloadAsync();
        Assert.Equal("shared too", green.Find<Article>(2)!.Title);
    }

    [Fact]
    public async Task Tracked_rows_are_found_as_rows_of_the_database_are()
    {
        await using var green = For("Green");
        using (green.Tenancy().AcrossTenants("a test"))
        {
            await green.Set<Article>().LoadAsync();
        }

        var articles = green.Set<Article>().Local;
        Assert.Equal("Green", articles.FindEntry(1)!.Entity.Title);
        Assert.Equal("Green", articles.FindEntry("Id", 1)!.Entity.Title);
        Assert.Equal("shared too", articles.FindEntry(2)!.Entity.Title);
        Assert.Equal("shared too", articles.FindEntryUntyped([2])!.Entity.Title);
        Assert.Equal("shared too", articles.FindEntry("Id", 2)!.Entity.Title);
        Assert.Equal("shared too", articles.FindEntry(["Id"], [2])!.Entity.Title);
        Assert.Equal(["Green", "shared"], articles.GetEntries("Id", 1).Select(e => e.Entity.Title));
        Assert.Equal("Green", green.Tenancy().TenantOf(articles.FindEntry("Id", 3)!.Entity));
        Assert.Throws<ArgumentException>(() => { _ = articles.GetEntries(["Id"], ["1"]); });
    }

    [Fact]
    public async Task A_tenant_writes_only_its_own_rows()
    {
        var before = await _database.ColumnAsync("""SELECT a::text || a.xmin FROM "Article" a WHERE "TenantId" = '*DEFAULT*' ORDER BY "Id" """);
        await using (var green = For("Green"))
        {
            (await green.Set<Article>().SingleAsync(a => a.Title == "shared")).Title = "taken";
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
            green.ChangeTracker.Clear();

            green.Remove(await green.Set<Article>().SingleAsync(a => a.Title == "shared too"));
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
        }

        Assert.Equal(before, await _database.ColumnAsync("""SELECT a::text || a.xmin FROM "Article" a WHERE "TenantId" = '*DEFAULT*' ORDER BY "Id" """));
    }

    [Fact]
    public async Task Bulk_updates_and_deletes_reach_only_the_own_rows()
    {
        var before = await _database.ColumnAsync("""SELECT a::text || a.xmin FROM "Article" a WHERE "TenantId" <> 'Green' ORDER BY 1""");
        await using (var green = For("Green"))
        {
            Assert.Equal(2, await green.Set<Article>().ExecuteUpdateAsync(s => s.SetProperty(a => a.Title, a => a.Title + "!")));
            Assert.Equal(1, await green.Set<Article>().Where(a => a.Id == 3).ExecuteDeleteAsync());
            Assert.Equal(0, await green.Set<Article>().Where(a => a.Id == 2).ExecuteDeleteAsync());
        }

        Assert.Equal(before, await _database.ColumnAsync("""SELECT a::text || a.xmin FROM "Article" a WHERE "TenantId" <> 'Green' ORDER BY 1"""));
    }

    [Fact]
    public async Task Bulk_updates_of_a_projection_do_not_reach_shared_rows()
    {
        const string All = """SELECT a::text || a.xmin FROM "Article" a ORDER BY 1""";
        var before = await _database.ColumnAsync(All);
        await using var green = For("Green");
        foreach (var update in (Func<Task<int>>[])[
                     () => green.Set<Article>().Select(a => new { a.Title }).ExecuteUpdateAsync(s => s.SetProperty(a => a.Title, "!")),
                     () => green.Set<Article>().Select(a => a.Title).ExecuteUpdateAsync(s => s.SetProperty(t => t, "!")),
                     () => green.Set<Note>().SelectMany(_ => green.Set<Article>(), (n, a) => new { Name = a.Title })
                         .ExecuteUpdateAsync(s => s.SetProperty(x => x.Name, "!"))])
        {
            Assert.Contains("'Article'", (await Assert.ThrowsAsync<InvalidOperationException>(update)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(before, await _database.ColumnAsync(All));

        var own = before.Count(r => r.Contains("Green", StringComparison.Ordinal));
        Assert.Equal(
            own, await green.Set<Article>().Select(a => new { a }).ExecuteUpdateAsync(s => s.SetProperty(x => x.a.Title, x => x.a.Title)));
    }

    [Fact]
    public async Task Bulk_deletes_of_what_an_entity_owns_do_not_reach_that_of_shared_rows()
    {
        const string All = """SELECT TRIM("Text" || "TenantId") FROM "Remark" UNION ALL SELECT TRIM("Name" || "TenantId") FROM "Author" ORDER BY 1""";
        foreach (var tenant in (string[])[TenancyDefaults.DefaultTenantId, "Green"])
        {
            await using var db = For(tenant);
            db.Add(new Article { Id = 5, Title = tenant, Remarks = { new Remark { Text = "remark of " } }, Author = new Author { Name = "author of " } });
            await db.SaveChangesAsync();
        }

        await using (var green = For("Green"))
        {
            var shared = await green.Set<Article>().SingleAsync(a => a.Title == TenancyDefaults.DefaultTenantId);
            await green.Entry(shared.Author!).ReloadAsync();
            Assert.Equal("author of ", shared.Author?.Name);

            Assert.Equal(1, await green.Set<Article>().SelectMany(a => a.Remarks).ExecuteDeleteAsync());
            Assert.Equal(1, await green.Set<Article>().Select(a => a.Author!).ExecuteDeleteAsync());
        }

        Assert.Equal(["author of *DEFAULT*", "remark of *DEFAULT*"], await _database.ColumnAsync(All));
        await using var owner = For(TenancyDefaults.DefaultTenantId);
        Assert.Equal(1, await owner.Set<Article>().SelectMany(a => a.Remarks).ExecuteDeleteAsync());
    }

    [Fact]
    public async Task Entities_in_predicates_and_other_tenants_keep_their_meaning()
    {
        await using var green = For("Green");
        var shared = await green.Set<Article>().SingleAsync(a => a.Title == "shared");
        var own = await green.Set<Article>().SingleAsync(a => a.Title == "Green");

        Article[] both = [shared, own];
        Assert.Equal(2, await green.Set<Article>().CountAsync(a => both.Contains(a)));
        Article[] one = [shared];
        Assert.Equal(["shared"], await green.Set<Article>().Where(a => one.Contains(a)).Select(a => a.Title).ToListAsync());
        Assert.Equal(["Green"], await green.Set<Article>().Where(a => a == own).Select(a => a.Title).ToListAsync());

        // Beside a predicate, the other sets have shared rows too.
        Assert.Equal(
            2 * 5,
            await green.Set<Article>().Where(a => a.TenantIsOneOf("Red")).SelectMany(_ => green.Set<Article>()).CountAsync());

        green.ChangeTracker.Clear();
        green.Tenancy().Use(["Green", "Red"]);
        Assert.Equal(7, await green.Set<Article>().CountAsync());
    }

    [Fact]
    public async Task Beside_a_predicate_no_navigation_leads_from_shared_rows_to_rows_that_are_not()
    {
        await using var green = For("Green");
        var red = green.Set<Note>().Where(n => n.TenantIsOneOf("Red"));

        foreach (var query in (Func<Task>[])[
                     () => red.SelectMany(_ => green.Set<Article>()).SelectMany(a => a.Notes).ToListAsync(),
                     () => red.SelectMany(_ => green.Set<Article>()).Include("Notes").ToListAsync(),
                     () => red.Where(_ => green.Set<Article>().Any(a => a.Notes.Any(n => n.Text == "note of shared"))).ToListAsync()])
        {
            Assert.Contains("'Article.Notes'", (await Assert.ThrowsAsync<InvalidOperationException>(query)).Message, StringComparison.Ordinal);
        }

        Assert.Equal(["Red"], await green.Set<Article>().Where(a => a.TenantIsOneOf("Red")).SelectMany(a => a.Notes).Select(n => n.Text).ToListAsync());
        Assert.Equal(
            ["Green", "Green too", "seeded", "shared", "shared too"],
            await red.SelectMany(n => green.Set<Article>().Where(_ => n.Article!.Id == 1)).Select(a => a.Title).Order().ToListAsync());
    }

    private ArticleContext For(string tenant)
    {
        var context = new ArticleContext(
            new DbContextOptionsBuilder<ArticleContext>().UseTestDatabase(_database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private sealed class ArticleContext(DbContextOptions<ArticleContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Article>().IsMultiTenanted(t => t.WithSharedRows()).HasData(new Article { Id = 9, Title = "seeded" });
            modelBuilder.Entity<Article>().Property(a => a.Id).ValueGeneratedNever();
            modelBuilder.Entity<Article>().OwnsMany(a => a.Remarks).ToTable("Remark");
            modelBuilder.Entity<Article>().OwnsOne(a => a.Author).ToTable("Author");
            modelBuilder.Entity<Note>().Property(a => a.Id).ValueGeneratedNever();
        }
    }

    private sealed class Article
    {
        public int Id { get; set; }

        public required string Title { get; set; }

        public List<Note> Notes { get; } = [];

        public List<Remark> Remarks { get; } = [];

        public Author? Author { get; set; }
    }

    private sealed class Remark
    {
        public int Id { get; set; }

        public required string Text { get; set; }
    }

    private sealed class Author
    {
        public required string Name { get; set; }
    }

    private sealed class Note
    {
        public int Id { get; set; }

        public required string Text { get; set; }

        public Article? Article { get; set; }
    }
}
