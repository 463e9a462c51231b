using System.ComponentModel.Design;
using EfTenancy.Administration.Internal;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>
///     The tenant that one context works for: the explicit one, else the application's, else the default one. Found at
///     first use and kept, so that a context never changes tenants half way; forgotten when a pooled context is returned.
/// </summary>
public sealed class CurrentTenant(
    IDbContextOptions options,
    ICurrentDbContext currentContext,
    TenantStateCache states,
    ConnectionServiceGuard connectionGuard,
    IDiagnosticsLogger<DbLoggerCategory.Infrastructure> logger)
{
    // A context that no container made has no application services, and its accessor is asked all the same.
    private static readonly IServiceProvider NoServices = new ServiceContainer();

    private readonly TenancyOptionsExtension? _options = options.FindExtension<TenancyOptionsExtension>();
    private OpenedTenants? _opened;
    private TenantIdConverter? _idConverter;
    private string? _registrySchema = options.FindExtension<TenancyOptionsExtension>()?.Partitioning?.RegistrySchema;
    private string? _tenantId;
    private bool _isTold;
    private bool _isResolving;
    private object? _value;
    private string? _workingFor;
    private string[]? _group;
    private CurrentPlace? _place;
    private int _ownLookups;

    /// <summary>That of a context whose model is there, or is to be built now; null without tenancy's services.</summary>
#pragma warning disable EF1001 // The state manager is at hand. Asking the services would cost a third of a pooled context's lease.
    public static CurrentTenant? OfRunning(DbContext context)
        => ((IDbContextDependencies)context).StateManager is TenancyStateManager stateManager
            ? stateManager.Tenant
            : (CurrentTenant?)context.GetInfrastructure().GetService(typeof(CurrentTenant));
#pragma warning restore EF1001

    /// <summary>False under an internal service provider whose other contexts have tenancy.</summary>
    public bool IsConfigured
        => _options is not null;

    public DbContext Context
        => currentContext.Context;

    /// <exception cref="InvalidOperationException">The context reads several tenants.</exception>
    public string TenantId
        => _group is null
            ? _isTold ? _tenantId! : Settle()
            : throw new InvalidOperationException(TenancyStrings.ContextHasSeveralTenants(_group));

    /// <summary>The same as the model's tenant properties hold it.</summary>
    /// <inheritdoc cref="TenantId" path="/exception" />
    public object Value
        => _value ??= IdConverter.ToValue(TenantId);

    /// <summary>Where the context works; null where tenants have no databases or schemas of their own.</summary>
    public CurrentPlace? Place
        => _options?.Databases is { } databases
            ? _place ??= new CurrentPlace(this, databases, _options.PendingMigrationsRefused, logger)
            : null;

    /// <summary>The tenant that the context was used for already, or the first of several; null before first use.</summary>
    public string? PinnedTenantId
        => _group?[0] ?? _tenantId;

    /// <summary>The tenants whose rows the context reads: one, or those of a group.</summary>
    public IReadOnlyList<string> TenantIds
        => _group ?? [TenantId];

    /// <summary>Whether it is known already whom the context works for.</summary>
    public bool IsChosen
        => _tenantId is not null || _group is not null;

    public bool IsGroup
        => _group is not null;

    /// <summary>The tenant of entities that are tracked now: another one inside <see cref="WorkFor" />.</summary>
    public string TenantIdOfNewWork
        => _workingFor ?? TenantId;

    /// <inheritdoc cref="TenantIdOfNewWork" />
    public object ValueOfNewWork
        => _workingFor is null ? Value : IdConverter.ToValue(_workingFor);

    public bool IsWorkingFor
        => _workingFor is not null;

    public TenantIdConverter IdConverter
        => _idConverter ??= TenantIdConverter.Of(Context.Model);

    /// <summary>Whether the context reads and writes the rows of all tenants.</summary>
    public bool IsAcrossTenants
        => _opened is { IsAll: true };

    /// <summary>Tenants that the context was opened for besides its own.</summary>
    public IReadOnlyCollection<string> OpenedTenantIds
        => _opened?.TenantIds ?? [];

    /// <summary>Whether a query of this context went beyond its tenant, so that an entity at hand may be another tenant's.</summary>
    public bool HasReadOtherTenants { get; private set; }

    public void ReadOtherTenants()
        => HasReadOtherTenants = true;

    /// <summary>Whether the context can have rows of more than one tenant at hand.</summary>
    public bool MayHoldOthers
        => _opened is not null || IsGroup || HasReadOtherTenants;

    /// <summary>Whether all entities of a type that this context can have read are of its own tenant.</summary>
    public bool HasReadOnlyOwn(IReadOnlyEntityType entityType)
        => !IsGroup && !HasReadOtherTenants && !entityType.HasSharedRows();

    /// <summary>As <see cref="ReadOtherTenants" />, by a query that names no tenants: it ends where the tables of the context's place do.</summary>
    public void ReadAllTenants()
    {
        ReadOtherTenants();

        if (_ownLookups <= 0)
        {
            Place?.WarnOfTenantsElsewhere();
        }
    }

    /// <summary>Around queries of EF's or our own that have no tenant filter and ask for rows of the context's tenant all the same.</summary>
    public IDisposable LookingUpOwnRows()
    {
        var before = HasReadOtherTenants;
        _ownLookups++;
        return new Scope(
            () =>
            {
                HasReadOtherTenants = before;
                _ownLookups--;
            });
    }

    /// <summary>The tenants that were used already, without fixing them; empty before first use.</summary>
    public IReadOnlyList<string> PinnedTenantIds
        => _group ?? (_tenantId is null ? [] : [_tenantId]);

    /// <summary>Whether the context was used for other tenants than these before.</summary>
    public bool WorkedForOthers(ReadOnlySpan<string> tenantIds)
        => _group is not null ? !tenantIds.SequenceEqual(_group)
            : _tenantId is not null && !(tenantIds is [var one] && one == _tenantId);

    /// <summary>Makes the context work in a place for migrations and administration, whatever the state of its tenant.</summary>
    /// <param name="place">The place.</param>
    /// <param name="tenantId">The only tenant there; null for none.</param>
    public void UsePlace(TenantPlace place, string? tenantId)
    {
        RefuseOtherConnection();
        Forget();
        Place!.Give(place);
        _tenantId = tenantId;
        _isTold = tenantId is not null;
    }

    public void Use(string tenantId)
    {
        if (IsChosen)
        {
            RememberIfOther(tenantId);
        }

        Enter(tenantId);
    }

    /// <summary>Makes the context read the rows of several tenants; it writes those of none.</summary>
    public void Use(string[] tenantIds)
    {
        foreach (var tenantId in tenantIds)
        {
            RefuseDisabled(tenantId);
        }

        RefuseOtherConnection();
        var place = Place?.Of(tenantIds);
        RememberIfOther(tenantIds);
        Forget();
        _group = tenantIds;
        Place?.Enter(place!);
        logger.TenantSet(Context, string.Join(", ", tenantIds));
    }

    public int MaxTenantIdLength
        => _options?.MaxTenantIdLength ?? TenancyDefaults.MaxTenantIdLength;

    public TenantIdStyle TenantIdStyle
        => _options?.TenantIdStyle ?? default;

    /// <summary>A tenant id as it comes in, in the form that rows and partitions have.</summary>
    public string Normalize(string? tenantId, string parameterName)
        => IdConverter.Normalize(
            TenantIdRules.Check(tenantId, parameterName, MaxTenantIdLength),
            TenantIdStyle,
            parameterName);

    /// <summary>The value of a tenant property as it comes in, in the form that rows have.</summary>
    public object Normalize(object value, string propertyName)
        => IdConverter.ToValue(Normalize(IdConverter.ToTenantIdOf(value), propertyName));

    /// <summary>Whether this unit of work may write rows of the tenant that a tenant property holds.</summary>
    public bool IsOpen(object? value)
        => IsAcrossTenants
            || (IdConverter.ToStored(value) is { } stored
                && (_opened?.Contains(stored) == true || (_group is null && stored.Equals(IdConverter.ToStored(Value)))));

    /// <summary>Whether this context reads rows of the tenant that a tenant property holds, or can by naming it.</summary>
    public bool IsReadable(object? value, bool hasSharedRows)
        => IsOpen(value) || IsRead(value, hasSharedRows);

    /// <summary>Whether this context's filter lets rows of the tenant that a tenant property holds through.</summary>
    public bool IsRead(object? value, bool hasSharedRows)
        => IsAcrossTenants
            || (IdConverter.ToTenantIdOf(value) is { } tenantId
                && (TenantIds.Contains(tenantId) || (hasSharedRows && tenantId == TenancyDefaults.DefaultTenantId)));

    /// <summary>How many tenants' rows of a type the context reads.</summary>
    public int ReadableCount(IReadOnlyEntityType entityType)
        => (_group?.Length ?? 1) + (entityType.HasSharedRows() ? 1 : 0);

    /// <summary>The tenants whose rows the context reads, as properties hold them; behind them the default one.</summary>
    public object ReadableAt(int index)
        => index == (_group?.Length ?? 1) ? IdConverter.Default
            : _group is null ? Value
            : IdConverter.ToValue(_group[index]);

    public void Open(string tenantId)
    {
        Place?.RefuseToOpen(tenantId);
        RefuseDisabled(tenantId);
        (_opened ??= new OpenedTenants()).Open(tenantId, IdConverter.ToStored(IdConverter.ToValue(tenantId))!);
    }

    /// <summary>Tells of the model's registry where the options name none. Asking the model earlier would build it inside of itself.</summary>
    public void FollowRegistry(string registrySchema)
    {
        if (_registrySchema is null)
        {
            _registrySchema = registrySchema;
            foreach (var tenantId in PinnedTenantIds)
            {
                RefuseDisabled(tenantId);
            }
        }
    }

    private void RefuseOtherConnection()
    {
        if (_options?.Databases is not null)
        {
            connectionGuard.RefuseOther(Context);
        }
    }

    private void RefuseDisabled(string tenantId)
    {
        // Where tenants have places, who says where they are also says who is disabled.
        if (_options?.Databases is null && _registrySchema is { } registrySchema)
        {
            states.Refuse(Context, registrySchema, tenantId, IdConverter.TextOf(tenantId));
        }
    }

    public IDisposable WorkFor(string tenantId)
    {
        var before = _workingFor;
        _workingFor = tenantId;
        return new Scope(() => _workingFor = before);
    }

    public IDisposable EnterAcrossTenants()
        => new Scope((_opened ??= new OpenedTenants()).OpenAll());

    /// <summary>Forgets all that the lease of a pooled context knew.</summary>
    public void ResetState()
    {
        if (IsChosen)
        {
            Forget();
        }

        _place?.Reset();
        _workingFor = null;
        _opened = null;
        HasReadOtherTenants = false;
        _ownLookups = 0;
    }

    // What was read untracked before is still at hand.
    private void RememberIfOther(params ReadOnlySpan<string> tenantIds)
    {
        if (WorkedForOthers(tenantIds))
        {
            ReadOtherTenants();
        }
    }

    private void Forget()
    {
        _tenantId = null;
        _value = null;
        _group = null;
        _isTold = false;
        _place?.Forget();
    }

    private void Enter(string tenantId)
    {
        RefuseOtherConnection();
        RefuseDisabled(tenantId);
        if (IsChosen)
        {
            Forget();
        }

        _tenantId = tenantId;
    }

    private string Settle()
    {
        if (_tenantId is null)
        {
            // EF refuses a disposed context. One in its pool would take the tenant to its next lease.
            _ = Context.GetInfrastructure();
            Enter(Resolve());
        }

        Tell();
        return _tenantId!;
    }

    /// <summary>Tells, once, which tenant the context is used for. Not when it is named: a pooled context is leased in less time than that takes.</summary>
    public void Tell()
    {
        if (!_isTold && _tenantId is not null)
        {
            _isTold = true;
            logger.TenantSet(Context, _tenantId);
            TenancyMeter.ContextOpened(_tenantId);
        }
    }

    /// <summary>The tenant that the context will work for, if nothing else is said before its first use.</summary>
    public string Resolve()
    {
        if (_isResolving)
        {
            throw new InvalidOperationException(TenancyStrings.TenantAccessorAsksItself(Context.GetType().Name));
        }

        string? tenantId;
        try
        {
            _isResolving = true;
            tenantId = FromApplication();
        }
        finally
        {
            _isResolving = false;
        }

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
