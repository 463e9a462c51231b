using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>Navigations of a row that is another tenant's show that tenant's rows where it was opened, and are refused elsewhere.</summary>
public class OtherTenantLoadTest(OtherTenantLoadTest.Fixture fixture) : IClassFixture<OtherTenantLoadTest.Fixture>
{
    private readonly MuseumContext _blue = fixture.For("Blue");

    [Fact]
    public async Task Navigations_of_an_opened_tenants_row_load_that_tenants_rows()
    {
        var red = await _blue.Tenancy().ForTenant("Red").Set<Painter>().SingleAsync();
        var entry = _blue.Entry(red);

        await entry.Collection(p => p.Paintings).LoadAsync();
        entry.Collection(p => p.Notes).Load();
        await entry.Collection(p => p.Schools).LoadAsync();
        entry.Reference(p => p.Studio).Load();
        await entry.Reference(p => p.Country).LoadAsync();

        Assert.Equal(["Red 1", "Red 2"], red.Paintings.Select(p => p.Title).Order());
        Assert.Equal("Red", Assert.Single(red.Notes).Text);
        Assert.Equal("Red", Assert.Single(red.Schools).Name);
        Assert.Equal("Red", red.Studio!.Name);
        Assert.Equal("of all", red.Country!.Name);
        Assert.Equal("Red", Assert.Single(red.Awards).Name);
        Assert.True(entry.Collection(p => p.Paintings).IsLoaded);
        Assert.All(red.Paintings, p => Assert.Same(red, p.Painter));
        Assert.All(_blue.ChangeTracker.Entries().Where(e => e.Metadata.ClrType != typeof(Country)), e => Assert.Equal("Red", _blue.Tenancy().TenantOf(e.Entity)));
    }

    [Fact]
    public async Task References_and_collections_load_in_one_go_or_asynchronously_alike()
    {
        var red = await _blue.Tenancy().ForTenant("Red").FindAsync<Painter>([1]);

        _blue.Entry(red!).Collection(p => p.Paintings).Load();
        _blue.Entry(red!).Collection(p => p.Schools).Load();
        await _blue.Entry(red!).Reference(p => p.Studio).LoadAsync();
        await _blue.Entry(red!).Collection(p => p.Notes).LoadAsync();

        Assert.Equal(2, red!.Paintings.Count);
        Assert.Equal("Red", Assert.Single(red.Schools).Name);
        Assert.Equal("Red", red.Studio!.Name);
        Assert.Equal("Red", Assert.Single(red.Notes).Text);
    }

    [Fact]
    public async Task The_query_of_a_navigation_is_that_tenants_and_other_sets_in_it_the_contexts()
    {
        var red = await _blue.Tenancy().ForTenant("Red").Set<Painter>().SingleAsync();

        Assert.Equal(
            [("Red 1", "Blue"), ("Red 2", "Blue")],
            (await _blue.Entry(red).Collection(p => p.Paintings).Query()
                .OrderBy(p => p.Title)
                .Select(p => new { p.Title, Studio = _blue.Studios.Single().Name })
                .ToListAsync()).Select(p => (p.Title, p.Studio)));
        Assert.Equal(["Red"], await _blue.Entry(red).Collection(p => p.Schools).Query().Select(s => s.Name).ToListAsync());
        Assert.Equal(["Red"], await _blue.Entry(red).Reference(p => p.Studio).Query().Select(s => s!.Name).ToListAsync());
    }

    [Fact]
    public async Task Filters_of_the_application_stay()
    {
        var red = await _blue.Tenancy().ForTenant("Red").Set<Studio>().SingleAsync();
        Assert.Equal(2, await _blue.Entry(red).Collection(s => s.Painters).Query().IgnoreQueryFilters(["Known"]).CountAsync());

        await _blue.Entry(red).Collection(s => s.Painters).LoadAsync();

        Assert.Equal("Red", Assert.Single(red.Painters).Name);
    }

    [Fact]
    public async Task What_was_opened_before_does_not_widen_what_the_contexts_own_rows_load()
    {
        await _blue.Tenancy().ForTenant("Red").Set<Painter>().LoadAsync();
        var blue = await _blue.Painters.SingleAsync();

        await _blue.Entry(blue).Collection(p => p.Paintings).LoadAsync();
        await _blue.Entry(blue).Collection(p => p.Schools).LoadAsync();

        Assert.All(blue.Paintings, p => Assert.StartsWith("Blue", p.Title, StringComparison.Ordinal));
        Assert.Equal("Blue", Assert.Single(blue.Schools).Name);
        Assert.Equal("Blue", Assert.Single(blue.Awards).Name);
    }

    [Fact]
    public async Task Navigations_of_a_row_whose_tenant_was_not_opened_are_refused()
    {
        var red = await _blue.Painters.SingleAsync(p => p.TenantIsOneOf("Red"));
        var entry = _blue.Entry(red);

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => entry.Collection(p => p.Paintings).LoadAsync());
        Assert.Equal(
            "A row of entity 'Painter' (table 'Painters') belongs to tenant 'Red', so its 'Paintings' cannot be loaded by a context of 'Blue', "
            + "which reads no rows of 'Red'. Open that tenant in this unit of work with db.Tenancy().ForTenant(\"Red\"), load it inside "
            + "db.Tenancy().AcrossTenants(reason), or Include it in the query.",
            exception.Message);

        Assert.Throws<InvalidOperationException>(() => entry.Collection(p => p.Paintings).Load());
        Assert.Throws<InvalidOperationException>(() => entry.Collection(p => p.Paintings).Query());
        Assert.Throws<InvalidOperationException>(() => entry.Collection(p => p.Schools).Load());
        Assert.Throws<InvalidOperationException>(() => entry.Collection(p => p.Schools).Query());
        await Assert.ThrowsAsync<InvalidOperationException>(() => entry.Collection(p => p.Schools).LoadAsync());
        Assert.Throws<InvalidOperationException>(() => entry.Collection(p => p.Notes).Query());
        Assert.Throws<InvalidOperationException>(() => entry.Reference(p => p.Studio).Load());
        Assert.Throws<InvalidOperationException>(() => red.Awards);
        Assert.False(entry.Collection(p => p.Paintings).IsLoaded);
        Assert.False(entry.Collection(p => p.Schools).IsLoaded);

        await entry.Reference(p => p.Country).LoadAsync();
        Assert.Equal("of all", red.Country!.Name);

        using (_blue.Tenancy().AcrossTenants("restoration"))
        {
            await entry.Collection(p => p.Paintings).LoadAsync();
        }

        Assert.Equal(["Red 1", "Red 2"], red.Paintings.Select(p => p.Title).Order());
    }

    [Fact]
    public async Task A_reference_to_nobody_is_nobody_whatever_was_opened()
    {
        var red = await _blue.Paintings.SingleAsync(p => p.TenantIsOneOf("Red") && p.Title == "Red 1");

        await _blue.Entry(red).Reference(p => p.Lender).LoadAsync();

        Assert.Null(red.Lender);
        Assert.True(_blue.Entry(red).Reference(p => p.Lender).IsLoaded);
    }

    [Fact]
    public async Task An_object_that_names_its_tenant_is_as_a_row_of_it()
    {
        await using var redContext = fixture.For("Red");
        var red = await redContext.Halls.AsNoTracking().SingleAsync();

        Assert.Throws<InvalidOperationException>(() => _blue.Entry(red).Collection(h => h.Doors).Load());
        await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.Entry(red).Collection(h => h.Guards).LoadAsync());

        _blue.Tenancy().ForTenant("Red");
        await _blue.Entry(red).Collection(h => h.Doors).LoadAsync();
        await _blue.Entry(red).Collection(h => h.Guards).LoadAsync(LoadOptions.ForceIdentityResolution);

        Assert.Equal("Red", Assert.Single(red.Doors).Name);
        Assert.Equal("Red", Assert.Single(red.Guards).Name);
        Assert.Empty(_blue.ChangeTracker.Entries());
    }

    [Fact]
    public async Task A_context_of_several_tenants_loads_what_it_reads_and_what_it_opened()
    {
        _blue.Tenancy().Use(["Blue", "Green"]);
        var red = await _blue.Tenancy().ForTenant("Red").Set<Painter>().SingleAsync();
        var green = await _blue.Painters.SingleAsync(p => p.Name == "Green");

        await _blue.Entry(red).Collection(p => p.Paintings).LoadAsync();
        await _blue.Entry(green).Collection(p => p.Paintings).LoadAsync();

        Assert.Equal(["Red 1", "Red 2"], red.Paintings.Select(p => p.Title).Order());
        Assert.Equal(["Green 1", "Green 2"], green.Paintings.Select(p => p.Title).Order());
    }

    [Fact]
    public async Task Many_to_many_with_global_rows_is_refused_rather_than_loaded_in_part()
    {
        var red = await _blue.Tenancy().ForTenant("Red").Set<Painter>().SingleAsync();

        await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.Entry(red).Collection(p => p.Styles).LoadAsync());
        Assert.False(_blue.Entry(red).Collection(p => p.Styles).IsLoaded);
    }

    public class MuseumContext(DbContextOptions<MuseumContext> options) : DbContext(options)
    {
        public DbSet<Painter> Painters => Set<Painter>();

        public DbSet<Painting> Paintings => Set<Painting>();

        public DbSet<Studio> Studios => Set<Studio>();

        public DbSet<Hall> Halls => Set<Hall>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Country>().IsSingleTenanted();
            modelBuilder.Entity<Style>().IsSingleTenanted();
            modelBuilder.Entity<Painter>().OwnsMany(p => p.Notes);
            modelBuilder.Entity<Painter>().HasQueryFilter("Known", p => p.Name != "unknown");
        }
    }

    public class Painter
    {
        private readonly ILazyLoader? _loader;
        private List<Award>? _awards;

        public Painter()
        {
        }

        private Painter(ILazyLoader loader)
            => _loader = loader;

        public int Id { get; set; }

        public string Name { get; set; } = "";

        public List<Painting> Paintings { get; } = [];

        public List<Note> Notes { get; } = [];

        public List<School> Schools { get; } = [];

        public List<Style> Styles { get; } = [];

        public Studio? Studio { get; set; }

        public Country? Country { get; set; }

        public List<Award> Awards
        {
            get => _loader.Load(this, ref _awards) ?? (_awards ??= []);
            set => _awards = value;
        }
    }

    public class Painting
    {
        public int Id { get; set; }

        public required string Title { get; set; }

        public Painter? Painter { get; set; }

        public Studio? Lender { get; set; }
    }

    public class Note
    {
        public int Id { get; set; }

        public required string Text { get; set; }
    }

    public class School
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Painter> Painters { get; } = [];
    }

    public class Style
    {
        public int Id { get; set; }

        public List<Painter> Painters { get; } = [];
    }

    public class Studio
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Painter> Painters { get; } = [];
    }

    public class Country
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Award
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Hall
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public List<Door> Doors { get; } = [];

        public List<Guard> Guards { get; } = [];
    }

    public class Door
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Guard
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Hall> Halls { get; } = [];
    }

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<MuseumContext>(postgres)
    {
        public override MuseumContext CreateContext(string connectionString)
            => new(new DbContextOptionsBuilder<MuseumContext>()
                .UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
                .Options);

        public MuseumContext For(string tenant)
        {
            var context = CreateContext();
            context.Tenancy().Use(tenant);
            return context;
        }

        protected override async Task SeedTemplateAsync(MuseumContext context)
        {
            await context.Database.EnsureCreatedAsync();
            context.Add(new Country { Id = 1, Name = "of all" });
            context.Add(new Style { Id = 1 });
            await context.SaveChangesAsync();
            foreach (var tenant in (string[])["Red", "Blue", "Green"])
            {
                context.ChangeTracker.Clear();
                context.Tenancy().Use(tenant);
                var studio = new Studio { Id = 1, Name = tenant, Painters = { new Painter { Id = 2, Name = "unknown" } } };
                context.AddRange(
                    new Painter
                    {
                        Id = 1,
                        Name = tenant,
                        Paintings = { new Painting { Id = 1, Title = tenant + " 1" }, new Painting { Id = 2, Title = tenant + " 2" } },
                        Notes = { new Note { Id = 1, Text = tenant } },
                        Schools = { new School { Id = 1, Name = tenant } },
                        Styles = { await context.Set<Style>().SingleAsync() },
                        Studio = studio,
                        Country = await context.Set<Country>().SingleAsync(),
                        Awards = [new Award { Id = 1, Name = tenant }],
                    },
                    new Hall { Id = 1, Doors = { new Door { Id = 1, Name = tenant } }, Guards = { new Guard { Id = 1, Name = tenant } } });
                await context.SaveChangesAsync();
            }
        }
    }
}
