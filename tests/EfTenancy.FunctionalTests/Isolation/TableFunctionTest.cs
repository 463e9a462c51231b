using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>A table-valued function of the model is a set like any other. Green and Red have an album 1 each, with one song of their name.</summary>
public sealed class TableFunctionTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private MusicContext _green = null!;

    public override async ValueTask InitializeAsync()
    {
        var database = await DatabaseAsync();
        _green = Own(Context(database, "Green"));
        await _green.Database.EnsureCreatedAsync();
        await database.ExecuteAsync(
            """
            CREATE FUNCTION songs_of(album int) RETURNS SETOF "Songs" LANGUAGE sql STABLE AS 'SELECT * FROM "Songs" WHERE "AlbumId" = album'
            """);

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = Context(database, tenant);
            context.Add(new Album { Id = 1, Songs = { new Song { Id = 1, Title = tenant } } });
            // Its id is no album's of the other tenant.
            context.Add(new Album { Id = tenant == "Green" ? 2 : 3 });
            await context.SaveChangesAsync();
        }
    }

    [Fact]
    public async Task Its_rows_are_the_tenants()
    {
        await SeesAsync(_green.SongsOf(1), "Green");
        await SeesAsync(_green.Albums.SelectMany(a => _green.SongsOf(a.Id)), "Green");
    }

    [Fact]
    public async Task Beside_a_predicate_on_another_set_it_keeps_its_tenant()
    {
        await SeesAsync(_green.Albums.Where(a => a.AnyTenant()).SelectMany(a => _green.SongsOf(a.Id)), "Green", "Green");
        await SeesAsync(_green.Albums.Where(a => a.TenantIsOneOf("Red")).SelectMany(a => _green.SongsOf(a.Id)), "Green");
        await SeesAsync(_green.Tenancy().ForTenant("Red").Set<Album>().SelectMany(a => _green.SongsOf(a.Id)), "Green");
        Assert.Equal([1, 0], await _green.Albums.Where(a => a.TenantIsOneOf("Red")).OrderBy(a => a.Id).Select(a => _green.SongsOf(a.Id).Count()).ToListAsync());
    }

    [Fact]
    public async Task It_takes_a_predicate_of_its_own()
    {
        await SeesAsync(_green.SongsOf(1).Where(s => s.AnyTenant()), "Green", "Red");
        await SeesAsync(_green.SongsOf(1).Where(s => s.TenantIsOneOf("Red")), "Red");
        await SeesAsync(_green.Albums.SelectMany(a => _green.SongsOf(a.Id).Where(s => s.TenantIsOneOf("Red"))), "Red");
    }

    [Fact]
    public async Task Sets_in_its_arguments_keep_their_tenant_too()
    {
        Assert.Equal(2, await Albums(_green.Songs.Where(s => s.AnyTenant())).CountAsync());

        // Red's album 3 is the last of all.
        IQueryable<int> Albums(IQueryable<Song> songs)
            => songs.Select(s => _green.SongsOf(_green.Albums.Max(a => a.Id) - 1).Count()).Where(n => n == 1);
    }

    [Fact]
    public async Task Across_tenants_it_shows_all_rows()
    {
        using (_green.Tenancy().AcrossTenants("a test"))
        {
            await SeesAsync(_green.SongsOf(1), "Green", "Red");
        }

        await SeesAsync(_green.SongsOf(1), "Green");
        await SeesAsync(_green.SongsOf(1).IgnoreQueryFilters(), "Green", "Red");
    }

    [Fact]
    public void A_users_filter_that_reads_it_is_refused_beside_a_predicate()
    {
        using var context = new FilteredMusicContext(
            new DbContextOptionsBuilder<FilteredMusicContext>().UseTestDatabase("Host=unused").UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        context.Tenancy().Use("Green");

        Assert.DoesNotContain("@ef_tenancy", context.Albums.ToQueryString(), StringComparison.Ordinal);
        Assert.Contains(
            "itself reads multi-tenanted sets",
            Assert.Throws<InvalidOperationException>(() => context.Albums.Where(a => a.AnyTenant()).ToQueryString()).Message,
            StringComparison.Ordinal);
    }

    private static async Task SeesAsync(IQueryable<Song> songs, params string[] titles)
        => Assert.Equal(titles, await songs.Select(s => s.Title).OrderBy(t => t).ToListAsync());

    private static MusicContext Context(TestDatabase database, string tenant)
    {
        var context = new MusicContext(
            new DbContextOptionsBuilder<MusicContext>().UseTestDatabase(database.ConnectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        context.Tenancy().Use(tenant);
        return context;
    }

    public class MusicContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Album> Albums => Set<Album>();

        public DbSet<Song> Songs => Set<Song>();

        public IQueryable<Song> SongsOf(int album)
            => FromExpression(() => SongsOf(album));

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.HasDbFunction(() => SongsOf(0)).HasName("songs_of");
    }

    public class FilteredMusicContext(DbContextOptions<FilteredMusicContext> options) : MusicContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            base.OnModelCreating(modelBuilder);
            modelBuilder.Entity<Album>().HasQueryFilter("NotEmpty", a => SongsOf(a.Id).Any());
        }
    }

    public class Album
    {
        public int Id { get; set; }

        public List<Song> Songs { get; } = [];
    }

    public class Song
    {
        public int Id { get; set; }

        public required string Title { get; set; }

        public int AlbumId { get; set; }
    }
}
