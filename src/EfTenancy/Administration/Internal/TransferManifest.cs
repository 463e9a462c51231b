using System.Text.Json;
using EfTenancy.Properties;

namespace EfTenancy.Administration.Internal;

/// <summary>What the files of an export are: everything that must be the same where they are imported.</summary>
/// <param name="Format">The form of the manifest.</param>
/// <param name="Tenant">The tenant's id.</param>
/// <param name="Context">The name of the context's type, for people.</param>
/// <param name="Migration">The last migration that was applied; null without migrations.</param>
/// <param name="ExportedAt">When it was written.</param>
/// <param name="Tables">The tables, parents first.</param>
/// <param name="Sequences">How far the sequences were.</param>
public sealed record TransferManifest(
    int Format,
    string Tenant,
    string Context,
    string? Migration,
    DateTimeOffset ExportedAt,
    IReadOnlyList<TransferManifestTable> Tables,
    Dictionary<string, long> Sequences)
{
    public const int CurrentFormat = 1;

    public const string FileName = "manifest.json";

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { WriteIndented = true, RespectRequiredConstructorParameters = true };

    public async Task WriteAsync(string directory, CancellationToken cancellationToken)
    {
        // Half written, it must not look like a manifest.
        var unfinished = Path.Combine(directory, FileName + ".part");
        await File.WriteAllTextAsync(unfinished, JsonSerializer.Serialize(this, Json), cancellationToken).ConfigureAwait(false);
        File.Move(unfinished, Path.Combine(directory, FileName));
    }

    /// <exception cref="InvalidDataException">It is none, or one of a later version.</exception>
    public static async Task<TransferManifest> ReadAsync(string directory, CancellationToken cancellationToken)
    {
        var file = Path.Combine(directory, FileName);
        var text = await File.ReadAllTextAsync(file, cancellationToken).ConfigureAwait(false);
        try
        {
            var manifest = JsonSerializer.Deserialize<TransferManifest>(text, Json);
            return manifest is { Format: CurrentFormat, Tables: not null, Sequences: not null }
                && manifest.Tables.All(t => t is { Name: not null, File: not null, Columns: not null } && t.File == Path.GetFileName(t.File))
                && manifest.Tables.DistinctBy(t => t.Name).Count() == manifest.Tables.Count
                    ? manifest
                    : throw new InvalidDataException(TenancyStrings.ManifestUnreadable(file, $"its format is not {CurrentFormat}"));
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException(TenancyStrings.ManifestUnreadable(file, exception.Message), exception);
        }
    }
}

/// <summary>A table of an export.</summary>
/// <param name="Name">Its name, with its schema unless that is the tenant's own or the connection's.</param>
/// <param name="File">The file, of PostgreSQL's COPY in text form.</param>
/// <param name="Columns">Name and type of each column, in the order of the file.</param>
/// <param name="Rows">How many rows it has.</param>
/// <param name="Checksum">The checksum of the rows, in whatever order they are.</param>
/// <param name="Sha256">The checksum of the file.</param>
public sealed record TransferManifestTable(
    string Name,
    string File,
    IReadOnlyList<TransferManifestColumn> Columns,
    long Rows,
    string Checksum,
    string Sha256);

/// <summary>A column of an export.</summary>
public sealed record TransferManifestColumn(string Name, string Type);
