using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>Refuses <c>ReplaceService</c> of what EfTenancy registers, unless by a class that derives from its own: filters and guards would be gone without a word.</summary>
#pragma warning disable EF1001 // The provider's connection service is one of them.
public static class ReplacedServices
{
    // The state manager forgets the tenant when EF resets it, which it does by its own list.
    private static readonly Lazy<ILookup<Type, Type?>> Own = new(
        () => new ServiceCollection().AddEntityFrameworkTenancy()
            .Select(d => (d.ServiceType, d.ImplementationType))
            .Append((typeof(IResettableService), null))
            .ToLookup<(Type Service, Type? Implementation), Type, Type?>(d => d.Service, d => d.Implementation));

    // Where tenants have one database, any connection leads there; elsewhere ConnectionServiceGuard refuses it. Any of the others keeps tenants apart.
    private static readonly Type[] Harmless =
    [
        typeof(INpgsqlRelationalConnection), typeof(IMigrator), typeof(IValueGeneratorSelector), typeof(IQueryContextFactory),
        typeof(IQueryableMethodTranslatingExpressionVisitorFactory),
    ];

    /// <summary>Those of which there is one, and without which tenants would not be kept apart.</summary>
    /// <param name="haveTenantsPlaces">Whether tenants have databases or schemas of their own.</param>
    public static IEnumerable<(Type Service, Type Implementation)> Needed(bool haveTenantsPlaces)
        => from own in Own.Value
           from implementation in own
           where implementation is not null && own.Key != typeof(IConventionSetPlugin) && IsNeeded(own.Key, haveTenantsPlaces)
           select (own.Key, implementation);

    public static void Refuse(IDbContextOptions options)
    {
        var haveTenantsPlaces = options.FindExtension<TenancyOptionsExtension>()?.Databases is not null;
        foreach (var ((service, implementation), replacement) in options.FindExtension<CoreOptionsExtension>()?.ReplacedServices
                     ?? new Dictionary<(Type, Type?), Type>())
        {
            if (IsNeeded(service, haveTenantsPlaces)
                && Own.Value[service].Any(o => (implementation is null || implementation == o) && o?.IsAssignableFrom(replacement) != true))
            {
                throw new InvalidOperationException(
                    TenancyStrings.ServiceIsReplaced(service.Name, replacement.Name, (Own.Value[service].First() ?? typeof(TenancyStateManager)).Name));
            }
        }
    }

    // Where there is one database, deleting it deletes all tenants, whoever does it.
    private static bool IsNeeded(Type service, bool haveTenantsPlaces)
        => !Harmless.Contains(service) && (haveTenantsPlaces || service != typeof(IRelationalDatabaseCreator));
}
#pragma warning restore EF1001
