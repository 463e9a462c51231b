using EfTenancy.Metadata;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     Under <c>UseInternalServiceProvider</c> EF caches one model per context type, whatever the options say. Two contexts
///     with other policies would silently share the first one's model, unfiltered entities included; this refuses them.
/// </summary>
public class TenancySingletonOptions : ISingletonOptions
{
    private (bool AllEntitiesMultiTenanted, TenantPartitioning? Partitioning)? _policies;

    public virtual void Initialize(IDbContextOptions options)
    {
        if (options.FindExtension<TenancyOptionsExtension>() is { } extension)
        {
            _policies = (extension.AllEntitiesMultiTenanted, extension.Partitioning);
        }
    }

    public virtual void Validate(IDbContextOptions options)
    {
        if (options.FindExtension<TenancyOptionsExtension>() is not { } extension)
        {
            return;
        }

        var policies = (extension.AllEntitiesMultiTenanted, extension.Partitioning);
        if ((_policies ??= policies) != policies)
        {
            throw new InvalidOperationException(TenancyStrings.SingletonOptionsChanged);
        }
    }
}
