using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     The tenant that one context works for: the explicit one, else the application's, else the default one. Found at
///     first use and kept, so that a context never changes tenants half way; forgotten when a pooled context is returned.
/// </summary>
public class CurrentTenant(IDbContextOptions options) : IResettableService
{
    private string? _tenantId;

    public virtual string TenantId
        => _tenantId ??= Resolve();

    /// <summary>The tenant if it was used already, without fixing it.</summary>
    public virtual string? PinnedTenantId
        => _tenantId;

    public virtual void Use(string tenantId)
        => _tenantId = tenantId;

    public virtual void ResetState()
        => _tenantId = null;

    public virtual Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private string Resolve()
    {
        var extension = options.FindExtension<TenancyOptionsExtension>();
        var tenantId = FromApplication(extension);

        return !string.IsNullOrEmpty(tenantId)
            ? TenantIdRules.Check(tenantId, nameof(ITenantAccessor.TenantId))
            : extension?.DefaultTenantDisabled != true
                ? TenancyDefaults.DefaultTenantId
                : throw new DefaultTenantUsageDisabledException();
    }

    private string? FromApplication(TenancyOptionsExtension? extension)
        => options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider is { } services
            ? extension?.TenantAccessor is { } accessor
                ? accessor(services)
                : services.GetService<ITenantAccessor>()?.TenantId
            : null;
}
