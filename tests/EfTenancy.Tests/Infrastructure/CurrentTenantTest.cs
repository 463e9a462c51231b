using EfTenancy.Infrastructure;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.Tests.Infrastructure;

public class CurrentTenantTest
{
    public enum Registration
    {
        AddDbContext,
        AddDbContextPool,
        AddDbContextFactory,
        AddPooledDbContextFactory,
    }

    public static TheoryData<Registration> Registrations
        => [.. Enum.GetValues<Registration>()];

    // Registered accessor, accessor given to UseTenancy, explicit tenant, and which of them counts.
    public static MatrixTheoryData<Registration, (string? Registered, string? Given, string? Explicit, string Expected)> Sources
        => new(
            Enum.GetValues<Registration>(),
            [
                (null, null, null, "*DEFAULT*"), ("Green", null, null, "Green"), ("Green", "Red", null, "Red"), (null, "Red", null, "Red"),
                (null, null, "Blue", "Blue"), ("Green", null, "Blue", "Blue"), ("Green", "Red", "Blue", "Blue"),
            ]);

    [Theory, MemberData(nameof(Sources))]
    public void Explicit_tenant_beats_accessor_and_accessor_the_default(
        Registration registration,
        (string? Registered, string? Given, string? Explicit, string Expected) tenant)
    {
        Action<TenancyDbContextOptionsBuilder>? given = tenant.Given is null ? null : t => t.UseTenantAccessor(_ => tenant.Given);
        using var application = new Application(registration, given, tenant.Registered is { } id ? new() { TenantId = id } : null);
        var context = application.Open();

        if (tenant.Explicit is not null)
        {
            context.Tenancy().Use(tenant.Explicit);
        }

        Assert.Equal(tenant.Expected, context.Tenancy().TenantId);
    }

    [Theory, MemberData(nameof(Registrations))]
    public void Accessor_given_to_UseTenancy_gets_the_services_of_the_application(Registration registration)
    {
        using var application = new Application(
            registration,
            t => t.DisableDefaultTenant().UseTenantAccessor(services => services.GetRequiredService<ITenantAccessor>().TenantId + "ish"),
            new() { TenantId = "Green" });

        Assert.Equal("Greenish", application.Open().Tenancy().TenantId);
    }

    [Theory, MemberData(nameof(Registrations))]
    public void Disabled_default_tenant_throws(Registration registration)
    {
        using var application = new Application(registration, t => t.DisableDefaultTenant());
        var context = application.Open();

        var exception = Assert.Throws<DefaultTenantUsageDisabledException>(() => context.Tenancy().TenantId);
        Assert.Contains("db.Tenancy().Use(\"tenant\")", exception.Message, StringComparison.Ordinal);
        Assert.Throws<DefaultTenantUsageDisabledException>(() => context.Add(new Blog()));
        Assert.ThrowsAny<InvalidOperationException>(() => context.Blogs.ToQueryString());
    }

    [Theory, MemberData(nameof(Registrations))]
    public void Context_keeps_the_tenant_of_its_first_use_and_the_next_one_asks_again(Registration registration)
    {
        var accessor = new Accessor { TenantId = "Green" };
        using var application = new Application(registration, accessor: accessor);
        var context = application.Open();

        // Nothing is asked before the first use.
        accessor.TenantId = "Red";
        Assert.Equal("Red", context.Tenancy().TenantId);

        accessor.TenantId = "Blue";
        Assert.Equal("Red", context.Tenancy().TenantId);
        Assert.Equal("Blue", application.Open().Tenancy().TenantId);
    }

    [Theory]
    [InlineData(Registration.AddDbContextPool)]
    [InlineData(Registration.AddPooledDbContextFactory)]
    public void Pooled_context_forgets_the_explicit_tenant(Registration registration)
    {
        using var application = new Application(registration);
        var first = application.Open();
        first.Tenancy().Use("Green");
        application.CloseAll();

        var second = application.Open();

        Assert.Same(first, second);
        Assert.Equal("*DEFAULT*", second.Tenancy().TenantId);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Empty_answer_of_the_accessor_means_unset(string? unset)
    {
        using var application = new Application(Registration.AddDbContext, accessor: new() { TenantId = unset });
        Assert.Equal("*DEFAULT*", application.Open().Tenancy().TenantId);

        using var strict = new Application(
            Registration.AddDbContext, t => t.DisableDefaultTenant().UseTenantAccessor(_ => unset), new() { TenantId = "Green" });
        Assert.Throws<DefaultTenantUsageDisabledException>(() => strict.Open().Tenancy().TenantId);
    }

    [Fact]
    public void Bad_answer_of_the_accessor_is_refused()
    {
        var accessor = new Accessor { TenantId = "  " };
        using var application = new Application(Registration.AddDbContext, accessor: accessor);
        var context = application.Open();

        Assert.Throws<ArgumentException>(() => context.Tenancy().TenantId);

        accessor.TenantId = new string('x', 129);
        Assert.Throws<ArgumentException>(() => context.Tenancy().TenantId);
    }

    [Theory]
    [InlineData(Registration.AddDbContextFactory)]
    [InlineData(Registration.AddPooledDbContextFactory)]
    public async Task Factory_opens_contexts_of_a_named_tenant(Registration registration)
    {
        using var application = new Application(registration, t => t.DisableDefaultTenant(), new() { TenantId = "Green" });

        using var red = application.Factory.CreateDbContext("Red");
        await using var blue = await application.Factory.CreateDbContextAsync("Blue");

        Assert.Equal("Red", red.Tenancy().TenantId);
        Assert.Equal("Blue", blue.Tenancy().TenantId);
    }

    [Fact]
    public void Accessor_may_be_scoped_for_AddDbContext()
    {
        var services = new ServiceCollection();
        services.AddScoped<Accessor>().AddScoped<ITenantAccessor>(p => p.GetRequiredService<Accessor>());
        services.AddDbContext<BlogContext>(o => o.UseUnusedDatabase().UseTenancy());
        using var provider = services.BuildServiceProvider(validateScopes: true);
        using var scope = provider.CreateScope();

        scope.ServiceProvider.GetRequiredService<Accessor>().TenantId = "Green";

        Assert.Equal("Green", scope.ServiceProvider.GetRequiredService<BlogContext>().Tenancy().TenantId);
    }

    [Fact]
    public void Tenant_changes_as_long_as_nothing_is_tracked()
    {
        using var context = new ConfiguringContext();
        Assert.Equal("*DEFAULT*", context.Tenancy().TenantId);

        context.Tenancy().Use("Green");
        context.Tenancy().Use("Red");

        Assert.Equal("Red", context.Tenancy().TenantId);
    }

    [Fact]
    public void Tenant_does_not_change_while_entities_are_tracked()
    {
        using var context = new ConfiguringContext();
        context.Tenancy().Use("Green");
        context.Add(new Blog());
        context.Tenancy().Use("Green");

        var exception = Assert.Throws<InvalidOperationException>(() => context.Tenancy().Use("Red"));

        Assert.Contains("'Green'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'Red'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("db.ChangeTracker.Clear()", exception.Message, StringComparison.Ordinal);
        Assert.Equal("Green", context.Tenancy().TenantId);

        context.ChangeTracker.Clear();
        context.Tenancy().Use("Red");
        Assert.Equal("Red", context.Tenancy().TenantId);
    }

    [Fact]
    public void Options_may_come_from_OnConfiguring()
    {
        using var context = new ConfiguringContext();
        context.Tenancy().Use("Green");

        var blog = context.Add(new Blog()).Entity;

        Assert.Equal("Green", context.Tenancy().TenantOf(blog));
    }

    [Fact]
    public void OnConfiguring_of_a_context_from_the_container_finds_the_registered_accessor()
    {
        var services = new ServiceCollection().AddSingleton<ITenantAccessor>(new Accessor { TenantId = "Green" });
        services.AddDbContext<ConfiguringContext>();
        using var provider = services.BuildServiceProvider(validateScopes: true);
        using var scope = provider.CreateScope();

        Assert.Equal("Green", scope.ServiceProvider.GetRequiredService<ConfiguringContext>().Tenancy().TenantId);
    }

    [Fact]
    public void Accessor_given_to_UseTenancy_needs_no_container()
    {
        var options = new DbContextOptionsBuilder().UseUnusedDatabase()
            .UseTenancy(t => t.UseTenantAccessor(services => services.GetService<ITenantAccessor>()?.TenantId ?? "Green"));
        using var context = new BlogContext(options.Options);

        Assert.Equal("Green", context.Tenancy().TenantId);
    }

    [Fact]
    public void Accessor_that_uses_the_context_is_refused()
    {
        BlogContext context = null!;
        context = new(
            new DbContextOptionsBuilder().UseUnusedDatabase().UseTenancy(t => t.UseTenantAccessor(_ => context.Tenancy().TenantId)).Options);

        Assert.Contains("BlogContext", Assert.Throws<InvalidOperationException>(() => context.Tenancy().TenantId).Message, StringComparison.Ordinal);
        context.Tenancy().Use("Green");
        Assert.Equal("Green", context.Tenancy().TenantId);
        context.Dispose();
    }

    private sealed class Accessor : ITenantAccessor { public string? TenantId { get; set; } }

    private sealed class BlogContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Blog> Blogs => Set<Blog>();
    }

    private sealed class ConfiguringContext(DbContextOptions options) : DbContext(options)
    {
        public ConfiguringContext()
            : this(new DbContextOptions<ConfiguringContext>())
        {
        }

        public DbSet<Blog> Blogs => Set<Blog>();

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseUnusedDatabase().UseTenancy(t => t.AllEntitiesAreMultiTenanted());
    }

    /// <summary>An application that registers its context in one of the four ways.</summary>
    private sealed class Application : IDisposable
    {
        private readonly ServiceProvider _services;
        private readonly List<IDisposable> _open = [];

        public Application(Registration registration, Action<TenancyDbContextOptionsBuilder>? tenancy = null, Accessor? accessor = null)
        {
            var services = new ServiceCollection();
            if (accessor is not null)
            {
                services.AddSingleton<ITenantAccessor>(accessor);
            }

            _ = registration switch
            {
                Registration.AddDbContext => services.AddDbContext<BlogContext>(Configure),
                Registration.AddDbContextPool => services.AddDbContextPool<BlogContext>(Configure),
                Registration.AddDbContextFactory => services.AddDbContextFactory<BlogContext>(Configure),
                _ => services.AddPooledDbContextFactory<BlogContext>(Configure),
            };
            _services = services.BuildServiceProvider(validateScopes: true);

            void Configure(DbContextOptionsBuilder options)
                => options.UseUnusedDatabase().UseTenancy(t => tenancy?.Invoke(t.AllEntitiesAreMultiTenanted()));
        }

        public IDbContextFactory<BlogContext> Factory
            => _services.GetRequiredService<IDbContextFactory<BlogContext>>();

        public BlogContext Open()
        {
            if (_services.GetService<IDbContextFactory<BlogContext>>() is { } factory)
            {
                var context = factory.CreateDbContext();
                _open.Add(context);
                return context;
            }

            var scope = _services.CreateScope();
            _open.Add(scope);
            return scope.ServiceProvider.GetRequiredService<BlogContext>();
        }

        public void CloseAll()
        {
            _open.ForEach(o => o.Dispose());
            _open.Clear();
        }

        public void Dispose()
        {
            CloseAll();
            _services.Dispose();
        }
    }
}
