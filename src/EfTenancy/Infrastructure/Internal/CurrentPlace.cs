using EfTenancy.Diagnostics.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>The database, and the schema in it, that one context works in: its tenant's, or one that migrations and administration gave it.</summary>
public sealed class CurrentPlace(
    CurrentTenant tenant,
    TenantDatabases databases,
    bool pendingMigrationsRefused,
    IDiagnosticsLogger<DbLoggerCategory.Infrastructure> logger)
{
    private TenantPlace? _place;
    private TenantPlace? _given;
    private bool _hasWarned;

    /// <summary>Where all tenants are.</summary>
    public TenantDatabases Databases
        => databases;

    private TenantDirectory Directory
        => databases.Directory;

    /// <summary>The place of the context's tenant, or the one that it was given; null as long as it has neither.</summary>
    public TenantPlace? FindOrNull()
        => _given ?? (_place ??= TenantId is { } tenantId ? Directory.Find(tenantId) : null);

    /// <summary>The tenant whose place it is; null for none.</summary>
    public string? TenantId
        => tenant.PinnedTenantId;

    /// <summary>The same for messages.</summary>
    public string Owner
        => TenantId ?? "";

    /// <summary>Whether a tenant's place is looked at before it is used; not by migrations and administration.</summary>
    public bool GuardsMigrations
        => _given is null && pendingMigrationsRefused;

    public TenantPlace Find()
    {
        if (FindOrNull() is not { } place)
        {
            _ = tenant.TenantIds;
            return FindOrNull()!;
        }

        tenant.Tell();
        return place;
    }

    /// <inheritdoc cref="Find" />
    public async ValueTask<TenantPlace> FindAsync(CancellationToken cancellationToken)
    {
        if ((_given ?? _place) is null)
        {
            await PrepareAsync(TenantId ?? tenant.Resolve(), cancellationToken).ConfigureAwait(false);
        }

        return Find();
    }

    /// <summary>Asks where a tenant is. The answer is remembered, so that <see cref="Find" /> does not wait for a database.</summary>
    public async ValueTask PrepareAsync(string tenantId, CancellationToken cancellationToken)
        => await Directory.FindAsync(tenantId, cancellationToken).ConfigureAwait(false);

    /// <summary>The one place of several tenants.</summary>
    /// <exception cref="InvalidTenantForDatabaseException">They are in different ones.</exception>
    public TenantPlace Of(string[] tenantIds)
    {
        var place = Directory.Find(tenantIds[0]);
        foreach (var other in tenantIds.AsSpan(1))
        {
            RefuseElsewhere(other, Directory.Find(other), place);
        }

        return place;
    }

    public void Enter(TenantPlace place)
        => _place = place;

    /// <summary>Makes the context work here, whatever the state of its tenant.</summary>
    public void Give(TenantPlace place)
        => _given = place;

    public void Forget()
        => _place = null;

    public void Reset()
    {
        Forget();
        _given = null;
        _hasWarned = false;
    }

    /// <summary>The place as it is known now: a tenant may be moved while a context has it. Nobody may write where one is that the context writes for.</summary>
    public TenantPlace FindNow()
    {
        var place = Find();
        if (_given is not null)
        {
            return place;
        }

        var now = Directory.Refresh(tenant.PinnedTenantId!, place);
        return tenant is { IsGroup: false, IsAcrossTenants: false, OpenedTenantIds.Count: 0 }
            ? now
            : Together(
                now,
                [.. tenant.TenantIds.Skip(1).Concat(tenant.OpenedTenantIds).Select(id => (id, Directory.Refresh(id, place)))]);
    }

    /// <inheritdoc cref="FindNow" />
    public async ValueTask<TenantPlace> FindNowAsync(CancellationToken cancellationToken)
    {
        if (_given is null)
        {
            var place = Find();

            // The rest finds what this has read.
            await Directory.RefreshAsync(tenant.PinnedTenantId!, place, cancellationToken).ConfigureAwait(false);
        }

        return FindNow();
    }

    /// <summary>Follows a tenant that was moved.</summary>
    public void Refresh()
        => _place = _given is null ? FindNow() : _place;

    /// <inheritdoc cref="Refresh" />
    public async ValueTask RefreshAsync(CancellationToken cancellationToken)
        => _place = _given is null ? await FindNowAsync(cancellationToken).ConfigureAwait(false) : _place;

    /// <summary>Refuses to work in a place where another tenant's rows could be met.</summary>
    public void RefuseUnsafe(TenantPlace place)
    {
        if (place is { IsShared: true, IsSharedPart: false } && !tenant.Context.Model.HasMultiTenantedEntities())
        {
            throw new InvalidOperationException(TenancyStrings.SharedWithoutTenantColumn(ContextName, Owner, place.Destination));
        }

        if (place.NeedsSearchPath && tenant.Context.Model.GetDefaultSchema() is { } schema)
        {
            throw new InvalidOperationException(TenancyStrings.DefaultSchemaWithSchemas(ContextName, schema, place.Destination));
        }
    }

    /// <summary>Refuses a tenant whose rows are not where this context reads and writes.</summary>
    /// <exception cref="InvalidTenantForDatabaseException">It is in another database or schema.</exception>
    public void RefuseElsewhere(string tenantId)
    {
        if (tenant.IsGroup || tenantId != tenant.PinnedTenantId)
        {
            RefuseElsewhere(tenantId, Directory.Find(tenantId), Find());
        }
    }

    /// <summary>The same for a tenant whose rows are to be written; nor may it be moving.</summary>
    /// <inheritdoc cref="RefuseElsewhere(string)" path="/exception" />
    public void RefuseToOpen(string tenantId)
    {
        var place = Find();
        var other = Directory.Find(tenantId);
        RefuseElsewhere(tenantId, other, place);

        // The transaction may be running already.
        if (other.MovedTenantId == tenantId && (tenant.IsGroup || tenantId != tenant.PinnedTenantId))
        {
            throw Moving(tenantId, other);
        }
    }

    /// <summary>The same for a query that names the tenant, wherever the context's own tenant may have been moved meanwhile.</summary>
    /// <exception cref="InvalidTenantForDatabaseException">It is in another database or schema, so that its rows would be left out.</exception>
    /// <exception cref="TenantDatabaseException">They are to be written, and are being moved.</exception>
    /// <exception cref="UnknownTenantException">Nobody knows it.</exception>
    public void RefuseToReach(string tenantId, bool isWritten)
    {
        // Those that the context has, or has opened, are looked at here and each time the connection is opened.
        var place = FindNow();
        if (!tenant.PinnedTenantIds.Contains(tenantId)
            && !tenant.OpenedTenantIds.Contains(tenantId)
            && Directory.Locate(tenantId) is { } other)
        {
            RefuseElsewhere(tenantId, other, place);
            if (isWritten && other.MovedTenantId is not null)
            {
                throw Moving(tenantId, other);
            }
        }
    }

    /// <summary>Refuses to write the rows of all tenants of the place while one of them is being moved.</summary>
    /// <exception cref="TenantDatabaseException">One is.</exception>
    public void RefuseToWriteMoved()
    {
        if (_given is null
            && FindNow() is var place
            && (place.MovedTenantId ?? Directory.ReadOnlyTenantAt(place)) is { } tenantId)
        {
            throw Moving(tenantId, place);
        }
    }

    /// <summary>Warns once that a query for all tenants ends here.</summary>
    public void WarnOfTenantsElsewhere()
    {
        // Administration goes from place to place by itself, and without a tenant's column nothing but a scope asks for all tenants.
        if (!_hasWarned
            && _given is null
            && (tenant.IsAcrossTenants || tenant.Context.Model.HasMultiTenantedEntities())
            && Find() is var place
            && Directory.HasTenantsElsewhere(place))
        {
            // Where the warning is made an error, the next query is refused, too.
            logger.TenantsElsewhereNotRead(tenant.Context, place.Destination);
            _hasWarned = true;
        }
    }

    private string ContextName
        => tenant.Context.GetType().Name;

    private TenantPlace Together(TenantPlace place, IReadOnlyList<(string TenantId, TenantPlace Place)> others)
    {
        foreach (var (tenantId, other) in others)
        {
            RefuseElsewhere(tenantId, other, place);
        }

        return place with
        {
            MovedTenantId = place.MovedTenantId
                ?? others.Select(o => o.Place.MovedTenantId).FirstOrDefault(t => t is not null)
                ?? (tenant.IsAcrossTenants ? Directory.ReadOnlyTenantAt(place) : null),
        };
    }

    private void RefuseElsewhere(string tenantId, TenantPlace other, TenantPlace place)
    {
        if (!other.IsSameAs(place))
        {
            throw new InvalidTenantForDatabaseException(
                TenancyStrings.TenantIsElsewhere(tenantId, other.Destination, Owner, place.Destination), tenantId, other.Destination);
        }
    }

    private static TenantDatabaseException Moving(string tenantId, TenantPlace place)
        => new(TenancyStrings.TenantIsBeingMoved(tenantId, place.Destination), TenantDatabaseError.BeingMoved, tenantId, place.Destination);
}
