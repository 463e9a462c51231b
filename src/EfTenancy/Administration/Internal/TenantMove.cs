using System.Data;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     The way of one tenant from one place to another: read only, copied, proved, switched, writable, emptied. The registry has each step
///     before the next one begins, so that it can be cut off anywhere and be gone on with.
/// </summary>
public sealed class TenantMove(
    TenantDatabases databases,
    string tenantId,
    Func<Func<DbContext, Task>, CancellationToken, Task> withContext,
    TenantAdministrationOptions options,
    IProgress<TenantProgress>? progress)
{
    private static readonly TenantTransferResult Nothing = new([]);

    private readonly RegisteredTenantDirectory _directory = databases.Registered;
    private TenantMoveJournal _journal = null!;

    private DestinationRegistry Registry
        => _directory.Registry;

    public async Task<TenantTransferResult> MoveAsync(TenantDestination destination, CancellationToken cancellationToken)
    {
        // Makes the registry where nobody was ever registered.
        await Registry.ExecuteAsync(Registry.Sql.SelectTenants, cancellationToken).ConfigureAwait(false);
        var held = await TenantMoveLock.TakeAsync(Registry, tenantId, options.RetryTimeout, cancellationToken).ConfigureAwait(false);
        await using var _ = held.ConfigureAwait(false);
        _journal = new TenantMoveJournal(_directory, held, tenantId);

        var finished = await FinishAsync(cancellationToken).ConfigureAwait(false);
        var content = await _directory.ReadAsync(cancellationToken).ConfigureAwait(false);
        var tenant = content.Tenants.GetValueOrDefault(tenantId);
        var current = tenant?.Destination ?? _directory.ImplicitDestination(tenantId);
        if (current == destination)
        {
            if (tenant?.State == DestinationRegistrySql.Moving)
            {
                await GiveUpAsync(current, tenant.Other, cancellationToken).ConfigureAwait(false);
            }

            return finished ?? Nothing;
        }

        var isBegun = tenant?.State == DestinationRegistrySql.Moving;
        RefuseOtherWay(tenant, destination);
        if (!isBegun)
        {
            content = await RefuseNoPlaceAsync(destination, content, cancellationToken).ConfigureAwait(false);
            await RefuseSharedSessionsAsync(current).ConfigureAwait(false);
            await RefuseSharedSessionsAsync(destination).ConfigureAwait(false);
        }

        await WithSitesAsync(
            current, destination, content,
            async (source, into) =>
            {
                var copy = new TenantMoveCopy(source, into, _directory, progress);
                var tables = await copy.PrepareAsync(isBegun, cancellationToken).ConfigureAwait(false);
                if (!isBegun)
                {
                    await _journal.StartAsync(destination, cancellationToken).ConfigureAwait(false);
                }

                try
                {
                    await copy.RunAsync(tables, _journal, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception)
                {
                    await TryGiveUpAsync(current, destination, exception).ConfigureAwait(false);
                    throw;
                }
            },
            cancellationToken).ConfigureAwait(false);
        return await FinishAsync(cancellationToken).ConfigureAwait(false) ?? Nothing;
    }

    private async Task RefuseSharedSessionsAsync(TenantDestination destination)
    {
        var content = await _directory.ReadAsync(CancellationToken.None).ConfigureAwait(false);
        TenantSearchPath.RefuseSharedSessions(
            _directory.PlaceAt(destination, content).Database.ConnectionString, tenantId, destination);
    }

    /// <summary>What is left to do when the registry was changed already.</summary>
    private async Task<TenantTransferResult?> FinishAsync(CancellationToken cancellationToken)
    {
        var content = await _directory.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (content.Tenants.GetValueOrDefault(tenantId) is not { State: DestinationRegistrySql.Moved or DestinationRegistrySql.Emptying } tenant)
        {
            return null;
        }

        if (tenant.State == DestinationRegistrySql.Moved)
        {
            // Until the last process reads from the next place, nobody writes there: no one reads what is not true any more. A caller who
            // gives up now must not leave the tenant read only.
            await _journal.WaitUntilKnownAsync(CancellationToken.None).ConfigureAwait(false);
            await _journal.LetWriteAsync(CancellationToken.None).ConfigureAwait(false);
        }

        var copied = TenantMoveJournal.CopiedOf(tenant);
        await WithSitesAsync(
            tenant.Other, tenant.Destination, content,
            (source, into) => new TenantMoveEmptying(source, into, databases, content).EmptyAsync(copied, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        await _journal.EndAsync(DestinationRegistrySql.Emptying, cancellationToken).ConfigureAwait(false);
        await _directory.ForgetAsync(
            tenant.Other, _directory.HasMadeDatabase(tenant.Other, tenantId, content), cancellationToken).ConfigureAwait(false);
        return new TenantTransferResult([.. copied.Select(t => new TenantTableRows(t.Table, t.Proof.Rows))]);
    }

    private async Task TryGiveUpAsync(TenantDestination current, TenantDestination destination, Exception exception)
    {
        try
        {
            await GiveUpAsync(current, destination, CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception second) when (second is Npgsql.NpgsqlException or InvalidOperationException or TimeoutException)
        {
            exception.Data["EfTenancy"] = TenancyStrings.MoveNotGivenUp(tenantId, destination, second.Message);
        }
    }

    /// <summary>Before the registry was changed: what came to the destination goes, and the tenant may write again where it is.</summary>
    private async Task GiveUpAsync(TenantDestination current, TenantDestination destination, CancellationToken cancellationToken)
    {
        if (!await _journal.IsMovingAsync(cancellationToken).ConfigureAwait(false))
        {
            return;
        }

        var content = await _directory.ReadAsync(cancellationToken).ConfigureAwait(false);
        await WithSitesAsync(
            current, destination, content,
            async (source, into) =>
            {
                var to = await into.OpenAsync(cancellationToken).ConfigureAwait(false);
                await using var _ = to.ConfigureAwait(false);
                var catalog = await TransferCatalog.LoadAsync(into, to, source.HasQualifiedBesides(into), cancellationToken).ConfigureAwait(false);
                var writing = await to.BeginAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
                await using var __ = writing.ConfigureAwait(false);
                await to.Session.QueryAsync(
                    DestinationRegistrySql.LockCopy, r => true, cancellationToken,
                    DestinationRegistry.Text("tenant_id", tenantId)).ConfigureAwait(false);
                await TenantPlaceCleaner.DeleteAsync(into, to, catalog, copied: null, cancellationToken).ConfigureAwait(false);
                await writing.CommitAsync(cancellationToken).ConfigureAwait(false);
            },
            cancellationToken).ConfigureAwait(false);
        await _journal.EndAsync(DestinationRegistrySql.Moving, cancellationToken).ConfigureAwait(false);
    }

    private void RefuseOtherWay(RegisteredDestination? tenant, TenantDestination destination)
    {
        if (tenant?.State == DestinationRegistrySql.Adding)
        {
            throw new InvalidOperationException(TenancyStrings.TenantIsBeingAdded(tenantId));
        }

        if (tenant?.State == DestinationRegistrySql.Moving && tenant.Other != destination)
        {
            throw new InvalidOperationException(TenancyStrings.TenantIsOnItsWay(tenantId, tenant.Destination, tenant.Other));
        }
    }

    private async Task<RegistryContent> RefuseNoPlaceAsync(
        TenantDestination destination,
        RegistryContent content,
        CancellationToken cancellationToken)
    {
        if (!_directory.CanHold(destination))
        {
            throw new InvalidOperationException(TenancyStrings.HomeHoldsNoTenants(tenantId));
        }

        if (destination.Database is { } database)
        {
            if (content.Databases.All(d => d.Name != database) && !_directory.MakesDatabase(destination, tenantId, content))
            {
                throw new InvalidOperationException(TenancyStrings.NoSuchDatabase(database));
            }

            // One that is named in code alone has no row to be referenced.
            await Registry.ExecuteAsync(
                Registry.Sql.UpsertDatabase, cancellationToken,
                DestinationRegistry.Text("name", database), DestinationRegistry.Text("connection_string", null)).ConfigureAwait(false);
        }

        content = await _directory.ReadAsync(cancellationToken).ConfigureAwait(false);
        await _directory.MakeAsync(destination, content, cancellationToken).ConfigureAwait(false);
        return content;
    }

    private Task WithSitesAsync(
        TenantDestination source,
        TenantDestination into,
        RegistryContent content,
        Func<TenantSite, TenantSite, Task> work,
        CancellationToken cancellationToken)
        => withContext(
            first => withContext(
                second => work(SiteAt(first, source, content), SiteAt(second, into, content)), cancellationToken),
            cancellationToken);

    private TenantSite SiteAt(DbContext context, TenantDestination destination, RegistryContent content)
        => new(context, tenantId, _directory.PlaceAt(destination, content), databases, options);
}
