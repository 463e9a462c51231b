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
                var tables = await PrepareAsync(source, into, isBegun, cancellationToken).ConfigureAwait(false);
                if (!isBegun)
                {
                    await _journal.StartAsync(destination, cancellationToken).ConfigureAwait(false);
                }

                try
                {
                    await CopyAsync(source, into, tables, cancellationToken).ConfigureAwait(false);
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
            (source, into) => EmptyAsync(source, into, content, copied, cancellationToken),
            cancellationToken).ConfigureAwait(false);
        await _journal.EndAsync(DestinationRegistrySql.Emptying, cancellationToken).ConfigureAwait(false);
        await _directory.ForgetAsync(
            tenant.Other, _directory.HasMadeDatabase(tenant.Other, tenantId, content), cancellationToken).ConfigureAwait(false);
        return new TenantTransferResult([.. copied.Select(t => new TenantTableRows(t.Table, t.Proof.Rows))]);
    }

    private async Task<TransferCatalog> PrepareAsync(
        TenantSite source,
        TenantSite into,
        bool isBegun,
        CancellationToken cancellationToken)
    {
        await TenantPlaceMaker.MakeTablesAsync(into, cancellationToken).ConfigureAwait(false);
        await RefuseMixingAsync(into, cancellationToken).ConfigureAwait(false);

        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = from.ConfigureAwait(false);
        var to = await into.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = to.ConfigureAwait(false);

        var withQualified = WithQualified(source, into);
        var ofSource = await TransferCatalog.LoadAsync(source, from, withQualified, cancellationToken).ConfigureAwait(false);
        var ofDestination = ofSource.Matching(
            await TransferCatalog.LoadAsync(into, to, withQualified, cancellationToken).ConfigureAwait(false), tenantId);
        if (!isBegun
            && await TransferCopy.WithRowsAsync(to, ofDestination, cancellationToken).ConfigureAwait(false) is { Count: > 0 } tables)
        {
            throw new InvalidOperationException(TenancyStrings.DestinationHasRows(tenantId, into.Destination, tables));
        }

        await TenantPlaceMaker.MakePartitionsAsync(into, cancellationToken).ConfigureAwait(false);
        return ofSource;
    }

    private async Task RefuseMixingAsync(TenantSite into, CancellationToken cancellationToken)
    {
        var content = await _directory.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!into.HasTenantColumns && content.IsUsedByOthers(into.Destination, tenantId))
        {
            throw new InvalidOperationException(
                TenancyStrings.SharedWithoutTenantColumn(into.Database.ContextName, tenantId, into.Destination));
        }
    }

    private async Task CopyAsync(
        TenantSite source,
        TenantSite into,
        TransferCatalog tables,
        CancellationToken cancellationToken)
    {
        await _journal.WaitUntilKnownAsync(cancellationToken).ConfigureAwait(false);

        // Another tenant may have set out for there at the same moment.
        await RefuseMixingAsync(into, cancellationToken).ConfigureAwait(false);
        var isAlone = into.Destination != TenantDestination.Home
            && !(await _directory.ReadAsync(cancellationToken).ConfigureAwait(false)).IsUsedByOthers(into.Destination, tenantId);

        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = from.ConfigureAwait(false);
        var to = await into.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = to.ConfigureAwait(false);
        await OlderTransactions.WaitAsync(source, from, cancellationToken).ConfigureAwait(false);

        var reading = await from.BeginAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using var ___ = reading.ConfigureAwait(false);
        await LockAsync(source, from, tables, cancellationToken).ConfigureAwait(false);
        var withQualified = WithQualified(source, into);
        var ofSource = await TransferCatalog.LoadAsync(source, from, withQualified, cancellationToken).ConfigureAwait(false);
        var numbers = await TransferSequences.ReadAsync(source, from, ofSource, cancellationToken).ConfigureAwait(false);

        var writing = await to.BeginAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using var ____ = writing.ConfigureAwait(false);
        await to.Session.QueryAsync(
            DestinationRegistrySql.LockCopy, r => true, cancellationToken, DestinationRegistry.Text("tenant_id", tenantId)).ConfigureAwait(false);

        // Migrations wait from here on; one that came since the tables were compared is seen.
        var ofDestination = await TransferCatalog.LoadAsync(into, to, withQualified, cancellationToken).ConfigureAwait(false);
        await to.ExecuteAsync(
            TransferSql.Lock(ofDestination.Tables.Select(t => t.Name), "ROW EXCLUSIVE"), cancellationToken).ConfigureAwait(false);
        ofDestination = ofSource.Matching(
            await TransferCatalog.LoadAsync(into, to, withQualified, cancellationToken).ConfigureAwait(false), tenantId);

        // What an earlier attempt may have left: it was seen to be empty then.
        await TenantPlaceCleaner.DeleteAsync(into, to, ofDestination, copied: null, cancellationToken).ConfigureAwait(false);
        foreach (var group in ofDestination.Groups)
        {
            await TransferCopy.IntoAsync(
                group, into, to,
                async (table, copyIn, isBinary) =>
                {
                    progress?.Report(new TenantProgress(table.Key, 0, 1));
                    await TransferCopy.BetweenAsync(
                        from.Raw, TransferSql.CopyOut(ofSource.Find(table.Key)!, isBinary), to.Raw, copyIn, isBinary, cancellationToken)
                        .ConfigureAwait(false);
                    progress?.Report(new TenantProgress(table.Key, 1, 1));
                },
                t => TransferCopy.IsBinary(t) && TransferCopy.IsBinary(ofSource.Find(t.Key)!),
                cancellationToken).ConfigureAwait(false);
        }

        var proofs = await ProveAsync(source, to, ofSource, ofDestination, cancellationToken).ConfigureAwait(false);
        await TransferSequences.AdvanceAsync(into, to, ofDestination, numbers, cancellationToken).ConfigureAwait(false);
        await writing.CommitAsync(cancellationToken).ConfigureAwait(false);
        await _journal.SwitchAsync(ofSource, proofs, cancellationToken).ConfigureAwait(false);
        await TransferStatistics.GatherAsync(into, to, isAlone, withQualified, cancellationToken).ConfigureAwait(false);
    }

    // What nobody else has is locked against those who know nothing of the move; readers go on.
    private static async Task LockAsync(
        TenantSite source,
        TransferConnection connection,
        TransferCatalog catalog,
        CancellationToken cancellationToken)
    {
        var tables = catalog.Tables.ToList();
        await connection.ExecuteAsync(
            TransferSql.Lock(tables.Select(t => t.Name), source.IsOwn ? "SHARE" : "ACCESS SHARE"), cancellationToken).ConfigureAwait(false);
        if (tables.Select(t => t.OwnPartition).OfType<string>().ToList() is { Count: > 0 } partitions)
        {
            await connection.ExecuteAsync(TransferSql.Lock(partitions, "SHARE"), cancellationToken).ConfigureAwait(false);
        }
    }

    // The source as it is after the copy: equal to the copy, nothing was written there meanwhile.
    private async Task<Dictionary<string, TableProof>> ProveAsync(
        TenantSite source,
        TransferConnection to,
        TransferCatalog ofSource,
        TransferCatalog ofDestination,
        CancellationToken cancellationToken)
    {
        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = from.ConfigureAwait(false);
        var reading = await from.BeginAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using var __ = reading.ConfigureAwait(false);

        var atSource = TransferCopy.ProveAsync(from, ofSource, cancellationToken);
        var atDestination = TransferCopy.ProveAsync(to, ofDestination, cancellationToken);
        await Task.WhenAll(atSource, atDestination).ConfigureAwait(false);

        var proofs = await atSource.ConfigureAwait(false);
        foreach (var (table, proof) in await atDestination.ConfigureAwait(false))
        {
            if (proof != proofs[table])
            {
                throw new InvalidOperationException(TenancyStrings.CopyDiffers(tenantId, table, proofs[table].Rows, proof.Rows));
            }
        }

        return proofs;
    }

    private async Task EmptyAsync(
        TenantSite source,
        TenantSite into,
        RegistryContent content,
        IReadOnlyList<CopiedTable> copied,
        CancellationToken cancellationToken)
    {
        var isAlone = source.Place is { Destination: var destination } && !content.IsUsedByOthers(destination, tenantId);
        var schema = isAlone ? source.Place!.Schema : null;
        var isMade = isAlone && _directory.HasMadeDatabase(source.Destination, tenantId, content);
        if ((schema is not null || isMade) && !await IsThereAsync(source, isMade, cancellationToken).ConfigureAwait(false))
        {
            // An earlier attempt dropped it.
            return;
        }

        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (from.ConfigureAwait(false))
        {
            await OlderTransactions.WaitAsync(source, from, cancellationToken).ConfigureAwait(false);
            var catalog = (await TransferCatalog.LoadAsync(source, from, WithQualified(source, into), cancellationToken).ConfigureAwait(false))
                .WithColumnsOf(copied);
            var writing = await from.BeginAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await using var _ = writing.ConfigureAwait(false);
            await TenantPlaceCleaner.DeleteAsync(source, from, catalog, copied, cancellationToken).ConfigureAwait(false);
            if (schema is not null)
            {
                await TenantPlaceCleaner.DropSchemaAsync(source, from, schema, cancellationToken).ConfigureAwait(false);
            }

            await writing.CommitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (source.Place!.Schema is null && source.Database.FindRegistry() is not null)
        {
            try
            {
                await source.Administrator().RemoveAsync([tenantId], cancellationToken).ConfigureAwait(false);
            }
            catch (UnknownTenantException)
            {
                // An earlier attempt has done it.
            }
        }

        if (isMade && content.TenantsIn(source.Destination.Database!) == 0)
        {
            await Registry.ExecuteAsync(DestinationRegistrySql.DropDatabase(source.Destination.Database!), cancellationToken).ConfigureAwait(false);
            databases.Sources.Clear(source.Place!.Database);
        }
    }

    private static async Task<bool> IsThereAsync(TenantSite source, bool isMade, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (TenantDatabaseException exception)
            when (exception.Error == TenantDatabaseError.SchemaMissing
                || (isMade && exception.Error == TenantDatabaseError.DatabaseMissing))
        {
            return false;
        }
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
                var catalog = await TransferCatalog.LoadAsync(into, to, WithQualified(source, into), cancellationToken).ConfigureAwait(false);
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

    // Within one database, what the model gives a schema is the same table in both places. Without a tenant's column it is the tenant's
    // only where whole databases are.
    private static bool WithQualified(TenantSite source, TenantSite into)
        => source.Place!.Database != into.Place!.Database
            && (source.HasTenantColumns || (source.Place.Schema is null && into.Place.Schema is null));
}
