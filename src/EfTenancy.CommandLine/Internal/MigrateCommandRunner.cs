using System.Data.Common;
using System.Globalization;
using EfTenancy.Administration;
using EfTenancy.CommandLine.Properties;
using Microsoft.EntityFrameworkCore;
using Spectre.Console;

namespace EfTenancy.CommandLine.Internal;

/// <summary>Calls the migrator, and shows what was migrated and what was not.</summary>
internal sealed class MigrateCommandRunner<TContext>(Func<ITenantMigrator<TContext>> migrator, IAnsiConsole console)
    where TContext : DbContext
{
    public Task<int> ListAsync(CancellationToken cancellationToken)
        => RunAsync(
            async () =>
            {
                Show(await migrator().ListAsync(cancellationToken).ConfigureAwait(false));
                return 0;
            });

    public Task<int> MigrateAsync(Action<TenantMigrationOptions> configure, CancellationToken cancellationToken)
        => RunAsync(
            async () =>
            {
                var options = new TenantMigrationOptions();
                configure(options);
                try
                {
                    var results = await migrator().MigrateAsync(options, cancellationToken, new Lines(console)).ConfigureAwait(false);
                    console.WriteLine(
                        CommandStrings.Migrated(
                            results.Count(r => r.Outcome == TenantMigrationOutcome.Migrated),
                            results.Count(r => r.Outcome == TenantMigrationOutcome.UpToDate)));
                    return 0;
                }
                catch (TenantMigrationException exception)
                {
                    Show([.. exception.Results.Where(r => r.Outcome is TenantMigrationOutcome.Failed or TenantMigrationOutcome.Behind)]);
                    return 1;
                }
            });

    private async Task<int> RunAsync(Func<Task<int>> run)
    {
        try
        {
            return await run().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or DbException)
        {
            console.MarkupLineInterpolated($"[red]{exception.Message}[/]");
            return 1;
        }
    }

    private void Show(IReadOnlyList<TenantMigrationResult> results)
    {
        var table = new Table().SimpleBorder().AddColumns("Where", "Tenants", "State", "Migration", "Why");
        foreach (var result in results)
        {
            table.AddRow(
                [
                    .. ((string?[])[
                        result.Destination.ToString(), TenantsOf(result), result.Outcome.ToString(), result.After, result.Error?.Message,
                    ]).Select(t => Markup.Escape(t ?? "")),
                ]);
        }

        console.Write(table);
    }

    private static string TenantsOf(TenantMigrationResult result)
        => result.TenantIds.Count == 0 ? CommandStrings.AllShare : string.Join(", ", result.TenantIds);

    /// <summary>A line for each, as it is done.</summary>
    private sealed class Lines(IAnsiConsole console) : IProgress<TenantMigrationResult>
    {
        private readonly Lock _lock = new();

        public void Report(TenantMigrationResult value)
        {
            lock (_lock)
            {
                console.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{value.Outcome} {TenantsOf(value)}: {value.Before ?? "-"} -> {value.After ?? "-"} ({value.Duration.TotalMilliseconds:N0} ms)"));
            }
        }
    }
}
