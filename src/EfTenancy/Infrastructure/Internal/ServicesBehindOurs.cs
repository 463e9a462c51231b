using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     As <see cref="ReplacedServices" />, for what was registered behind EfTenancy's services: by another extension of the options, or by
///     the application in the collection that it builds for <c>UseInternalServiceProvider</c>.
/// </summary>
/// <param name="services">The collection, which is whole by the time that a service is asked for.</param>
public sealed class ServicesBehindOurs(IServiceCollection services) : ISingletonOptions
{
    private readonly Lazy<string?> _refusal = new(() => Refusal(services, haveTenantsPlaces: false));
    private readonly Lazy<string?> _refusalWithPlaces = new(() => Refusal(services, haveTenantsPlaces: true));

    public void Initialize(IDbContextOptions options)
    {
    }

    // EF calls it once for each service provider of its own, and for each context of an application's, which may have no tenancy.
    public void Validate(IDbContextOptions options)
    {
        if (options.FindExtension<TenancyOptionsExtension>() is { } tenancy
            && (tenancy.Databases is null ? _refusal : _refusalWithPlaces).Value is { } refusal)
        {
            throw new InvalidOperationException(refusal);
        }
    }

    private static string? Refusal(IServiceCollection services, bool haveTenantsPlaces)
        => (from own in ReplacedServices.Needed(haveTenantsPlaces)
            let last = services.LastOrDefault(d => d.ServiceType == own.Service && !d.IsKeyedService)
            let type = last?.ImplementationType ?? last?.ImplementationInstance?.GetType()
            where last is not null && !own.Implementation.IsAssignableFrom(type) && !IsWrapped(own.Service, own.Implementation, type, services)
            select TenancyStrings.ServiceIsRegisteredOver(own.Service.Name, type?.Name, own.Implementation.Name))
            .FirstOrDefault();

    // A wrapper says what it makes in its type argument, or asks for it as another service.
    private static bool IsWrapped(Type service, Type own, Type? registered, IServiceCollection services)
        => registered?.GenericTypeArguments.Contains(own) == true
            || services.Any(d => d.IsKeyedService ? d.KeyedImplementationType == own : d.ImplementationType == own && d.ServiceType != service);
}
