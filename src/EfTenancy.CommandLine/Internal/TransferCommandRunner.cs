using System.Data.Common;
using EfTenancy.Administration;
using EfTenancy.CommandLine.Properties;
using EfTenancy.Storage;
using Spectre.Console;

namespace EfTenancy.CommandLine.Internal;

/// <summary>Moves, exports and imports one tenant, and shows what was copied or refused.</summary>
internal sealed class TransferCommandRunner(Func<ITenantMover> mover, IAnsiConsole console)
{
    public Task<int> MoveAsync(string id, string? database, string? schema, CancellationToken cancellationToken)
        => RunAsync(
            (tenants, progress) => tenants.MoveAsync(
                id,
                database is not null ? TenantDestination.InDatabase(database, schema)
                    : schema is not null ? TenantDestination.InSchema(schema)
                    : TenantDestination.Home,
                cancellationToken,
                progress));

    public Task<int> ExportAsync(string id, string directory, CancellationToken cancellationToken)
        => RunAsync((tenants, progress) => tenants.ExportAsync(id, directory, cancellationToken, progress));

    public Task<int> ImportAsync(string id, string directory, CancellationToken cancellationToken)
        => RunAsync((tenants, progress) => tenants.ImportAsync(id, directory, cancellationToken, progress));

    private async Task<int> RunAsync(Func<ITenantMover, IProgress<TenantProgress>, Task<TenantTransferResult>> run)
    {
        try
        {
            var result = await ProgressOfTables.ShowAsync(console, progress => run(mover(), progress)).ConfigureAwait(false);
            console.WriteLine(result.Tables.Count == 0 ? CommandStrings.NothingChanged : CommandStrings.Copied(result.Rows, result.Tables.Count));
            return 0;
        }
        catch (Exception exception)
            when (exception is ArgumentException or InvalidOperationException or TimeoutException or InvalidDataException or IOException
                or UnauthorizedAccessException or TenantAdministrationException or TenantDisabledException or UnknownTenantException or DbException)
        {
            console.MarkupLineInterpolated($"[red]{exception.Message}[/]");
            return 1;
        }
    }
}
