using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>Models that existing applications have, and what one tenant of theirs can do to another.</summary>
public class ModelLeakTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Deleting_a_global_row_leaves_other_tenants_rows_that_need_it()
    {
        await SeedAsync<CountryContext>(c => c.Add(new City { Name = "city", Country = new Country { Id = c.Tenancy().TenantId == "Red" ? 1 : 2 } }));
        await using var green = Context<CountryContext>("Green");
        green.Remove(new Country { Id = 1 });
        await Assert.ThrowsAsync<DbUpdateException>(() => green.SaveChangesAsync());
        Assert.Equal(["Green", "Red"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Cities" ORDER BY 1"""));
    }

    [Fact]
    public async Task A_join_row_cannot_be_given_to_another_tenant_by_a_bulk_statement()
    {
        await SeedAsync<TagContext>(c => c.Add(new Post { Id = 1, Tags = { new Tag { Id = 1 } } }), "Green");
        await SeedAsync<TagContext>(c => c.AddRange(new Post { Id = 1 }, new Tag { Id = 1 }), "Red");
        await using var green = Context<TagContext>("Green");
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Set<Dictionary<string, object>>("PostTag").ExecuteUpdateAsync(s => s.SetProperty(j => (string)j["TenantId"], "Red")));
        Assert.Equal(["Green"], await _database.ColumnAsync("""SELECT "TenantId" FROM "PostTag" """));
    }

    [Fact]
    public async Task A_join_row_of_another_tenant_is_refused()
    {
        await SeedAsync<TagContext>(c => c.AddRange(new Post { Id = 1 }, new Tag { Id = 1 }));
        await using var green = Context<TagContext>("Green");
        green.Set<Dictionary<string, object>>("PostTag").Add(new() { ["PostsId"] = 1, ["TagsId"] = 1, ["TenantId"] = "Red" });
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());

        green.ChangeTracker.Clear();
        green.Set<Dictionary<string, object>>("PostTag").Add(new() { ["PostsId"] = 1, ["TagsId"] = 1 });
        await green.SaveChangesAsync();
        Assert.Equal(["Green"], await _database.ColumnAsync("""SELECT "TenantId" FROM "PostTag" """));
        Assert.Equal(1, await green.Set<Dictionary<string, object>>("PostTag").CountAsync());
        await using var red = Context<TagContext>("Red");
        Assert.Equal(0, await red.Set<Dictionary<string, object>>("PostTag").CountAsync());
        Assert.Equal(0, await red.Set<Post>().SelectMany(p => p.Tags).CountAsync());
    }

    [Fact]
    public async Task A_new_row_does_not_reference_rows_of_two_tenants()
    {
        await SeedAsync<TagContext>(c => c.AddRange(new Post { Id = 1 }, new Tag { Id = 1 }));
        await using var green = Context<TagContext>("Green");
        var red = await green.Set<Tag>().SingleAsync(p => p.TenantIsOneOf("Red"));
        var own = await green.Set<Post>().SingleAsync();
        Assert.Throws<InvalidOperationException>(() => green.Add(new Pin { Tag = red, Post = own }));
        await SaveAndForgiveAsync(green);
        Assert.Empty(await _database.ColumnAsync("""SELECT "TenantId" FROM "Pins" """));
    }

    [Fact]
    public async Task An_own_key_with_the_tenant_keeps_references_inside_it()
    {
        await SeedAsync<OwnKeyContext>(c => c.Add(new Owner { TenantId = c.Tenancy().TenantId, Id = 1, Name = c.Tenancy().TenantId }));
        await using var green = Context<OwnKeyContext>("Green");
        var pet = green.Add(new Pet { Id = 1 });
        foreach (var property in pet.Metadata.GetForeignKeys().Single().Properties.Where(p => p.Name != "TenantId"))
        {
            pet.Property(property.Name).CurrentValue = property.ClrType == typeof(string) ? "Red" : 1;
        }

        await green.SaveChangesAsync();
        green.ChangeTracker.Clear();
        Assert.Equal(["Green"], await green.Set<Pet>().Where(p => p.AnyTenant()).Select(p => p.Owner!.Name).ToListAsync());
    }

    [Fact]
    public void A_global_entity_that_references_an_own_key_with_the_tenant_is_refused()
    {
        Assert.Throws<InvalidOperationException>(() => Context<GlobalPetContext>("Green").Model);
    }

    [Fact]
    public async Task Tenants_that_differ_in_case_are_two_whatever_the_strings_of_the_model_are()
    {
        await using (var context = Context<CitextContext>("x"))
        {
            await context.Database.ExecuteSqlRawAsync("CREATE EXTENSION IF NOT EXISTS citext");
        }

        await SeedAsync<CitextContext>(c => c.Add(new Note { Text = "secret" }), "Green");
        await using var other = Context<CitextContext>("GREEN");
        Assert.Empty(await other.Set<Note>().ToListAsync());
    }

    [Fact]
    public async Task Tenants_that_differ_in_case_are_two_whatever_the_comparers_of_the_model_are()
    {
        await SeedAsync<LooseContext>(c => c.Add(new Parcel { Id = 1 }), "Green", "GREEN");
        await using var green = Context<LooseContext>("Green");
        var own = green.Find<Parcel>(1)!;
        var other = green.Tenancy().ForTenant("GREEN").Find<Parcel>(1)!;
        Assert.Equal(["Green", "GREEN"], [own.TenantId, other.TenantId]);

        other.Text = "changed";
        await green.SaveChangesAsync();
        Assert.Equal(["GREEN changed", "Green "], await _database.ColumnAsync("""SELECT "TenantId" || ' ' || "Text" FROM "Parcel" ORDER BY "TenantId" COLLATE "C" """));
    }

    [Fact]
    public async Task A_row_is_not_found_as_one_of_a_sibling_type()
    {
        await SeedAsync<LazyContext>(c => c.Add(new Animal { Id = 1, Name = c.Tenancy().TenantId }));
        await using var green = Context<LazyContext>("Green");
        var red = green.Tenancy().ForTenant("Red");
        Assert.Equal("Red", red.Find<Animal>(1)!.Name);
        Assert.Null(red.Find<Cat>(1));
        Assert.Null(green.Find<Cat>(1));
    }

    [Fact]
    public async Task Tenants_that_differ_in_spaces_are_two_whatever_the_converters_of_the_model_are()
    {
        await SeedAsync<TrimContext>(c => c.Add(new Note { Text = "secret" }), "Green");
        await using var other = Context<TrimContext>(" Green");
        Assert.Empty(await other.Set<Note>().ToListAsync());
    }

    [Fact]
    public async Task A_tenant_that_was_left_to_the_database_so_far_is_the_contexts()
    {
        await SeedAsync<ChestContext>(c => c.AddRange(new Chest { Name = "new" }, new Coffer { Name = "new" }));
        await using var green = Context<ChestContext>("Green");
        (await green.Set<Chest>().SingleAsync()).Name = "changed";
        (await green.Set<Coffer>().SingleAsync()).Name = "changed";
        await green.SaveChangesAsync();
        Assert.Equal(
            ["Green changed", "Green changed", "Red new", "Red new"],
            await _database.ColumnAsync(
                """
                SELECT "TenantId" || ' ' || "Name" FROM "Chest" UNION ALL SELECT "TenantId" || ' ' || "Name" FROM "Coffer" ORDER BY 1
                """));
    }

    [Fact]
    public async Task A_filter_that_reads_a_tenant_of_the_applications_own_goes_on()
    {
        await SeedAsync<OwnFilterContext>(c => c.AddRange(new Note { Text = "live" }, new Note { Text = "other" }));
        await using var green = Context<OwnFilterContext>("Green");
        Assert.Equal("live", (await green.Set<Note>().SingleAsync()).Text);
        Assert.Equal(1, await green.Set<Note>().CountAsync(n => n.TenantIsOneOf("Red")));
    }

    [Fact]
    public async Task Raw_queries_of_unmapped_types_go_on()
    {
        await SeedAsync<CountryContext>(c => c.Add(new City { Name = "city", Country = new Country { Id = c.Tenancy().TenantId == "Red" ? 1 : 2 } }));
        await using var green = Context<CountryContext>("Green");
        var names = await green.Database.SqlQuery<CityName>($"""SELECT "Name" FROM "Cities" """).ToListAsync();
        Assert.Equal(2, names.Count);
    }

    [Fact]
    public async Task Find_for_another_tenant_works_whatever_the_order_of_the_key()
    {
        await SeedAsync<OwnKeyContext>(c => c.Add(new Backward { Id = 1, TenantId = c.Tenancy().TenantId }));
        await using var green = Context<OwnKeyContext>("Green");
        Assert.Equal("Red", green.Tenancy().ForTenant("Red").Find<Backward>(1)!.TenantId);
    }

    [Fact]
    public async Task A_scoped_accessor_does_not_give_a_pooled_context_the_tenant_of_an_earlier_request()
    {
        await SeedAsync<NoteContext>(c => c.Add(new Note { Text = c.Tenancy().TenantId }));
        var request = new Request { Tenant = "Green" };
        await using var services = new ServiceCollection().AddSingleton(request)
            .AddScoped<ITenantAccessor, RequestTenant>()
            .AddDbContextPool<NoteContext>(o => o.UseTestDatabase(_database.ConnectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted()))
            .BuildServiceProvider();

        await using var scope = services.CreateAsyncScope();
        var context = scope.ServiceProvider.GetRequiredService<NoteContext>();
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => context.Set<Note>().ToListAsync());
        Assert.Contains("AddSingleton<ITenantAccessor", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_scoped_accessor_serves_a_scoped_context_and_a_transient_one_a_pooled_context()
    {
        await SeedAsync<NoteContext>(c => c.Add(new Note { Text = c.Tenancy().TenantId }));
        var request = new Request();
        void Options(DbContextOptionsBuilder o)
            => o.UseTestDatabase(_database.ConnectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted());

        foreach (var services in (ServiceProvider[])[
                     new ServiceCollection().AddSingleton(request).AddScoped<ITenantAccessor, RequestTenant>()
                         .AddDbContext<NoteContext>(Options).BuildServiceProvider(),
                     new ServiceCollection().AddSingleton(request).AddTransient<ITenantAccessor, RequestTenant>()
                         .AddDbContextPool<NoteContext>(Options).BuildServiceProvider()])
        {
            foreach (var tenant in (string[])["Green", "Red"])
            {
                request.Tenant = tenant;
                await using var scope = services.CreateAsyncScope();
                Assert.Equal(tenant, (await scope.ServiceProvider.GetRequiredService<NoteContext>().Set<Note>().SingleAsync()).Text);
            }

            await services.DisposeAsync();
        }
    }

    [Fact]
    public void A_filter_of_the_applications_with_our_name_is_not_lost_silently()
        => Assert.Contains(
            "'Note'",
            Assert.Throws<InvalidOperationException>(() => Context<SameNameContext>("Green").Model).Message,
            StringComparison.Ordinal);

    [Fact]
    public async Task Two_contexts_that_configure_themselves_share_an_internal_service_provider()
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy().BuildServiceProvider();
        await using var all = new SelfConfigured(_database.ConnectionString, services);
        await using var some = new OtherSelfConfigured(_database.ConnectionString, services);
        Assert.NotNull(all.Model);
        Assert.NotNull(some.Model);
    }

    [Fact]
    public async Task A_context_given_untyped_options_first_does_not_lend_its_model_to_one_with_other_policies()
    {
        await SeedAsync<NoteContext>(c => c.Add(new Note { Text = c.Tenancy().TenantId }));
        var services = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy().BuildServiceProvider();
        await using (var bare = new UntypedContext(
                         new DbContextOptionsBuilder().UseTestDatabase(_database.ConnectionString).UseInternalServiceProvider(services)
                             .UseTenancy().Options))
        {
            Assert.NotNull(bare.Model);
        }

        await using var green = new UntypedContext(
            new DbContextOptionsBuilder<UntypedContext>().UseTestDatabase(_database.ConnectionString).UseInternalServiceProvider(services)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        await Assert.ThrowsAsync<InvalidOperationException>(() => green.Notes.Select(n => n.Text).ToListAsync());
    }

    [Fact]
    public async Task Deleting_an_owner_with_an_own_key_leaves_other_tenants_rows()
    {
        await SeedAsync<OwnKeyContext>(c => c.Add(new Owner { TenantId = c.Tenancy().TenantId, Id = 1, Name = c.Tenancy().TenantId }));
        await using var green = Context<OwnKeyContext>("Green");
        var chip = green.Add(new Chip { Id = 1 });
        foreach (var property in chip.Metadata.GetForeignKeys().Single().Properties.Where(p => p.Name != "TenantId"))
        {
            chip.Property(property.Name).CurrentValue = property.ClrType == typeof(string) ? "Red" : 1;
        }

        await SaveAndForgiveAsync(green);
        await using var red = Context<OwnKeyContext>("Red");
        red.Remove(await red.Set<Owner>().SingleAsync());
        await red.SaveChangesAsync();
        Assert.Equal(
            chip.State == EntityState.Unchanged ? ["Green"] : [], await _database.ColumnAsync("""SELECT "TenantId" FROM "Chip" """));
    }

    [Fact]
    public async Task Find_for_another_tenant_works_among_tracked_rows_whatever_the_order_of_the_key()
    {
        await SeedAsync<OwnKeyContext>(c => c.Add(new Backward { Id = 1, TenantId = c.Tenancy().TenantId }));
        await using var green = Context<OwnKeyContext>("Green");
        var red = await green.Set<Backward>().SingleAsync(b => b.TenantIsOneOf("Red"));
        Assert.Same(red, green.Tenancy().ForTenant("Red").Find<Backward>(1));
    }

    [Fact]
    public async Task Lazy_loading_from_a_row_of_another_tenant_stays_in_a_tenant()
    {
        await SeedAsync<LazyContext>(c => c.Add(new Shelf { Id = 1, Books = { new Book { Id = 1, Title = c.Tenancy().TenantId } } }));
        await using var green = Context<LazyContext>("Green");
        Assert.Equal("Green", Assert.Single((await green.Set<Shelf>().SingleAsync()).Books).Title);

        var red = await green.Set<Shelf>().SingleAsync(s => s.TenantIsOneOf("Red"));
        Assert.Throws<InvalidOperationException>(() => red.Books);
        green.Tenancy().ForTenant("Red");
        Assert.Equal("Red", Assert.Single(red.Books).Title);
    }

    [Fact]
    public async Task A_raw_query_of_a_mapped_type_is_refused()
    {
        await SeedAsync<NoteContext>(c => c.Add(new Note { Text = c.Tenancy().TenantId }));
        await using var green = Context<NoteContext>("Green");
        await Assert.ThrowsAsync<InvalidOperationException>(() => green.Database.SqlQuery<Note>($"""SELECT * FROM "Notes" """).ToListAsync());
        Assert.Equal(["Green"], (await green.Set<Note>().FromSql($"""SELECT * FROM "Notes" """).ToListAsync()).Select(n => n.Text));
    }

    [Fact]
    public async Task A_rows_references_into_two_tenants_are_told_whichever_comes_last()
    {
        await SeedAsync<TagContext>(c => c.AddRange(new Post { Id = 1 }, new Tag { Id = 1 }));
        await using var green = Context<TagContext>("Green");
        var red = await green.Set<Post>().SingleAsync(p => p.TenantIsOneOf("Red"));
        var own = await green.Set<Tag>().SingleAsync();
        Assert.Throws<InvalidOperationException>(() => green.Add(new Pin { Post = red, Tag = own }));
        await SaveAndForgiveAsync(green);
        Assert.Empty(await _database.ColumnAsync("""SELECT "TenantId" FROM "Pins" """));
    }

    [Fact]
    public void Links_between_global_rows_are_global()
    {
        using var context = Context<LinkContext>("Green");
        Assert.Empty(context.Model.FindEntityType("ActorFilm")!.GetDeclaredQueryFilters());
    }

    [Fact]
    public async Task A_view_of_no_key_keeps_its_tenant_and_takes_the_predicate()
    {
        await SeedAsync<NoteContext>(c => c.Add(new Note { Text = c.Tenancy().TenantId }));
        await using var green = Context<ViewContext>("Green");
        Assert.Equal(["Green"], await green.Set<NoteView>().Select(n => n.Text).ToListAsync());
        Assert.Equal(["Red"], await green.Set<NoteView>().Where(n => n.TenantIsOneOf("Red")).Select(n => n.Text).ToListAsync());
    }

    [Fact]
    public async Task Hierarchies_and_owned_rows_stay_beside_a_predicate()
    {
        await SeedAsync<LazyContext>(
            c => c.AddRange(
                new Cat { Name = c.Tenancy().TenantId, Collars = { new Collar { Color = c.Tenancy().TenantId } } },
                new Animal { Name = c.Tenancy().TenantId }));
        await using var green = Context<LazyContext>("Green");
        Assert.Equal(["Red"], await green.Set<Cat>().Where(c => c.TenantIsOneOf("Red")).Select(c => c.Name).ToListAsync());
        Assert.Equal(["Red"], await green.Set<Animal>().OfType<Cat>().Where(c => c.TenantIsOneOf("Red")).Select(c => c.Name).ToListAsync());
        Assert.Equal(["Red"], await green.Set<Animal>().Where(a => a.TenantIsOneOf("Red") && a is Cat).Select(c => c.Name).ToListAsync());
        Assert.Equal(
            ["Green"],
            await green.Set<Cat>().Where(c => green.Set<Animal>().Any(a => a.TenantIsOneOf("Red"))).SelectMany(c => c.Collars)
                .Select(c => c.Color).ToListAsync());
        Assert.Equal(
            ["Green"],
            await green.Set<Cat>().Where(c => green.Set<Animal>().Any(a => a.TenantIsOneOf("Red"))).AsSplitQuery()
                .Select(c => c.Name).ToListAsync());
    }

    private static async Task SaveAndForgiveAsync(DbContext context)
    {
        try
        {
            await context.SaveChangesAsync();
        }
        catch (Exception exception) when (exception is DbUpdateException or InvalidOperationException)
        {
        }
    }

    private TContext Context<TContext>(string tenant)
        where TContext : DbContext
    {
        var context = (TContext)Activator.CreateInstance(
            typeof(TContext),
            new DbContextOptionsBuilder<TContext>().UseTestDatabase(_database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options)!;
        context.Tenancy().Use(tenant);
        return context;
    }

    private async Task SeedAsync<TContext>(Action<TContext> seed, params string[] tenants)
        where TContext : DbContext
    {
        foreach (var tenant in tenants is [] ? ["Green", "Red"] : tenants)
        {
            await using var context = Context<TContext>(tenant);
            await context.Database.EnsureCreatedAsync();
            seed(context);
            await context.SaveChangesAsync();
        }
    }

    public class CountryContext(DbContextOptions<CountryContext> options) : DbContext(options)
    {
        public DbSet<City> Cities => Set<City>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Country>().IsSingleTenanted().Property("Id").ValueGeneratedNever();
    }

    public class Country
    {
        public int Id { get; set; }
    }

    public class City
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public int CountryId { get; set; }

        public Country? Country { get; set; }
    }

    public class CityName
    {
        public required string Name { get; set; }
    }

    public class ChestContext(DbContextOptions<ChestContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Chest>().Property(c => c.TenantId).Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Ignore);
            modelBuilder.Entity<Coffer>().Property(c => c.TenantId).Metadata.SetBeforeSaveBehavior(PropertySaveBehavior.Throw);
        }
    }

    public class Chest
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }
    }

    public class Coffer
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }
    }

    public class TagContext(DbContextOptions<TagContext> options) : DbContext(options)
    {
        public DbSet<Pin> Pins => Set<Pin>();

        public DbSet<Post> Posts => Set<Post>();
    }

    public class Post
    {
        public int Id { get; set; }

        public List<Tag> Tags { get; } = [];
    }

    public class Tag
    {
        public int Id { get; set; }

        public List<Post> Posts { get; } = [];
    }

    public class Pin
    {
        public int Id { get; set; }

        public int PostId { get; set; }

        public Post? Post { get; set; }

        public int TagId { get; set; }

        public Tag? Tag { get; set; }
    }

    public class OwnKeyContext(DbContextOptions<OwnKeyContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Owner>().HasKey(o => new { o.TenantId, o.Id });
            modelBuilder.Entity<Backward>().HasKey(o => new { o.Id, o.TenantId });
            modelBuilder.Entity<Pet>();
            modelBuilder.Entity<Chip>().HasOne(c => c.Owner).WithMany().IsRequired();
        }
    }

    public class GlobalPetContext(DbContextOptions<GlobalPetContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Owner>().HasKey(o => new { o.TenantId, o.Id });
            modelBuilder.Entity<Pet>().IsSingleTenanted();
        }
    }

    public class Owner
    {
        public string TenantId { get; set; } = "";

        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Backward
    {
        public int Id { get; set; }

        public string TenantId { get; set; } = "";
    }

    public class Pet
    {
        public int Id { get; set; }

        public Owner? Owner { get; set; }
    }

    public class Chip
    {
        public int Id { get; set; }

        public Owner? Owner { get; set; }
    }

    public class UntypedContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();
    }

    public class LinkContext(DbContextOptions<LinkContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Film>().IsSingleTenanted().Property("Id").ValueGeneratedNever();
            modelBuilder.Entity<Actor>().IsSingleTenanted().Property("Id").ValueGeneratedNever();
        }
    }

    public class Film
    {
        public int Id { get; set; }

        public List<Actor> Actors { get; } = [];
    }

    public class Actor
    {
        public int Id { get; set; }

        public List<Film> Films { get; } = [];
    }

    public class ViewContext(DbContextOptions<ViewContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<NoteView>().HasNoKey().ToSqlQuery("""SELECT * FROM "Notes" """);
    }

    public class NoteView
    {
        public required string Text { get; set; }
    }

    public class LazyContext(DbContextOptions<LazyContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Shelf>();
            modelBuilder.Entity<Book>();
            modelBuilder.Entity<Animal>();
            modelBuilder.Entity<Cat>().OwnsMany(c => c.Collars);
        }
    }

    public class Shelf
    {
        private readonly ILazyLoader? _loader;
        private readonly List<Book> _books = [];

        public Shelf()
        {
        }

        private Shelf(ILazyLoader loader)
            => _loader = loader;

        public int Id { get; set; }

        public List<Book> Books
        {
            get
            {
                _loader?.Load(this);
                return _books;
            }
        }
    }

    public class Book
    {
        public int Id { get; set; }

        public required string Title { get; set; }
    }

    public class Animal
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Cat : Animal
    {
        public List<Collar> Collars { get; } = [];
    }

    public class Collar
    {
        public required string Color { get; set; }
    }

    public class Note
    {
        public int Id { get; set; }

        public required string Text { get; set; }

        public bool IsDeleted { get; set; }
    }

    public class NoteContext(DbContextOptions<NoteContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();
    }

    public class CitextContext(DbContextOptions<CitextContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
            => configurationBuilder.Properties<string>().HaveColumnType("citext");
    }

    public class Parcel
    {
        public int Id { get; set; }

        public string TenantId { get; set; } = "";

        public string Text { get; set; } = "";
    }

    public class LooseContext(DbContextOptions<LooseContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Parcel>().Property(p => p.TenantId).Metadata.SetValueComparer(
                new ValueComparer<string>(
                    (a, b) => string.Equals(a, b, StringComparison.OrdinalIgnoreCase), v => StringComparer.OrdinalIgnoreCase.GetHashCode(v)));
    }

    public class TrimContext(DbContextOptions<TrimContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
            => configurationBuilder.Properties<string>().HaveConversion<Trimmed>();
    }

    public class Trimmed() : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<string, string>(v => v.Trim(), v => v);

    public class OwnFilterContext(DbContextOptions<OwnFilterContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        public string TenantId { get; set; } = "live";

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Note>().HasQueryFilter(n => n.Text == TenantId);
    }

    public class SameNameContext(DbContextOptions<SameNameContext> options) : DbContext(options)
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Note>().HasQueryFilter("Tenancy", n => !n.IsDeleted);
    }

    public class SelfConfigured(string connectionString, IServiceProvider services) : DbContext
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseTestDatabase(connectionString).UseInternalServiceProvider(services)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted());
    }

    public class OtherSelfConfigured(string connectionString, IServiceProvider services) : DbContext
    {
        public DbSet<Note> Notes => Set<Note>();

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseTestDatabase(connectionString).UseInternalServiceProvider(services).UseTenancy();
    }

    private sealed class Request
    {
        public string? Tenant { get; set; }
    }

    private sealed class RequestTenant(Request request) : ITenantAccessor
    {
        public string? TenantId { get; } = request.Tenant;
    }
}
