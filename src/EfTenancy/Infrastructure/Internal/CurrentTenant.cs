using System.ComponentModel.Design;
using EfTenancy.Administration.Internal;
using EfTenancy.ChangeTracking.Internal;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
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
public class CurrentTenant(
    IDbContextOptions options,
    ICurrentDbContext currentContext,
    TenantStateCache states,
    IDiagnosticsLogger<DbLoggerCategory.Infrastructure> logger) : IResettableService
{
    // A context that no container made has no application services, and its accessor is asked all the same.
    private static readonly IServiceProvider NoServices = new ServiceContainer();

    private readonly TenancyOptionsExtension? _options = options.FindExtension<TenancyOptionsExtension>();
    private readonly HashSet<object> _opened = [];
    private readonly HashSet<string> _openedTenantIds = [];
    private TenantIdConverter? _idConverter;
    private string? _registrySchema = options.FindExtension<TenancyOptionsExtension>()?.Partitioning?.RegistrySchema;
    private string? _tenantId;
    private object? _value;
    private string? _workingFor;
    private string[]? _group;
    private TenantPlace? _place;
    private TenantPlace? _givenPlace;
    private readonly HashSet<object> _acrossTenants = [];
    private int _ownLookups;
    private bool _hasWarnedOfPlace;

    /// <summary>That of a context whose model is there, or is to be built now; null without tenancy's services.</summary>
#pragma warning disable EF1001 // The state manager is at hand. Asking the services would cost a third of a pooled context's lease.
    public static CurrentTenant? OfRunning(DbContext context)
        => ((IDbContextDependencies)context).StateManager is TenancyStateManager stateManager
            ? stateManager.Tenant
            : (CurrentTenant?)context.GetInfrastructure().GetService(typeof(CurrentTenant));
#pragma warning restore EF1001

    /// <summary>False under an internal service provider whose other contexts have tenancy.</summary>
    public virtual bool IsConfigured
        => _options is not null;

    public virtual DbContext Context
        => currentContext.Context;

    /// <exception cref="InvalidOperationException">The context reads several tenants.</exception>
    public virtual string TenantId
        => _group is null
            ? _tenantId ?? Settle(Resolve())
            : throw new InvalidOperationException(TenancyStrings.ContextHasSeveralTenants(_group));

    /// <summary>The same as the model's tenant properties hold it.</summary>
    /// <inheritdoc cref="TenantId" path="/exception" />
    public virtual object Value
        => _value ??= IdConverter.ToValue(TenantId);

    /// <summary>Whether tenants have databases or schemas of their own.</summary>
    public virtual bool HasPlaces
        => _options?.Databases is not null;

    /// <summary>The tenant whose database the context works in; null where it works for none.</summary>
    public virtual string? PlaceTenantId
        => _group?[0] ?? _tenantId;

    /// <summary>The same for messages.</summary>
    public virtual string PlaceOwner
        => PlaceTenantId ?? string.Join(", ", PinnedTenantIds);

    /// <summary>The tenants whose rows the context reads: one, or those of a group.</summary>
    public virtual IReadOnlyList<string> TenantIds
        => _group ?? [TenantId];

    public virtual bool IsGroup
        => _group is not null;

    /// <summary>The tenant of entities that are tracked now: another one inside <see cref="WorkFor" />.</summary>
    public virtual string TenantIdOfNewWork
        => _workingFor ?? TenantId;

    /// <inheritdoc cref="TenantIdOfNewWork" />
    public virtual object ValueOfNewWork
        => _workingFor is null ? Value : IdConverter.ToValue(_workingFor);

    public virtual bool IsWorkingFor
        => _workingFor is not null;

    public virtual TenantIdConverter IdConverter
        => _idConverter ??= TenantIdConverter.Of(Context.Model);

    /// <summary>Whether the context reads and writes the rows of all tenants.</summary>
    public virtual bool IsAcrossTenants
        => _acrossTenants.Count > 0;

    /// <summary>Whether a query of this context went beyond its tenant, so that an entity at hand may be another tenant's.</summary>
    public virtual bool HasReadOtherTenants { get; private set; }

    public virtual void ReadOtherTenants()
        => HasReadOtherTenants = true;

    /// <summary>Whether all entities of a type that this context can have read are of its own tenant.</summary>
    public virtual bool HasReadOnlyOwn(IReadOnlyEntityType entityType)
        => !IsGroup && !HasReadOtherTenants && !entityType.HasSharedRows();

    /// <summary>As <see cref="ReadOtherTenants" />, by a query that names no tenants: it ends where the tables of the context's place do.</summary>
    public virtual void ReadAllTenants()
    {
        ReadOtherTenants();

        // Administration goes from place to place by itself, and without a tenant's column nothing but a scope asks for all tenants.
        if (_options?.Databases is { } databases
            && _givenPlace is null
            && !_hasWarnedOfPlace
            && _ownLookups <= 0
            && (IsAcrossTenants || Context.Model.HasMultiTenantedEntities())
            && FindPlace() is var place
            && databases.Directory.HasTenantsElsewhere(place))
        {
            // Where the warning is made an error, the next query is refused, too.
            logger.TenantsElsewhereNotRead(Context, place.Destination);
            _hasWarnedOfPlace = true;
        }
    }

    /// <summary>Around queries of EF's or our own that have no tenant filter and ask for rows of the context's tenant all the same.</summary>
    public virtual IDisposable LookingUpOwnRows()
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
    public virtual IReadOnlyList<string> PinnedTenantIds
        => _group ?? (_tenantId is null ? [] : [_tenantId]);

    /// <summary>Whether the context was used for other tenants than these before.</summary>
    public virtual bool WorkedForOthers(ReadOnlySpan<string> tenantIds)
        => _group is not null ? !tenantIds.SequenceEqual(_group)
            : _tenantId is not null && !(tenantIds is [var one] && one == _tenantId);

    /// <summary>The place that the context works in, if it is known already.</summary>
    public virtual TenantPlace? KnownPlace
        => _givenPlace ?? _place;

    /// <summary>The database, and the schema in it, of the context's tenant; asked only where tenants have such.</summary>
    public virtual TenantPlace FindPlace()
    {
        if (KnownPlace is { } place)
        {
            return place;
        }

        _ = TenantIds;
        return _place!;
    }

    /// <inheritdoc cref="FindPlace" />
    public virtual async ValueTask<TenantPlace> FindPlaceAsync(CancellationToken cancellationToken)
    {
        if (KnownPlace is null)
        {
            await PrepareAsync(Resolve(), cancellationToken).ConfigureAwait(false);
        }

        return FindPlace();
    }

    /// <summary>The place as it is known now: a tenant may be moved while a context has it. Nobody may write where one is that the context writes for.</summary>
    public virtual TenantPlace FindPlaceNow()
    {
        var place = FindPlace();
        if (_givenPlace is not null || _options?.Databases is not { } databases)
        {
            return place;
        }

        var now = databases.Directory.Refresh(TenantIds[0], place);
        return IsAlone
            ? now
            : Together(now, [.. OtherTenantIds.Select(id => (id, databases.Directory.Refresh(id, place)))], databases.Directory);
    }

    /// <inheritdoc cref="FindPlaceNow" />
    public virtual async ValueTask<TenantPlace> FindPlaceNowAsync(CancellationToken cancellationToken)
    {
        if (_givenPlace is null && _options?.Databases is { } databases)
        {
            // The rest finds what this has read.
            await databases.Directory.RefreshAsync(TenantIds[0], FindPlace(), cancellationToken).ConfigureAwait(false);
        }

        return FindPlaceNow();
    }

    /// <summary>Follows a tenant that was moved.</summary>
    public virtual void RefreshPlace()
        => _place = _givenPlace is null ? FindPlaceNow() : _place;

    /// <inheritdoc cref="RefreshPlace" />
    public virtual async ValueTask RefreshPlaceAsync(CancellationToken cancellationToken)
        => _place = _givenPlace is null ? await FindPlaceNowAsync(cancellationToken).ConfigureAwait(false) : _place;

    private bool IsAlone
        => _group is null && _openedTenantIds.Count == 0 && !IsAcrossTenants;

    private IEnumerable<string> OtherTenantIds
        => (_group?.Skip(1) ?? []).Concat(_openedTenantIds);

    private TenantPlace Together(TenantPlace place, IReadOnlyList<(string TenantId, TenantPlace Place)> others, TenantDirectory directory)
    {
        foreach (var (tenantId, other) in others)
        {
            RefuseElsewhere(tenantId, other, place);
        }

        return place with
        {
            MovedTenantId = place.MovedTenantId
                ?? others.Select(o => o.Place.MovedTenantId).FirstOrDefault(t => t is not null)
                ?? (IsAcrossTenants ? directory.ReadOnlyTenantAt(place) : null),
        };
    }

    /// <summary>Asks where a tenant is. The answer is remembered, so that <see cref="Use(string)" /> does not wait for a database.</summary>
    public virtual async ValueTask PrepareAsync(string tenantId, CancellationToken cancellationToken)
    {
        if (_options?.Databases is { } databases)
        {
            await databases.Directory.FindAsync(tenantId, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Whether a tenant's place is looked at before it is used; not by migrations and administration.</summary>
    public virtual bool GuardsMigrations
        => _givenPlace is null && _options is { PendingMigrationsRefused: true };

    /// <summary>Makes the context work in a place for migrations and administration, whatever the state of its tenant.</summary>
    /// <param name="place">The place.</param>
    /// <param name="tenantId">The only tenant there; null for none.</param>
    public virtual void UsePlace(TenantPlace place, string? tenantId)
    {
        Forget();
        _givenPlace = place;
        _tenantId = tenantId;
    }

    /// <summary>Refuses to work in a place where another tenant's rows could be met.</summary>
    public virtual void RefuseUnsafe(TenantPlace place)
    {
        if (place is { IsShared: true, IsSharedPart: false } && !Context.Model.HasMultiTenantedEntities())
        {
            throw new InvalidOperationException(TenancyStrings.SharedWithoutTenantColumn(Context.GetType().Name, PlaceOwner, place.Destination));
        }

        if (place.NeedsSearchPath && Context.Model.GetDefaultSchema() is { } schema)
        {
            throw new InvalidOperationException(TenancyStrings.DefaultSchemaWithSchemas(Context.GetType().Name, schema, place.Destination));
        }
    }

    public virtual void Use(string tenantId)
    {
        RememberIfOther(tenantId);
        Settle(tenantId);
    }

    /// <summary>Makes the context read the rows of several tenants; it writes those of none.</summary>
    public virtual void Use(string[] tenantIds)
    {
        foreach (var tenantId in tenantIds)
        {
            RefuseDisabled(tenantId);
        }

        var place = PlaceOf(tenantIds);
        RememberIfOther(tenantIds);
        Forget();
        _group = tenantIds;
        _place = place;
        logger.TenantSet(Context, string.Join(", ", tenantIds));
    }

    /// <summary>A tenant id as it comes in, in the form that rows and partitions have.</summary>
    public virtual string Normalize(string? tenantId, string parameterName)
        => IdConverter.Normalize(
            TenantIdRules.Check(tenantId, parameterName, _options?.MaxTenantIdLength ?? TenancyDefaults.MaxTenantIdLength),
            _options?.TenantIdStyle ?? default,
            parameterName);

    /// <summary>The value of a tenant property as it comes in, in the form that rows have.</summary>
    public virtual object Normalize(object value, string propertyName)
        => IdConverter.ToValue(Normalize(IdConverter.ToTenantIdOf(value), propertyName));

    /// <summary>Whether this unit of work may write rows of the tenant that a tenant property holds.</summary>
    public virtual bool IsOpen(object? value)
        => IsAcrossTenants
            || (IdConverter.ToStored(value) is { } stored
                && (_opened.Contains(stored) || (_group is null && stored.Equals(IdConverter.ToStored(Value)))));

    /// <summary>Whether this context reads rows of the tenant that a tenant property holds.</summary>
    public virtual bool IsReadable(object? value, bool hasSharedRows)
        => IsOpen(value)
            || (IdConverter.ToTenantIdOf(value) is { } tenantId
                && ((_group?.Contains(tenantId) ?? false) || (hasSharedRows && tenantId == TenancyDefaults.DefaultTenantId)));

    /// <summary>How many tenants' rows of a type the context reads.</summary>
    public virtual int ReadableCount(IReadOnlyEntityType entityType)
        => (_group?.Length ?? 1) + (entityType.HasSharedRows() ? 1 : 0);

    /// <summary>The tenants whose rows the context reads, as properties hold them; behind them the default one.</summary>
    public virtual object ReadableAt(int index)
        => index == (_group?.Length ?? 1) ? IdConverter.Default
            : _group is null ? Value
            : IdConverter.ToValue(_group[index]);

    public virtual void Open(string tenantId)
    {
        if (_options?.Databases is { } databases)
        {
            var place = FindPlace();
            var other = databases.Directory.Find(tenantId);
            RefuseElsewhere(tenantId, other, place);

            // The transaction may be running already.
            if (other.MovedTenantId == tenantId && tenantId != _tenantId)
            {
                throw Moving(tenantId, other);
            }
        }

        RefuseDisabled(tenantId);
        _openedTenantIds.Add(tenantId);
        _opened.Add(IdConverter.ToStored(IdConverter.ToValue(tenantId))!);
    }

    /// <summary>Refuses a tenant whose rows are not where this context reads and writes.</summary>
    /// <exception cref="InvalidTenantForDatabaseException">It is in another database or schema.</exception>
    public virtual void RefuseElsewhere(string tenantId)
    {
        if (_options?.Databases is { } databases && !IsOnly(tenantId))
        {
            RefuseElsewhere(tenantId, databases.Directory.Find(tenantId), FindPlace());
        }
    }

    /// <summary>The same for a query that names the tenant, wherever the context's own tenant may have been moved meanwhile.</summary>
    /// <exception cref="InvalidTenantForDatabaseException">It is in another database or schema, so that its rows would be left out.</exception>
    /// <exception cref="TenantDatabaseException">They are to be written, and are being moved.</exception>
    /// <exception cref="UnknownTenantException">Nobody knows it.</exception>
    public virtual void RefuseToReach(string tenantId, bool isWritten)
    {
        if (_options?.Databases is not { } databases)
        {
            return;
        }

        // Those that the context has, or has opened, are looked at here and each time the connection is opened.
        var place = FindPlaceNow();
        if (!PinnedTenantIds.Contains(tenantId)
            && !_openedTenantIds.Contains(tenantId)
            && databases.Directory.Locate(tenantId) is { } other)
        {
            RefuseElsewhere(tenantId, other, place);
            if (isWritten && other.MovedTenantId is not null)
            {
                throw Moving(tenantId, other);
            }
        }
    }

    /// <summary>Refuses to write the rows of all tenants of the context's place while one of them is being moved.</summary>
    /// <exception cref="TenantDatabaseException">One is.</exception>
    public virtual void RefuseToWriteMoved()
    {
        if (_options?.Databases is { } databases
            && _givenPlace is null
            && FindPlaceNow() is var place
            && (place.MovedTenantId ?? databases.Directory.ReadOnlyTenantAt(place)) is { } tenantId)
        {
            throw Moving(tenantId, place);
        }
    }

    private static TenantDatabaseException Moving(string tenantId, TenantPlace place)
        => new(TenancyStrings.TenantIsBeingMoved(tenantId, place.Destination), TenantDatabaseError.BeingMoved, tenantId, place.Destination);

    private bool IsOnly(string tenantId)
        => _group is null && tenantId == _tenantId;

    /// <summary>Tells of the model's registry where the options name none. Asking the model earlier would build it inside of itself.</summary>
    public virtual void FollowRegistry(string registrySchema)
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

    private void RefuseDisabled(string tenantId)
    {
        // Where tenants have places, who says where they are also says who is disabled.
        if (!HasPlaces && _registrySchema is { } registrySchema)
        {
            states.Refuse(Context, registrySchema, tenantId);
        }
    }

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
        Forget();
        _givenPlace = null;
        _workingFor = null;
        _acrossTenants.Clear();
        _opened.Clear();
        _openedTenantIds.Clear();
        HasReadOtherTenants = false;
        _hasWarnedOfPlace = false;
        _ownLookups = 0;
    }

    public virtual Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
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
        _place = null;
    }

    private TenantPlace? PlaceOf(string[] tenantIds)
    {
        if (_options?.Databases is not { } databases)
        {
            return null;
        }

        var place = databases.Directory.Find(tenantIds[0]);
        foreach (var other in tenantIds.AsSpan(1))
        {
            RefuseElsewhere(other, databases.Directory.Find(other), place);
        }

        return place;
    }

    private void RefuseElsewhere(string tenantId, TenantPlace other, TenantPlace place)
    {
        if (!other.IsSameAs(place))
        {
            throw new InvalidTenantForDatabaseException(
                TenancyStrings.TenantIsElsewhere(tenantId, other.Destination, PlaceOwner, place.Destination), tenantId, other.Destination);
        }
    }

    private string Settle(string tenantId)
    {
        var place = _options?.Databases?.Directory.Find(tenantId);
        RefuseDisabled(tenantId);
        Forget();
        _tenantId = tenantId;
        _place = place;
        logger.TenantSet(Context, tenantId);
        TenancyMeter.ContextOpened(tenantId);
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
