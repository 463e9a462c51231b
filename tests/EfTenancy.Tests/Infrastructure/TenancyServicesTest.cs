using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Query.Internal;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.Tests.Infrastructure;

#pragma warning disable EF1001 // Which of EF's internal services a context gets is the point.
public class TenancyServicesTest
{
    public enum Setup
    {
        NpgsqlFirst,
        TenancyFirst,
        InternalProviderNpgsqlFirst,
        InternalProviderTenancyFirst,
    }

    public static TheoryData<Setup> Setups
        => [.. Enum.GetValues<Setup>()];

    private static readonly Dictionary<Type, Type> Expected = new()
    {
        [typeof(IStateManager)] = typeof(TenancyStateManager),
        [typeof(IEntityFinderSource)] = typeof(TenancyEntityFinderSource),
        [typeof(IModelValidator)] = typeof(TenancyModelValidator),
        [typeof(IMigrationsModelDiffer)] = typeof(TenancyMigrationsModelDiffer),
        [typeof(IMigrationsSqlGenerator)] = typeof(TenancyMigrationsSqlGenerator),
        [typeof(IRelationalAnnotationProvider)] = typeof(TenancyAnnotationProvider),
        [typeof(IQueryTranslationPreprocessorFactory)] = typeof(TenancyQueryTranslationPreprocessorFactory),
    };

    [Theory, MemberData(nameof(Setups))]
    public void Services_of_EF_are_replaced(Setup setup)
    {
        using var context = new BlogContext(Options(setup));

        Assert.All(
            Expected,
            e => Assert.IsType(e.Value, Assert.Single(context.GetInfrastructure().GetServices(e.Key))));
    }

    [Theory, MemberData(nameof(Setups))]
    public void Model_has_tenants_and_a_query_its_filter(Setup setup)
    {
        using var context = new BlogContext(Options(setup));
        context.Tenancy().Use("Green");

        Assert.Equal("TenantId, Id", context.Model.Type<Blog>().FindPrimaryKey()!.Properties.Names());
        Assert.StartsWith("-- @ef_filter__Tenancy='Green'", context.Blogs.ToQueryString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Internal_service_provider_without_the_services_is_refused()
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql().BuildServiceProvider(validateScopes: true);

        var exception = Assert.Throws<InvalidOperationException>(
            () => new BlogContext(Builder().UseTenancy().UseInternalServiceProvider(services).Options));
        Assert.Contains("Call AddEntityFrameworkTenancy()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contexts_with_other_policies_cannot_share_an_internal_service_provider()
    {
        var services = InternalProvider(tenancyFirst: false);
        using var first = new BlogContext(Builder().UseTenancy().UseInternalServiceProvider(services).Options);
        using var second = new BlogContext(
            Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted()).UseInternalServiceProvider(services).Options);

        Assert.NotNull(first.Model);
        var exception = Assert.Throws<InvalidOperationException>(() => second.Model);
        Assert.Contains("must agree on UseTenancy(...)", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Contexts_with_equal_policies_share_an_internal_service_provider()
    {
        var services = InternalProvider(tenancyFirst: false);
        DbContextOptions Options()
            => Builder().UseTenancy(t => t.PartitionMultiTenantedEntities(x => x.ByHash("a"))).UseInternalServiceProvider(services).Options;
        using var first = new BlogContext(Options());
        using var second = new BlogContext(Options());

        Assert.Same(first.Model, second.Model);
    }

    [Fact]
    public void One_model_and_one_service_provider_serve_all_tenants()
    {
        using var green = new BlogContext(Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantAccessor(_ => "x")).Options);
        using var red = new BlogContext(Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted().DisableDefaultTenant()).Options);
        green.Tenancy().Use("Green");
        red.Tenancy().Use("Red");

        Assert.Same(green.Model, red.Model);
        Assert.Same(green.GetService<IModelSource>(), red.GetService<IModelSource>());
        Assert.Contains("'Green'", green.Blogs.ToQueryString(), StringComparison.Ordinal);
        Assert.Contains("'Red'", red.Blogs.ToQueryString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Context_without_UseTenancy_has_no_tenancy()
    {
        using var context = new BlogContext(Builder().Options);

        var exception = Assert.Throws<InvalidOperationException>(() => context.Tenancy());
        Assert.Contains("'BlogContext' has no tenancy. Call UseTenancy(...)", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Context_without_UseTenancy_may_share_an_internal_service_provider_that_has_the_services()
    {
        using var context = new ModelContext(
            Builder().UseInternalServiceProvider(InternalProvider(tenancyFirst: true)).Options, b => b.Entity<Blog>().Ignore(x => x.Posts));

        Assert.Equal("Id", context.Model.Type<Blog>().FindPrimaryKey()!.Properties.Names());
        Assert.Throws<InvalidOperationException>(() => context.Tenancy());
        context.Add(new Blog { Id = 1 });
    }

    private static DbContextOptionsBuilder Builder()
        => new DbContextOptionsBuilder().UseNpgsql("Host=unused");

    private static DbContextOptions Options(Setup setup)
        => (setup switch
        {
            Setup.NpgsqlFirst => Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted()),
            Setup.TenancyFirst => new DbContextOptionsBuilder().UseTenancy(t => t.AllEntitiesAreMultiTenanted()).UseNpgsql("Host=unused"),
            _ => Builder()
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
                .UseInternalServiceProvider(InternalProvider(setup == Setup.InternalProviderTenancyFirst)),
        }).Options;

    private static ServiceProvider InternalProvider(bool tenancyFirst)
        => (tenancyFirst
            ? new ServiceCollection().AddEntityFrameworkTenancy().AddEntityFrameworkNpgsql()
            : new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy()).BuildServiceProvider(validateScopes: true);

    private sealed class BlogContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Blog> Blogs => Set<Blog>();
    }

    [Fact]
    public void Internal_service_provider_does_not_give_a_context_the_model_it_has_without_UseTenancy()
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy().BuildServiceProvider();
        var builder = new DbContextOptionsBuilder().UseNpgsql("Host=unused").UseInternalServiceProvider(services);
        using (var plain = new InvoiceContext(builder.Options))
        {
            Assert.DoesNotContain("WHERE", plain.Set<Invoice>().ToQueryString(), StringComparison.Ordinal);
        }

        Assert.Throws<InvalidOperationException>(
            () => new InvoiceContext(builder.UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options).Set<Invoice>().ToQueryString());
    }

    private sealed class InvoiceContext(DbContextOptions options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Invoice>();
    }
}
