using System.ComponentModel.Design;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     The tenant that one context works for: the explicit one, else the application's, else the default one. Found at
///     first use and kept, so that a context never changes tenants half way; forgotten when a pooled context is returned.
/// </summary>
public class CurrentTenant(
    IDbContextOptions options,
    ICurrentDbContext currentContext,
    IDiagnosticsLogger<DbLoggerCategory.Infrastructure> logger) : IResettableService
{
    // A context that no container made has no application services, and its accessor is asked all the same.
    private static readonly IServiceProvider NoServices = new ServiceContainer();

    private readonly TenancyOptionsExtension? _options = options.FindExtension<TenancyOptionsExtension>();
    private readonly HashSet<string> _opened = [];
    private string? _tenantId;
    private string? _workingFor;
    private readonly HashSet<object> _acrossTenants = [];

    public virtual DbContext Context
        => currentContext.Context;

    public virtual string TenantId
        => _tenantId ?? Settle(Resolve());

    /// <summary>The tenant of entities that are tracked now: another one inside <see cref="WorkFor" />.</summary>
    public virtual string TenantIdOfNewWork
        => _workingFor ?? TenantId;

    /// <summary>Whether the context reads and writes the rows of all tenants.</summary>
    public virtual bool IsAcrossTenants
        => _acrossTenants.Count > 0;

    /// <summary>The tenant if it was used already, without fixing it.</summary>
    public virtual string? PinnedTenantId
        => _tenantId;

    public virtual void Use(string tenantId)
        => Settle(tenantId);

    /// <summary>A tenant id as it comes in, in the form that rows and partitions have.</summary>
    public virtual string Normalize(string? tenantId, string parameterName)
        => TenantIdRules.Normalize(
            TenantIdRules.Check(tenantId, parameterName, _options?.MaxTenantIdLength ?? TenancyDefaults.MaxTenantIdLength),
            _options?.TenantIdStyle ?? default);

    /// <summary>Whether this unit of work may write rows of a tenant.</summary>
    public virtual bool IsOpen(string? tenantId)
        => IsAcrossTenants || (tenantId is not null && (_opened.Contains(tenantId) || tenantId == TenantId));

    public virtual void Open(string tenantId)
        => _opened.Add(tenantId);

    public virtual IDisposable WorkFor(string tenantId)
    {
        var before = _workingFor;
        _workingFor = tenantId;
        return new Scope(() => _workingFor = before);
    }

    public virtual IDisposable EnterAcrossTenants()
    {
        // A scope that outlives a pooled context's lease must not end one of the next lease.
        var scope = new object();
        _acrossTenants.Add(scope);
        return new Scope(() => _acrossTenants.Remove(scope));
    }

    public virtual void ResetState()
    {
        _tenantId = null;
        _workingFor = null;
        _acrossTenants.Clear();
        _opened.Clear();
    }

    public virtual Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    private string Settle(string tenantId)
    {
        _tenantId = tenantId;
        logger.TenantSet(Context, tenantId);
        return tenantId;
    }

    private string Resolve()
    {
        var tenantId = FromApplication();

        if (!string.IsNullOrEmpty(tenantId))
        {
            return Normalize(tenantId, nameof(ITenantAccessor.TenantId));
        }

        if (_options?.DefaultTenantDisabled == true)
        {
            throw new DefaultTenantUsageDisabledException();
        }

        logger.DefaultTenantUsed(Context);
        return TenancyDefaults.DefaultTenantId;
    }

    private string? FromApplication()
    {
        var services = options.FindExtension<CoreOptionsExtension>()?.ApplicationServiceProvider;

        return _options?.TenantAccessor is { } accessor
            ? accessor(services ?? NoServices)
            : services is not null ? TenantAccessorLifetime.Resolve(services)?.TenantId
            : null;
    }

    private sealed class Scope(Action leave) : IDisposable
    {
        private Action? _leave = leave;

        public void Dispose()
            => Interlocked.Exchange(ref _leave, null)?.Invoke();
    }
}
