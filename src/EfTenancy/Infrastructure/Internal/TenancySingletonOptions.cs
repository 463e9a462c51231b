using System.Collections.Concurrent;
using EfTenancy.Metadata;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     Under <c>UseInternalServiceProvider</c> EF caches one model for each context type, whatever the options say. A context with
///     other policies, or with tenancy after one without, would silently get that model, unfiltered entities included; this
///     refuses it.
/// </summary>
public class TenancySingletonOptions : ISingletonOptions
{
    private readonly ConcurrentDictionary<Type, (bool HasTenancy, bool AllEntities, TenantPartitioning? Partitioning, TenantIdStyle? IdStyle)> _policies = new();

    public virtual void Initialize(IDbContextOptions options)
        => Validate(options);

    public virtual void Validate(IDbContextOptions options)
    {
        var extension = options.FindExtension<TenancyOptionsExtension>();
        var policies = (extension is not null, extension?.AllEntitiesMultiTenanted ?? false, extension?.Partitioning, extension?.TenantIdStyle);

        if (_policies.GetOrAdd(((DbContextOptions)options).ContextType, policies) != policies)
        {
            throw new InvalidOperationException(TenancyStrings.SingletonOptionsChanged);
        }
    }
}
