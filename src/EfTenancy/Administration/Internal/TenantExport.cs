using System.Data;
using System.Globalization;
using System.Security.Cryptography;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration.Internal;

/// <summary>Writes a tenant's rows into a directory, as they are at one moment.</summary>
public sealed class TenantExport(TenantSite site, IProgress<TenantProgress>? progress)
{
    // Of the longest file names, with a number before and an ending behind.
    private const int LongestStem = 100;

    public async Task<TenantTransferResult> WriteAsync(string directory, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(directory);
        Directory.CreateDirectory(directory);
        if (Directory.EnumerateFileSystemEntries(directory).Any())
        {
            throw new IOException(TenancyStrings.DirectoryNotEmpty(directory));
        }

        var migration = await LastMigrationAsync(site, cancellationToken).ConfigureAwait(false);
        var connection = await site.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        var catalog = await TransferCatalog.LoadAsync(site, connection, site.HasQualified, cancellationToken).ConfigureAwait(false);
        var reading = await connection.BeginAsync(IsolationLevel.RepeatableRead, cancellationToken).ConfigureAwait(false);
        await using var __ = reading.ConfigureAwait(false);
        await connection.ExecuteAsync(
            TransferSql.Lock(catalog.Tables.Select(t => t.Name), "ACCESS SHARE"), cancellationToken).ConfigureAwait(false);

        var proofs = await TransferCopy.ProveAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        var tables = new List<TransferManifestTable>();
        foreach (var (i, table) in catalog.Tables.Index())
        {
            progress?.Report(new TenantProgress(table.Key, 0, 1));
            var file = FileName(i + 1, table.Key);
            var sha256 = await WriteAsync(Path.Combine(directory, file), connection, table, cancellationToken).ConfigureAwait(false);
            tables.Add(
                new TransferManifestTable(
                    table.Key, file, [.. table.Columns.Select(c => new TransferManifestColumn(c.Name, c.Type))], proofs[table.Key].Rows,
                    proofs[table.Key].Checksum, sha256));
            progress?.Report(new TenantProgress(table.Key, 1, 1));
        }

        var numbers = await TransferSequences.ReadAsync(site, connection, catalog, cancellationToken).ConfigureAwait(false);
        await new TransferManifest(
            TransferManifest.CurrentFormat, site.TenantId, site.Database.ContextName, migration, TimeProvider.System.GetUtcNow(), tables, numbers)
            .WriteAsync(directory, cancellationToken).ConfigureAwait(false);
        return TransferCopy.Result(catalog, proofs);
    }

    public static async Task<string?> LastMigrationAsync(TenantSite site, CancellationToken cancellationToken)
        => (await site.Context.Database.GetAppliedMigrationsAsync(cancellationToken).ConfigureAwait(false)).LastOrDefault();

    private static async Task<string> WriteAsync(
        string path,
        TransferConnection connection,
        TransferTable table,
        CancellationToken cancellationToken)
    {
        var rows = await TransferCopy.OutAsync(
            connection.Raw, TransferSql.CopyOut(table, isBinary: false), isBinary: false, cancellationToken).ConfigureAwait(false);
        await using var _ = rows.ConfigureAwait(false);
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 1 << 17, useAsync: true);
        await using var __ = file.ConfigureAwait(false);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

        var buffer = new byte[1 << 16];
        for (int read; (read = await rows.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static string FileName(int number, string table)
    {
        var stem = string.Concat(table.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' ? c : '_').Take(LongestStem));
        return string.Create(CultureInfo.InvariantCulture, $"{number:000}_{stem}.copy");
    }
}
