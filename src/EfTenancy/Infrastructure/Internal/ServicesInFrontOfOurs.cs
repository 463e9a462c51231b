using System.Reflection;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     Puts EfTenancy's services in the place of EF's and its provider's. What an extension in front of <c>UseTenancy</c> put there is not
///     taken out without a word: a wrapper of EF's service, such as LINQKit's, wraps EfTenancy's from then on; anything else is refused.
/// </summary>
#pragma warning disable EF1001 // One of the provider's services tells its assembly.
public static class ServicesInFrontOfOurs
{
    private static readonly Assembly[] Replaced =
    [
        typeof(DbContext).Assembly, typeof(IRelationalConnection).Assembly, typeof(INpgsqlRelationalConnection).Assembly,
        typeof(ServicesInFrontOfOurs).Assembly,
    ];

    public static void Replace(IServiceCollection services, ServiceDescriptor own)
    {
        var there = services.LastOrDefault(d => d.ServiceType == own.ServiceType && !d.IsKeyedService);
        if (there is null || Replaced.Contains(AssemblyOf(there)))
        {
            services.Replace(own);
        }
        else if (WrapperOf(own.ImplementationType!, there.ImplementationType) is { } wrapper)
        {
            services.Replace(new ServiceDescriptor(own.ServiceType, wrapper, there.Lifetime));
            services.TryAdd(new ServiceDescriptor(own.ImplementationType!, own.ImplementationType!, own.Lifetime));
        }
        else
        {
            throw new InvalidOperationException(
                TenancyStrings.ServiceIsRegisteredInFront(own.ServiceType.Name, there.ImplementationType?.Name, own.ImplementationType!.Name));
        }
    }

    private static Assembly AssemblyOf(ServiceDescriptor service)
        => (service.ImplementationType ?? service.ImplementationInstance?.GetType() ?? service.ImplementationFactory!.Method.DeclaringType!).Assembly;

    // A wrapper says what it makes in its type argument.
    private static Type? WrapperOf(Type own, Type? registered)
        => registered is { IsConstructedGenericType: true } && Array.FindIndex(registered.GenericTypeArguments, a => a.IsAssignableFrom(own)) is var index and >= 0
            ? registered.GetGenericTypeDefinition().MakeGenericType([.. registered.GenericTypeArguments.Select((a, i) => i == index ? own : a)])
            : null;
}
#pragma warning restore EF1001
