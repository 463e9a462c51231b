using EfTenancy.Administration;
using EfTenancy.Administration.Internal;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Conventions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Query.Internal;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>EfTenancy's services: the one list of what it adds to EF and of what it puts in EF's place.</summary>
public static class TenancyServiceCollectionExtensions
{
    /// <summary>
    ///     Adds EfTenancy's services to EF's. <c>UseTenancy(...)</c> calls it; an application does only when it builds the
    ///     service provider for <c>UseInternalServiceProvider</c> itself, before or after <c>AddEntityFrameworkNpgsql()</c>.
    /// </summary>
    /// <param name="services">The collection that gets the services.</param>
    public static IServiceCollection AddEntityFrameworkTenancy(this IServiceCollection services)
    {
        ArgumentNullException.ThrowIfNull(services);

        services.TryAddSingleton<TenantStateCache>();
        services.TryAddScoped<CurrentTenant>();
        services.TryAddSingleton<TenantDataSourceFactory>();
        services.TryAddSingleton<ConnectionServiceGuard>();
        services.TryAddScoped<TenancyHistoryRepository>();
        services.TryAddEnumerable(ServiceDescriptor.Scoped<IConventionSetPlugin, TenancyConventionSetPlugin>());
        services.TryAddEnumerable(ServiceDescriptor.Singleton<ISingletonOptions, ServicesBehindOurs>(_ => new ServicesBehindOurs(services)));

        // EF and its provider hold one service of each of these types. Replacing works in both orders of UseNpgsql and
        // UseTenancy: theirs is replaced if it is there, and if it comes later, its TryAdd finds ours. ReplaceService would
        // throw under UseInternalServiceProvider.
#pragma warning disable EF1001 // No public service gives shadow values at tracking, completes keys of Find, chooses the database, locks all migrations of a call, or takes part in the diff.
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Singleton<LoggingDefinitions, TenancyLoggingDefinitions>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<INpgsqlRelationalConnection, TenancyRelationalConnection>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IRelationalDatabaseCreator, TenancyDatabaseCreator>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IRelationalCommandDiagnosticsLogger, TenancyCommandLogger>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Singleton<INpgsqlValueGeneratorCache, TenancyValueGeneratorCache>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IValueGeneratorSelector, TenancyValueGeneratorSelector>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IStateManager, TenancyStateManager>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Singleton<IEntityFinderSource, TenancyEntityFinderSource>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Singleton<IEntityEntryGraphIterator, TenancyEntityEntryGraphIterator>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<INavigationFixer, TenancyNavigationFixer>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IMigrator, TenancyMigrator>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IMigrationsModelDiffer, TenancyMigrationsModelDiffer>());
#pragma warning restore EF1001
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Singleton<IModelValidator, TenancyModelValidator>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Singleton<IRelationalAnnotationProvider, TenancyAnnotationProvider>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IMigrationsSqlGenerator, TenancyMigrationsSqlGenerator>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<ICompiledQueryCacheKeyGenerator, TenancyCompiledQueryCacheKeyGenerator>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IQueryContextFactory, TenancyQueryContextFactory>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IQueryTranslationPreprocessorFactory, TenancyQueryTranslationPreprocessorFactory>());
        ServicesInFrontOfOurs.Replace(
            services, ServiceDescriptor.Scoped<IQueryableMethodTranslatingExpressionVisitorFactory, TenancyQueryableMethodTranslatingExpressionVisitorFactory>());
        ServicesInFrontOfOurs.Replace(services, ServiceDescriptor.Scoped<IQueryTranslationPostprocessorFactory, TenancyQueryTranslationPostprocessorFactory>());

        return services;
    }

    /// <summary>
    ///     Adds <see cref="TenantDatabases" />, which says where tenants are, as a singleton that the container disposes. Contexts get it by
    ///     <c>UseTenancy(t =&gt; t.UseTenantDatabases(services.GetRequiredService&lt;TenantDatabases&gt;()))</c>.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="databases">Says where tenants are; one of the builder's <c>MultiTenanted…</c> methods must be called.</param>
    public static IServiceCollection AddTenantDatabases(this IServiceCollection services, Action<TenantDatabasesBuilder> databases)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(databases);

        services.TryAddSingleton(
            p =>
            {
                var created = TenantDatabases.Create(databases);
                created.RowFinders = p.GetServices<TenantRowFinder>;
                return created;
            });

        return services;
    }

    /// <summary>
    ///     Adds <see cref="ITenantAdministration{TContext}" />, which adds, pauses and removes tenants while the application works, and
    ///     <see cref="ITenantMigrator{TContext}" /> and <see cref="ITenantMover{TContext}" />, which migrate and move their databases and schemas.
    ///     Singletons; each call has contexts of its own, from the <c>IDbContextFactory</c> or from a scope.
    /// </summary>
    /// <typeparam name="TContext">The type of the context, whose options call <c>UseTenancy(...)</c>.</typeparam>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">How patient it is; see the defaults of <see cref="TenantAdministrationOptions" />.</param>
    public static IServiceCollection AddTenantAdministration<TContext>(
        this IServiceCollection services,
        Action<TenantAdministrationOptions>? configure = null)
        where TContext : DbContext
    {
        ArgumentNullException.ThrowIfNull(services);

        var options = new TenantAdministrationOptions();
        configure?.Invoke(options);
        services.TryAddSingleton<ITenantAdministration<TContext>>(
            p => new ObservedTenantAdministration<TContext>(new TenantAdministration<TContext>(Contexts(p), options)));
        services.TryAddSingleton<ITenantMigrator<TContext>>(
            p => new TenantMigrator<TContext>(Contexts(p)));
        services.TryAddSingleton<ITenantMover<TContext>>(
            p => new TenantMover<TContext>(Contexts(p), options));
        services.TryAddEnumerable(
            ServiceDescriptor.Singleton<TenantRowFinder, TenantRowFinder<TContext>>(p => new TenantRowFinder<TContext>(Contexts(p), options)));

        return services;

        static ApplicationContexts<TContext> Contexts(IServiceProvider services)
            => new(services.GetRequiredService<IServiceScopeFactory>());
    }
}
