using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Conventions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Internal;
using EfTenancy.Query.Internal;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.DependencyInjection.Extensions;

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

        services.TryAddScoped<CurrentTenant>();
        services.AddScoped<IResettableService>(p => p.GetRequiredService<CurrentTenant>());
        services.AddScoped<IConventionSetPlugin, TenancyConventionSetPlugin>();

        // EF and its provider hold one service of each of these types. Replacing works in both orders of UseNpgsql and
        // UseTenancy: theirs is replaced if it is there, and if it comes later, its TryAdd finds ours. ReplaceService would
        // throw under UseInternalServiceProvider.
#pragma warning disable EF1001 // No public service gives shadow values at tracking, completes keys of Find, or takes part in the diff.
        services.Replace(ServiceDescriptor.Scoped<IStateManager, TenancyStateManager>());
        services.Replace(ServiceDescriptor.Singleton<IEntityFinderSource, TenancyEntityFinderSource>());
        services.Replace(ServiceDescriptor.Singleton<IEntityEntryGraphIterator, TenancyEntityEntryGraphIterator>());
        services.Replace(ServiceDescriptor.Scoped<IMigrationsModelDiffer, TenancyMigrationsModelDiffer>());
#pragma warning restore EF1001
        services.Replace(ServiceDescriptor.Singleton<IModelValidator, TenancyModelValidator>());
        services.Replace(ServiceDescriptor.Singleton<IRelationalAnnotationProvider, TenancyAnnotationProvider>());
        services.Replace(ServiceDescriptor.Scoped<IMigrationsSqlGenerator, TenancyMigrationsSqlGenerator>());
        services.Replace(ServiceDescriptor.Scoped<ICompiledQueryCacheKeyGenerator, TenancyCompiledQueryCacheKeyGenerator>());
        services.Replace(ServiceDescriptor.Scoped<IQueryTranslationPreprocessorFactory, TenancyQueryTranslationPreprocessorFactory>());

        return services;
    }
}
