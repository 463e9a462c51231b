using EfTenancy.Administration;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Query.Internal;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Query.Internal;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;
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
        [typeof(LoggingDefinitions)] = typeof(TenancyLoggingDefinitions),
        [typeof(INpgsqlRelationalConnection)] = typeof(TenancyRelationalConnection),
        [typeof(IRelationalDatabaseCreator)] = typeof(TenancyDatabaseCreator),
        [typeof(IRelationalCommandDiagnosticsLogger)] = typeof(TenancyCommandLogger),
        [typeof(INpgsqlValueGeneratorCache)] = typeof(TenancyValueGeneratorCache),
        [typeof(IValueGeneratorSelector)] = typeof(TenancyValueGeneratorSelector),
        [typeof(IStateManager)] = typeof(TenancyStateManager),
        [typeof(INavigationFixer)] = typeof(TenancyNavigationFixer),
        [typeof(IEntityEntryGraphIterator)] = typeof(TenancyEntityEntryGraphIterator),
        [typeof(ICompiledQueryCacheKeyGenerator)] = typeof(TenancyCompiledQueryCacheKeyGenerator),
        [typeof(IEntityFinderSource)] = typeof(TenancyEntityFinderSource),
        [typeof(IModelValidator)] = typeof(TenancyModelValidator),
        [typeof(IMigrator)] = typeof(TenancyMigrator),
        [typeof(IMigrationsModelDiffer)] = typeof(TenancyMigrationsModelDiffer),
        [typeof(IMigrationsSqlGenerator)] = typeof(TenancyMigrationsSqlGenerator),
        [typeof(IRelationalAnnotationProvider)] = typeof(TenancyAnnotationProvider),
        [typeof(IQueryContextFactory)] = typeof(TenancyQueryContextFactory),
        [typeof(IQueryTranslationPreprocessorFactory)] = typeof(TenancyQueryTranslationPreprocessorFactory),
        [typeof(IQueryTranslationPostprocessorFactory)] = typeof(TenancyQueryTranslationPostprocessorFactory),
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

    [Theory, InlineData(true), InlineData(false)]
    public void Internal_service_provider_knows_the_enums_of_the_options(bool tenancyFirst)
    {
        using var context = new BlogContext(
            new DbContextOptionsBuilder().UseNpgsql("Host=unused", n => n.MapEnum<Setup>("setup")).UseTenancy()
                .UseInternalServiceProvider(InternalProvider(tenancyFirst)).Options);

        Assert.Equal("setup", context.GetService<IRelationalTypeMappingSource>().FindMapping(typeof(Setup))!.StoreType);
    }

    [Fact]
    public void Interceptors_may_give_a_connection_that_is_not_the_providers()
    {
        using var connection = new WrappedConnection();
        using var context = new BlogContext(Builder().UseTenancy().AddInterceptors(connection.Interceptor).Options);

        Assert.Same(connection, context.Database.GetDbConnection());
    }

    [Fact]
    public void Interceptors_may_not_give_one_where_tenants_have_places()
    {
        using var databases = TenantDatabases.Create(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase("Host=unused", "Green")));
        using var connection = new WrappedConnection();
        using var context = new BlogContext(Builder().UseTenancy(t => t.UseTenantDatabases(databases)).AddInterceptors(connection.Interceptor).Options);
        context.Tenancy().Use("Green");

        Assert.Contains(
            "'Green'", Assert.Throws<InvalidOperationException>(() => context.Database.GetDbConnection()).Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => context.Database.OpenConnection());
        Assert.Throws<InvalidOperationException>(() => context.Blogs.ToList());
    }

    public static TheoryData<string> ServicesOfTenancy
        => [.. Expected.Keys.Except(Harmless).Select(k => k.Name)];

    private static readonly Type[] Harmless =
    [
        typeof(INpgsqlRelationalConnection), typeof(IMigrator), typeof(IValueGeneratorSelector), typeof(IQueryContextFactory),
        typeof(IRelationalDatabaseCreator),
    ];

    [Fact]
    public void Creator_of_databases_is_the_applications_as_long_as_tenants_have_none_of_their_own()
    {
        var other = ServiceDescriptor.Scoped<IRelationalDatabaseCreator, NpgsqlDatabaseCreator>();
        using var databases = TenantDatabases.Create(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase("Host=unused", "Green")));
        foreach (var options in (Func<Action<TenancyDbContextOptionsBuilder>, DbContextOptions>[])
                 [
                     t => InExtension(s => s.Add(other), t), t => InInternalProvider(s => s.Add(other), t),
                     t => Replaced(other.ServiceType, other.ImplementationType!, t),
                 ])
        {
            using var context = new BlogContext(options(t => t.AllEntitiesAreMultiTenanted()));
            Assert.Equal(typeof(NpgsqlDatabaseCreator), context.GetService<IRelationalDatabaseCreator>().GetType());

            Assert.Contains(
                nameof(TenancyDatabaseCreator),
                Assert.Throws<InvalidOperationException>(() => new BlogContext(options(t => t.UseTenantDatabases(databases))).Model).Message,
                StringComparison.Ordinal);
        }
    }

    [Theory, MemberData(nameof(ServicesOfTenancy))]
    public void Services_that_keep_tenants_apart_are_replaced_only_by_what_derives_from_them(string service)
    {
        var (type, own) = Expected.Single(e => e.Key.Name == service);

        var refused = Assert.Throws<InvalidOperationException>(() => new BlogContext(Replaced(type, own.BaseType!)));
        Assert.Contains(service, refused.Message, StringComparison.Ordinal);
        Assert.Contains($"'{own.Name}'", refused.Message, StringComparison.Ordinal);

        using var context = new BlogContext(Replaced(type, own));
        Assert.NotNull(context.Model);
    }

    [Theory]
    [InlineData(typeof(IConventionSetPlugin), typeof(OtherPlugin))]
    [InlineData(typeof(IResettableService), typeof(ResetOfOthers))]
    public void Services_of_which_there_are_several_are_not_replaced_all_at_once(Type service, Type replacement)
        => Assert.Throws<InvalidOperationException>(() => new BlogContext(Replaced(service, replacement)));

    [Theory, MemberData(nameof(ServicesOfTenancy))]
    public void Services_that_keep_tenants_apart_are_not_registered_over(string service)
    {
        var (type, own) = Expected.Single(e => e.Key.Name == service);

        // By its logging definitions a provider without EfTenancy's services is known.
        foreach (var options in (Func<Action<IServiceCollection>, DbContextOptions>[])
                 (type == typeof(LoggingDefinitions) ? [s => InExtension(s)] : [s => InExtension(s), s => InInternalProvider(s)]))
        {
            foreach (var other in (ServiceDescriptor[])[
                         new(type, own.BaseType!, ServiceLifetime.Scoped), new(type, _ => throw new NotSupportedException(), ServiceLifetime.Scoped)])
            {
                var refused = Assert.Throws<InvalidOperationException>(() => new BlogContext(options(s => s.Add(other))).Model);
                Assert.Contains(service, refused.Message, StringComparison.Ordinal);
                Assert.Contains($"'{own.Name}'", refused.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Services_that_wrap_ours_are_used()
    {
        using var wrapped = new BlogContext(InExtension(
            s =>
            {
                s.AddScoped<TenancyQueryTranslationPreprocessorFactory>();
                s.AddScoped<IQueryTranslationPreprocessorFactory, Wrapper<TenancyQueryTranslationPreprocessorFactory>>();
            }));
        Assert.IsType<Wrapper<TenancyQueryTranslationPreprocessorFactory>>(wrapped.GetService<IQueryTranslationPreprocessorFactory>());
        Assert.NotEmpty(wrapped.Blogs.Where(b => b.TenantIsOneOf("Green")).ToQueryString());

        using var keyed = new BlogContext(InInternalProvider(
            s =>
            {
                s.AddKeyedScoped<IQueryTranslationPreprocessorFactory, TenancyQueryTranslationPreprocessorFactory>("own");
                s.AddScoped(p => p.GetRequiredKeyedService<IQueryTranslationPreprocessorFactory>("own"));
            }));
        Assert.NotEmpty(keyed.Blogs.Where(b => b.TenantIsOneOf("Green")).ToQueryString());
    }

    [Theory, InlineData(true), InlineData(false)]
    public void Services_that_wrap_EFs_in_front_wrap_ours(bool inExtension)
    {
        Action<IServiceCollection> wrap = s =>
        {
            s.AddScoped<RelationalQueryTranslationPreprocessorFactory>();
            s.Replace(ServiceDescriptor.Scoped<IQueryTranslationPreprocessorFactory, Wrapper<RelationalQueryTranslationPreprocessorFactory>>());
        };
        using var wrapped = new BlogContext(inExtension ? InExtensionInFront(wrap) : InInternalProviderInFront(wrap));
        Assert.IsType<Wrapper<TenancyQueryTranslationPreprocessorFactory>>(wrapped.GetService<IQueryTranslationPreprocessorFactory>());
        Assert.NotEmpty(wrapped.Blogs.Where(b => b.TenantIsOneOf("Green")).ToQueryString());
    }

    [Fact]
    public void Services_in_front_are_not_taken_out_without_a_word()
    {
        foreach (var (type, own) in Expected)
        {
            foreach (var other in (ServiceDescriptor[])[
                         new(type, _ => throw new NotSupportedException(), ServiceLifetime.Scoped),
                         new(type, GetType(), ServiceLifetime.Scoped)])
            {
                foreach (var options in (Func<DbContextOptions>[])[() => InExtensionInFront(s => s.Add(other)), () => InInternalProviderInFront(s => s.Add(other))])
                {
                    var refused = Assert.Throws<InvalidOperationException>(() => new BlogContext(options()).Model);
                    Assert.Contains(type.Name, refused.Message, StringComparison.Ordinal);
                    Assert.Contains($"'{own.Name}'", refused.Message, StringComparison.Ordinal);
                    Assert.Contains("Call UseTenancy(...), or AddEntityFrameworkTenancy(), before", refused.Message, StringComparison.Ordinal);
                }
            }
        }
    }

    [Fact]
    public void A_context_without_tenancy_may_have_other_services()
    {
        using var context = new BlogContext(
            Builder().UseInternalServiceProvider(
                new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy().AddScoped<IStateManager, StateManager>()
                    .BuildServiceProvider()).Options);
        Assert.NotNull(context.Model);
    }

    [Fact]
    public void Services_that_are_added_twice_are_there_once()
    {
        var services = new ServiceCollection().AddEntityFrameworkTenancy();
        var count = services.Count;
        Assert.Equal(count, services.AddEntityFrameworkTenancy().Count);
    }

    private static DbContextOptions InExtension(
        Action<IServiceCollection> register,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
    {
        var builder = Builder().UseTenancy(tenancy ?? (t => t.AllEntitiesAreMultiTenanted())).EnableServiceProviderCaching(false);
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new OtherExtension(register));
        return builder.Options;
    }

    private static DbContextOptions InExtensionInFront(Action<IServiceCollection> register)
    {
        var builder = Builder().EnableServiceProviderCaching(false);
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(new OtherExtension(register));
        return builder.UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;
    }

    private static DbContextOptions InInternalProviderInFront(Action<IServiceCollection> register)
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql();
        register(services);
        return Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted())
            .UseInternalServiceProvider(services.AddEntityFrameworkTenancy().BuildServiceProvider()).Options;
    }

    private static DbContextOptions InInternalProvider(
        Action<IServiceCollection> register,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
    {
        var services = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy();
        register(services);
        return Builder().UseTenancy(tenancy ?? (t => t.AllEntitiesAreMultiTenanted()))
            .UseInternalServiceProvider(services.BuildServiceProvider()).Options;
    }

    private sealed class Wrapper<TFactory>(TFactory factory) : IQueryTranslationPreprocessorFactory
        where TFactory : IQueryTranslationPreprocessorFactory
    {
        public QueryTranslationPreprocessor Create(QueryCompilationContext queryCompilationContext)
            => factory.Create(queryCompilationContext);
    }

    private sealed class OtherExtension(Action<IServiceCollection> register) : IDbContextOptionsExtension
    {
        public DbContextOptionsExtensionInfo Info
            => new OtherInfo(this);

        public void ApplyServices(IServiceCollection services)
            => register(services);

        public void Validate(IDbContextOptions options)
        {
        }

        private sealed class OtherInfo(IDbContextOptionsExtension extension) : DbContextOptionsExtensionInfo(extension)
        {
            public override bool IsDatabaseProvider
                => false;

            public override string LogFragment
                => "";

            public override int GetServiceProviderHashCode()
                => 0;

            public override bool ShouldUseSameServiceProvider(DbContextOptionsExtensionInfo other)
                => false;

            public override void PopulateDebugInfo(IDictionary<string, string> debugInfo)
            {
            }
        }
    }

    private static DbContextOptions Replaced(Type service, Type replacement, Action<TenancyDbContextOptionsBuilder>? tenancy = null)
    {
        var builder = Builder().UseTenancy(tenancy ?? (t => t.AllEntitiesAreMultiTenanted()));

        // Of service providers that it keeps, EF warns when they are many.
        ((IDbContextOptionsBuilderInfrastructure)builder).AddOrUpdateExtension(
            builder.Options.FindExtension<CoreOptionsExtension>()!.WithReplacedService(service, replacement).WithServiceProviderCachingEnabled(false));
        return builder.Options;
    }

    private sealed class OtherPlugin : IConventionSetPlugin
    {
        public ConventionSet ModifyConventions(ConventionSet conventionSet)
            => conventionSet;
    }

    private sealed class ResetOfOthers : IResettableService
    {
        public void ResetState()
        {
        }

        public Task ResetStateAsync(CancellationToken cancellationToken = default)
            => Task.CompletedTask;
    }

    [Fact]
    public void A_model_that_was_built_without_tenancy_is_refused()
    {
        using var plain = new BlogContext(Builder().Options);
        using var given = new BlogContext(Builder().UseModel(plain.Model).UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        RefusesModel(given);

        using var cache = new MemoryCache(new MemoryCacheOptions());
        using var first = new BlogContext(Builder().UseMemoryCache(cache).Options);
        Assert.NotNull(first.Model);
        using var second = new BlogContext(Builder().UseMemoryCache(cache).UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        RefusesModel(second);

        using var own = new BlogContext(Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        using var same = new BlogContext(Builder().UseModel(own.Model).UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        Assert.Contains("Tenancy", same.Blogs.ToQueryString(), StringComparison.Ordinal);

        static void RefusesModel(BlogContext context)
        {
            foreach (var use in (Action[])[
                () => context.Blogs.ToQueryString(), () => context.Blogs.AsNoTracking().Load(), () => _ = context.Blogs.Count(),
                () => context.Blogs.ExecuteDelete(), () => context.Add(new Blog()), () => context.SaveChanges()])
            {
                Assert.Contains(
                    "was not built with its UseTenancy(...)", Assert.Throws<InvalidOperationException>(use).Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Connection_service_of_the_application_is_refused_where_tenants_have_places()
    {
        using var databases = TenantDatabases.Create(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase("Host=unused", "Green")));
        using var context = new BlogContext(
            Builder().UseTenancy(t => t.UseTenantDatabases(databases))
                .ReplaceService<INpgsqlRelationalConnection, NpgsqlRelationalConnection>().Options);

        var exception = Assert.Throws<InvalidOperationException>(() => context.Tenancy().Use("Green"));
        Assert.Contains("would lead all of them to one database", exception.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() => context.Tenancy().Use(["Green"]));
    }

    [Fact]
    public void Connection_service_of_the_application_is_used_where_tenants_share_a_database()
    {
        using var context = new BlogContext(
            Builder().UseTenancy().ReplaceService<INpgsqlRelationalConnection, NpgsqlRelationalConnection>().Options);

        Assert.IsType<NpgsqlRelationalConnection>(context.GetService<IRelationalConnection>());
        Assert.NotNull(context.GetService<IRelationalDatabaseCreator>());
    }

    [Fact]
    public void Migrator_of_the_application_is_used()
    {
        using var context = new BlogContext(Replaced(typeof(IMigrator), typeof(NpgsqlMigrator)));

        Assert.IsType<NpgsqlMigrator>(context.GetService<IMigrator>());
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Administration_of_a_context_without_UseTenancy_says_so(bool fromFactory)
    {
        var services = new ServiceCollection().AddTenantAdministration<BlogContext>();
        _ = fromFactory
            ? services.AddDbContextFactory<BlogContext>(o => o.UseUnusedDatabase())
            : services.AddDbContext<BlogContext>(o => o.UseUnusedDatabase());
        await using var provider = services.BuildServiceProvider();

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => provider.GetRequiredService<ITenantAdministration<BlogContext>>().ListAsync(TestContext.Current.CancellationToken));
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
        => new DbContextOptionsBuilder().UseUnusedDatabase();

    private static DbContextOptions Options(Setup setup)
        => (setup switch
        {
            Setup.NpgsqlFirst => Builder().UseTenancy(t => t.AllEntitiesAreMultiTenanted()),
            Setup.TenancyFirst => new DbContextOptionsBuilder().UseTenancy(t => t.AllEntitiesAreMultiTenanted()).UseUnusedDatabase(),
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
        var builder = Builder().UseInternalServiceProvider(services);
        using (var plain = new InvoiceContext(builder.Options))
        {
            Assert.DoesNotContain("WHERE", plain.Set<Invoice>().ToQueryString(), StringComparison.Ordinal);
        }

        Assert.Throws<InvalidOperationException>(
            () => new InvoiceContext(builder.UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options).Set<Invoice>().ToQueryString());
    }

    // As profilers do it.
    private sealed class WrappedConnection : DbConnection
    {
        public IInterceptor Interceptor
            => new Giver(this);

        [AllowNull]
        public override string ConnectionString { get; set; } = "";

        public override string Database
            => "";

        public override string DataSource
            => "";

        public override string ServerVersion
            => "";

        public override ConnectionState State
            => ConnectionState.Closed;

        public override void ChangeDatabase(string databaseName)
        {
        }

        public override void Close()
        {
        }

        public override void Open()
        {
        }

        protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel)
            => throw new NotSupportedException();

        protected override DbCommand CreateDbCommand()
            => throw new NotSupportedException();

        private sealed class Giver(DbConnection connection) : DbConnectionInterceptor
        {
            public override InterceptionResult<DbConnection> ConnectionCreating(
                ConnectionCreatingEventData eventData,
                InterceptionResult<DbConnection> result)
                => InterceptionResult<DbConnection>.SuppressWithResult(connection);
        }
    }

    private sealed class InvoiceContext(DbContextOptions options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Invoice>();
    }
}
