using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Loading from entities that are not tracked, over many-to-many navigations and lazily, and what the other tenant has beside it.</summary>
public class DetachedManyToManyTest(DetachedManyToManyTest.Fixture fixture) : IClassFixture<DetachedManyToManyTest.Fixture>
{
    private readonly LibraryContext _blue = fixture.For("Blue");

    [Fact]
    public async Task A_many_to_many_navigation_of_an_untracked_entity_is_loaded()
    {
        var author = await _blue.Authors.AsNoTracking().SingleAsync();
        var loaded = await _blue.Authors.AsNoTracking().SingleAsync();

        Assert.Equal(2, await _blue.Entry(author).Collection(a => a.Books).Query().CountAsync());
        await _blue.Entry(author).Collection(a => a.Books).LoadAsync();
        _blue.Entry(loaded).Collection(a => a.Books).Load();

        Assert.Equal(["Blue 1", "Blue 2"], author.Books.Select(b => b.Title).Order());
        Assert.Equal(["Blue 1", "Blue 2"], loaded.Books.Select(b => b.Title).Order());
        Assert.All(author.Books, b => Assert.Contains(author, b.Authors));
        Assert.True(_blue.Entry(author).Collection(a => a.Books).IsLoaded);
        Assert.Empty(_blue.ChangeTracker.Entries());
    }

    [Fact]
    public async Task So_is_one_of_a_compiled_model()
    {
        var options = (DbContextOptions<LibraryContext>)_blue.GetService<IDbContextOptions>();
        await using var blue = new LibraryContext(
            new DbContextOptionsBuilder<LibraryContext>(options).UseModel(DesignTime.CompiledModelOf(_blue)).Options);
        blue.Tenancy().Use("Blue");
        var author = await blue.Authors.AsNoTracking().SingleAsync();

        await blue.Entry(author).Collection(a => a.Books).LoadAsync();

        Assert.Equal(["Blue 1", "Blue 2"], author.Books.Select(b => b.Title).Order());
    }

    [Fact]
    public async Task Identity_is_resolved_where_it_is_asked_for()
    {
        var author = await _blue.Authors.AsNoTracking().Include(a => a.Books.Where(b => b.Id == 1)).SingleAsync();
        var first = author.Books.Single();
        _blue.Entry(author).Collection(a => a.Books).IsLoaded = false;

        await _blue.Entry(author).Collection(a => a.Books).LoadAsync(LoadOptions.ForceIdentityResolution);

        Assert.Equal(2, author.Books.Count);
        Assert.Contains(first, author.Books);
        Assert.Empty(_blue.ChangeTracker.Entries());
    }

    [Fact]
    public async Task It_stays_refused_once_the_context_read_rows_of_other_tenants()
    {
        var red = await _blue.Authors.AsNoTracking().SingleAsync(a => a.TenantIsOneOf("Red"));

        Assert.Throws<InvalidOperationException>(() => _blue.Entry(red).Collection(a => a.Books).Query());
        Assert.Throws<InvalidOperationException>(() => _blue.Entry(red).Collection(a => a.Books).Load());
        await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.Entry(red).Collection(a => a.Books).LoadAsync());
        Assert.Throws<InvalidOperationException>(() => red.Awards);
        Assert.Empty(red.Books);
    }

    [Fact]
    public async Task Lazy_loading_of_an_untracked_entity_reads_its_own_tenants_rows()
    {
        var author = await _blue.Authors.AsNoTracking().SingleAsync();

        Assert.Equal("Blue", Assert.Single(author.Awards).Name);
    }

    [Fact]
    public async Task An_entity_of_another_tenants_context_shows_none_of_that_tenants_rows()
    {
        await using var redContext = fixture.For("Red");
        var red = await redContext.Authors.AsNoTracking().SingleAsync();

        Assert.DoesNotContain(await _blue.Entry(red).Collection(a => a.Books).Query().ToListAsync(), b => b.Title.StartsWith("Red"));
        await _blue.Entry(red).Collection("Awards").LoadAsync();
        Assert.DoesNotContain(red.Awards, a => a.Name == "Red");
    }

    [Fact]
    public async Task An_entity_with_a_tenant_property_is_refused_in_another_tenants_context()
    {
        await using var redContext = fixture.For("Red");
        var red = await redContext.Shelves.AsNoTracking().SingleAsync();
        Assert.Equal("Red", red.TenantId);

        await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.Entry(red).Collection(s => s.Labels).LoadAsync());
        Assert.Throws<InvalidOperationException>(() => _blue.Entry(red).Collection(s => s.Readers).Query());
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _blue.Entry(red).Collection(s => s.Readers).LoadAsync(LoadOptions.ForceIdentityResolution));
        Assert.Empty(red.Labels);
        Assert.Empty(red.Readers);

        var blue = await _blue.Shelves.AsNoTracking().SingleAsync();
        await _blue.Entry(blue).Collection(s => s.Readers).LoadAsync();
        Assert.Equal("Blue", Assert.Single(blue.Readers).Name);
    }

    public class LibraryContext(DbContextOptions<LibraryContext> options) : DbContext(options)
    {
        public DbSet<Author> Authors => Set<Author>();

        public DbSet<Shelf> Shelves => Set<Shelf>();
    }

    public class Author
    {
        private readonly ILazyLoader? _loader;
        private List<Award>? _awards;

        public Author()
        {
        }

        private Author(ILazyLoader loader)
            => _loader = loader;

        public int Id { get; set; }

        public List<Book> Books { get; } = [];

        public List<Award> Awards
        {
            get => _loader.Load(this, ref _awards) ?? (_awards ??= []);
            set => _awards = value;
        }
    }

    public class Book
    {
        public int Id { get; set; }

        public required string Title { get; set; }

        public List<Author> Authors { get; } = [];
    }

    public class Award
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Shelf
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public List<Label> Labels { get; } = [];

        public List<Reader> Readers { get; } = [];
    }

    public class Label
    {
        public int Id { get; set; }
    }

    public class Reader
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Shelf> Shelves { get; } = [];
    }

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<LibraryContext>(postgres)
    {
        public override LibraryContext CreateContext(string connectionString)
            => new(new DbContextOptionsBuilder<LibraryContext>()
                .UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
                .Options);

        public LibraryContext For(string tenant)
        {
            var context = CreateContext();
            context.Tenancy().Use(tenant);
            return context;
        }

        protected override async Task SeedTemplateAsync(LibraryContext context)
        {
            await context.Database.EnsureCreatedAsync();
            foreach (var tenant in (string[])["Red", "Blue"])
            {
                context.Tenancy().Use(tenant);
                context.AddRange(
                    new Author
                    {
                        Id = 1,
                        Books = { new Book { Id = 1, Title = tenant + " 1" }, new Book { Id = 2, Title = tenant + " 2" } },
                        Awards = [new Award { Id = 1, Name = tenant }],
                    },
                    new Shelf { Id = 1, Labels = { new Label { Id = 1 } }, Readers = { new Reader { Id = 1, Name = tenant } } });
                await context.SaveChangesAsync();
                context.ChangeTracker.Clear();
            }
        }
    }
}
