using System.Data;
using System.Security.Cryptography;
using EfTenancy.Properties;

namespace EfTenancy.Administration.Internal;

/// <summary>Brings a tenant's rows from a directory, all or none, after everything was looked at that can be before.</summary>
public sealed class TenantImport(TenantSite site, IProgress<TenantProgress>? progress)
{
    public async Task<TenantTransferResult> ReadAsync(string directory, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        var manifest = await TransferManifest.ReadAsync(directory, cancellationToken).ConfigureAwait(false);
        var name = Path.Combine(directory, TransferManifest.FileName);
        if (manifest.Tenant != site.TenantId)
        {
            throw new InvalidDataException(TenancyStrings.ManifestOfOther(name, site.TenantId, manifest.Tenant));
        }

        foreach (var table in manifest.Tables)
        {
            await RefuseChangedAsync(Path.Combine(directory, table.File), table.Sha256, cancellationToken).ConfigureAwait(false);
        }

        await TenantPlaceMaker.MakeTablesAsync(site, cancellationToken).ConfigureAwait(false);
        var migration = await TenantExport.LastMigrationAsync(site, cancellationToken).ConfigureAwait(false);
        if (migration != manifest.Migration)
        {
            throw new InvalidDataException(
                TenancyStrings.ManifestOfOtherModel(name, TenancyStrings.ManifestMigrationDiffers(manifest.Migration, migration)));
        }

        var connection = await site.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var catalog = Matching(
            name, manifest,
            await TransferCatalog.LoadAsync(site, connection, site.HasQualified, cancellationToken).ConfigureAwait(false));
        await RefuseRowsAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        await TenantPlaceMaker.MakePartitionsAsync(site, cancellationToken).ConfigureAwait(false);

        return await CopyAsync(directory, manifest, connection, catalog, cancellationToken).ConfigureAwait(false);
    }

    private async Task<TenantTransferResult> CopyAsync(
        string directory,
        TransferManifest manifest,
        TransferConnection connection,
        TransferCatalog catalog,
        CancellationToken cancellationToken)
    {
        var files = manifest.Tables.ToDictionary(t => t.Name);
        var writing = await connection.BeginAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
        await using var _ = writing.ConfigureAwait(false);
        foreach (var group in catalog.Groups)
        {
            await TransferCopy.IntoAsync(
                group, site, connection,
                async (table, copyIn, isBinary) =>
                {
                    progress?.Report(new TenantProgress(table.Key, 0, 1));
                    var file = File.OpenRead(Path.Combine(directory, files[table.Key].File));
                    await using var __ = file.ConfigureAwait(false);
                    await TransferCopy.FromAsync(file, connection.Raw, copyIn, isBinary, cancellationToken).ConfigureAwait(false);
                    progress?.Report(new TenantProgress(table.Key, 1, 1));
                },
                _ => false,
                cancellationToken).ConfigureAwait(false);
        }

        var proofs = await TransferCopy.ProveAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        foreach (var (table, proof) in proofs)
        {
            if (proof != new TableProof(files[table].Rows, files[table].Checksum))
            {
                throw new InvalidDataException(TenancyStrings.ImportDiffers(site.TenantId, table, files[table].Rows, proof.Rows));
            }
        }

        await TransferSequences.AdvanceAsync(site, connection, catalog, manifest.Sequences, cancellationToken).ConfigureAwait(false);
        await writing.CommitAsync(cancellationToken).ConfigureAwait(false);
        await TransferStatistics.GatherAsync(site, connection, site.IsOwn, site.HasQualified, cancellationToken).ConfigureAwait(false);
        return TransferCopy.Result(catalog, proofs);
    }

    // In the order of the database's foreign keys, with the columns in the order of the files.
    private TransferCatalog Matching(string name, TransferManifest manifest, TransferCatalog catalog)
    {
        try
        {
            return TransferCatalog.Of(manifest.Tables).Matching(catalog, site.TenantId).InOrderOf(catalog);
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidDataException(TenancyStrings.ManifestOfOtherModel(name, exception.Message), exception);
        }
    }

    private async Task RefuseRowsAsync(TransferConnection connection, TransferCatalog catalog, CancellationToken cancellationToken)
    {
        if (await TransferCopy.WithRowsAsync(connection, catalog, cancellationToken).ConfigureAwait(false) is { Count: > 0 } tables)
        {
            throw new InvalidOperationException(TenancyStrings.DestinationHasRows(site.TenantId, site.Destination, tables));
        }
    }

    private static async Task RefuseChangedAsync(string path, string sha256, CancellationToken cancellationToken)
    {
        var file = File.OpenRead(path);
        await using var _ = file.ConfigureAwait(false);
        if (!string.Equals(
            Convert.ToHexString(await SHA256.HashDataAsync(file, cancellationToken).ConfigureAwait(false)), sha256, StringComparison.OrdinalIgnoreCase))
        {
            throw new InvalidDataException(TenancyStrings.ExportedFileChanged(path));
        }
    }
}
