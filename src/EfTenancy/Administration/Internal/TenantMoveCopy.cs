using System.Data;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>The rows of a moving tenant: copied in one transaction while nobody writes them, and proved before anybody reads them there.</summary>
public sealed class TenantMoveCopy(
    TenantSite source,
    TenantSite into,
    RegisteredTenantDirectory directory,
    IProgress<TenantProgress>? progress)
{
    /// <summary>Makes the tables where the tenant goes, and refuses to go there before anything is changed.</summary>
    /// <param name="isBegun">Whether an earlier attempt may have left rows there.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<TransferCatalog> PrepareAsync(bool isBegun, CancellationToken cancellationToken)
    {
        await TenantPlaceMaker.MakeTablesAsync(into, cancellationToken).ConfigureAwait(false);
        await RefuseMixingAsync(cancellationToken).ConfigureAwait(false);

        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = from.ConfigureAwait(false);
        var to = await into.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = to.ConfigureAwait(false);

        var withQualified = source.HasQualifiedBesides(into);
        var ofSource = await TransferCatalog.LoadAsync(source, from, withQualified, cancellationToken).ConfigureAwait(false);
        var ofDestination = ofSource.Matching(
            await TransferCatalog.LoadAsync(into, to, withQualified, cancellationToken).ConfigureAwait(false), source.TenantId);
        if (!isBegun
            && await TransferCopy.WithRowsAsync(to, ofDestination, cancellationToken).ConfigureAwait(false) is { Count: > 0 } tables)
        {
            throw new InvalidOperationException(TenancyStrings.DestinationHasRows(source.TenantId, into.Destination, tables));
        }

        await TenantPlaceMaker.MakePartitionsAsync(into, cancellationToken).ConfigureAwait(false);
        return ofSource;
    }

    private async Task RefuseMixingAsync(CancellationToken cancellationToken)
    {
        var content = await directory.ReadAsync(cancellationToken).ConfigureAwait(false);
        if (!into.HasTenantColumns && content.IsUsedByOthers(into.Destination, source.TenantId))
        {
            throw new InvalidOperationException(
                TenancyStrings.SharedWithoutTenantColumn(into.Database.ContextName, source.TenantId, into.Destination));
        }
    }

    /// <summary>Copies, proves, and has the registry say so.</summary>
    /// <param name="tables">What <see cref="PrepareAsync" /> found.</param>
    /// <param name="journal">Where the move stands.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task RunAsync(TransferCatalog tables, TenantMoveJournal journal, CancellationToken cancellationToken)
    {
        await journal.WaitUntilKnownAsync(cancellationToken).ConfigureAwait(false);

        // Another tenant may have set out for there at the same moment.
        await RefuseMixingAsync(cancellationToken).ConfigureAwait(false);
        var isAlone = into.Destination != TenantDestination.Home
            && !(await directory.ReadAsync(cancellationToken).ConfigureAwait(false)).IsUsedByOthers(into.Destination, source.TenantId);

        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = from.ConfigureAwait(false);
        var to = await into.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = to.ConfigureAwait(false);
        await OlderTransactions.WaitAsync(source, from, cancellationToken).ConfigureAwait(false);

        var reading = await from.BeginAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using var ___ = reading.ConfigureAwait(false);
        await LockAsync(from, tables, cancellationToken).ConfigureAwait(false);
        var withQualified = source.HasQualifiedBesides(into);
        var ofSource = await TransferCatalog.LoadAsync(source, from, withQualified, cancellationToken).ConfigureAwait(false);
        var numbers = await TransferSequences.ReadAsync(source, from, ofSource, cancellationToken).ConfigureAwait(false);

        var writing = await to.BeginAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using var ____ = writing.ConfigureAwait(false);
        await to.Session.QueryAsync(
            DestinationRegistrySql.LockCopy, r => true, cancellationToken, DestinationRegistry.Text("tenant_id", source.TenantId)).ConfigureAwait(false);

        // Migrations wait from here on; one that came since the tables were compared is seen.
        var ofDestination = await TransferCatalog.LoadAsync(into, to, withQualified, cancellationToken).ConfigureAwait(false);
        await to.ExecuteAsync(
            TransferSql.Lock(ofDestination.Tables.Select(t => t.Name), "ROW EXCLUSIVE"), cancellationToken).ConfigureAwait(false);
        ofDestination = ofSource.Matching(
            await TransferCatalog.LoadAsync(into, to, withQualified, cancellationToken).ConfigureAwait(false), source.TenantId);

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

        var proofs = await ProveAsync(to, ofSource, ofDestination, cancellationToken).ConfigureAwait(false);
        await TransferSequences.AdvanceAsync(into, to, ofDestination, numbers, cancellationToken).ConfigureAwait(false);
        await writing.CommitAsync(cancellationToken).ConfigureAwait(false);
        await journal.SwitchAsync(ofSource, proofs, cancellationToken).ConfigureAwait(false);
        await TransferStatistics.GatherAsync(into, to, isAlone, withQualified, cancellationToken).ConfigureAwait(false);
    }

    // What nobody else has is locked against those who know nothing of the move; readers go on.
    private async Task LockAsync(
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
                throw new InvalidOperationException(TenancyStrings.CopyDiffers(source.TenantId, table, proofs[table].Rows, proof.Rows));
            }
        }

        return proofs;
    }
}
