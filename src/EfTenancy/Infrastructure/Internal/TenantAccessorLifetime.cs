using System.Runtime.CompilerServices;
using EfTenancy.Properties;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     Resolves the application's <see cref="ITenantAccessor" />, and refuses a scoped one from the root services: without scope
///     validation it would be that of the first request for all others.
/// </summary>
public static class TenantAccessorLifetime
{
    private static readonly ConditionalWeakTable<IServiceProvider, object> Checked = [];

    public static ITenantAccessor? Resolve(IServiceProvider services)
    {
        var accessor = services.GetService<ITenantAccessor>();
        if (accessor is not null && IsRoot(services) && !Checked.TryGetValue(services, out _))
        {
            if (IsScoped(services, accessor))
            {
                throw new InvalidOperationException(TenancyStrings.ScopedTenantAccessor);
            }

            Checked.AddOrUpdate(services, services);
        }

        return accessor;
    }

    // The root makes the scopes of Microsoft's container. Another container shows no difference here and is not checked.
    private static bool IsRoot(IServiceProvider services)
        => ReferenceEquals(services.GetService<IServiceProvider>(), services.GetService<IServiceScopeFactory>());

    // One instance for the root and another for a scope; a transient one would be another each time.
    private static bool IsScoped(IServiceProvider services, ITenantAccessor accessor)
    {
        using var scope = services.CreateScope();
        return ReferenceEquals(accessor, services.GetService<ITenantAccessor>())
            && !ReferenceEquals(accessor, scope.ServiceProvider.GetService<ITenantAccessor>());
    }
}
