using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>Refuses <c>ReplaceService</c> of what EfTenancy registers, unless by a class that derives from its own: filters and guards would be gone without a word.</summary>
#pragma warning disable EF1001 // The provider's connection service is one of them.
public static class ReplacedServices
{
    private static readonly Lazy<ILookup<Type, Type?>> Own = new(
        () => new ServiceCollection().AddEntityFrameworkTenancy().ToLookup(d => d.ServiceType, d => d.ImplementationType));

    // Where tenants have one database, any connection leads there; elsewhere ConnectionServiceGuard refuses it. Any of the others keeps tenants apart.
    private static readonly Type[] Harmless =
    [
        typeof(INpgsqlRelationalConnection), typeof(IMigrator), typeof(IValueGeneratorSelector), typeof(IQueryContextFactory),
    ];

    /// <summary>Those of which there is one, and without which tenants would not be kept apart.</summary>
    public static IEnumerable<(Type Service, Type Implementation)> Needed
        => from own in Own.Value
           from implementation in own
           where implementation is not null && own.Key != typeof(IConventionSetPlugin) && !Harmless.Contains(own.Key)
           select (own.Key, implementation);

    public static void Refuse(IDbContextOptions options)
    {
        foreach (var ((service, implementation), replacement) in options.FindExtension<CoreOptionsExtension>()?.ReplacedServices
                     ?? new Dictionary<(Type, Type?), Type>())
        {
            if (!Harmless.Contains(service)
                && Own.Value[service].Any(o => (implementation is null || implementation == o) && o?.IsAssignableFrom(replacement) != true))
            {
                throw new InvalidOperationException(
                    TenancyStrings.ServiceIsReplaced(service.Name, replacement.Name, (Own.Value[service].First() ?? typeof(CurrentTenant)).Name));
            }
        }
    }
}
#pragma warning restore EF1001
