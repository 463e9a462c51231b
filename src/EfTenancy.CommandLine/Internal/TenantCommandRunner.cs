using System.Data.Common;
using System.Globalization;
using EfTenancy.Administration;
using EfTenancy.CommandLine.Properties;
using Spectre.Console;

namespace EfTenancy.CommandLine.Internal;

/// <summary>Calls the administration, and shows what it answers, does and refuses.</summary>
internal sealed class TenantCommandRunner(Func<ITenantAdministration> administration, IAnsiConsole console)
{
    private const int Succeeded = 0;
    private const int Failed = 1;

    public Task<int> ListAsync(CancellationToken cancellationToken)
        => RunAsync(
            async tenants =>
            {
                var list = await tenants.ListAsync(cancellationToken).ConfigureAwait(false);
                if (list.Count == 0)
                {
                    console.WriteLine(CommandStrings.NoTenants);
                    return;
                }

                var havePlaces = list.Any(t => t.Destination is not null);
                var table = new Table().SimpleBorder().AddColumns(["Tenant", "Suffix", "State", .. havePlaces ? (string[])["Where"] : []]);
                table.AddColumns([.. ((string[])["Partitions", "Missing", "Rows", "Size"]).Select(n => new TableColumn(n).RightAligned())]);
                foreach (var tenant in list)
                {
                    table.AddRow(
                        [
                            .. ((string[])[
                                tenant.TenantId,
                                tenant.Suffix,
                                tenant.State.ToString(),
                                .. havePlaces ? (string[])[tenant.Destination?.ToString() ?? ""] : [],
                                Number(tenant.Partitions),
                                Number(tenant.MissingPartitions),
                                Number(tenant.EstimatedRows),
                                Size(tenant.Bytes)]).Select(Markup.Escape),
                        ]);
                }

                console.Write(table);
            });

    public Task<int> AddAsync(string[] ids, string? suffix, CancellationToken cancellationToken)
        => ChangeAsync(
            (tenants, progress) => suffix is null
                ? tenants.AddAsync(ids, cancellationToken, progress)
                : tenants.AddAsync(ids.Distinct().ToDictionary(id => id, _ => suffix), cancellationToken, progress),
            CommandStrings.Added);

    public Task<int> SplitAsync(string[] ids, string? suffix, CancellationToken cancellationToken)
        => ChangeAsync(
            (tenants, progress) => suffix is null
                ? tenants.SplitAsync(ids, cancellationToken, progress)
                : tenants.SplitAsync(ids.Distinct().ToDictionary(id => id, _ => suffix), cancellationToken, progress));

    public Task<int> DisableAsync(string[] ids, CancellationToken cancellationToken)
        => RunAsync(
            async tenants =>
            {
                await tenants.DisableAsync(ids, cancellationToken).ConfigureAwait(false);
                console.WriteLine(CommandStrings.Disabled(ids));
            });

    public Task<int> EnableAsync(string[] ids, CancellationToken cancellationToken)
        => RunAsync(
            async tenants =>
            {
                await tenants.EnableAsync(ids, cancellationToken).ConfigureAwait(false);
                console.WriteLine(CommandStrings.Enabled(ids));
            });

    public async Task<int> RemoveAsync(string[] ids, bool isConfirmed, CancellationToken cancellationToken)
        => isConfirmed || await ConfirmAsync("remove", CommandStrings.ConfirmRemove(ids), cancellationToken).ConfigureAwait(false)
            ? await ChangeAsync((tenants, progress) => tenants.RemoveAsync(ids, cancellationToken, progress), CommandStrings.Removed).ConfigureAwait(false)
            : Failed;

    public async Task<int> DeleteDataAsync(string[] ids, bool isConfirmed, CancellationToken cancellationToken)
        => isConfirmed || await ConfirmAsync("delete-data", CommandStrings.ConfirmDeleteData(ids), cancellationToken).ConfigureAwait(false)
            ? await ChangeAsync((tenants, progress) => tenants.DeleteDataAsync(ids, cancellationToken, progress), CommandStrings.Emptied).ConfigureAwait(false)
            : Failed;

    public Task<int> RepairAsync(CancellationToken cancellationToken)
        => RunAsync(
            async tenants =>
            {
                var repairs = await ShowProgressAsync(progress => tenants.RepairAsync(cancellationToken, progress)).ConfigureAwait(false);
                if (repairs.Count == 0)
                {
                    console.WriteLine(CommandStrings.NothingToRepair);
                    return;
                }

                var table = new Table().SimpleBorder().AddColumns("", "Table", "Tenant", "What");
                foreach (var repair in repairs)
                {
                    table.AddRow(
                        [
                            .. ((string?[])[
                                repair.IsMended ? CommandStrings.Mended : CommandStrings.Left,
                                repair.Table,
                                repair.TenantId,
                                repair.Description]).Select(t => Markup.Escape(t ?? "")),
                        ]);
                }

                console.Write(table);
            });

    private Task<int> ChangeAsync(
        Func<ITenantAdministration, IProgress<TenantProgress>, Task<TenantAdministrationResult>> change,
        Func<IEnumerable<string>, string>? told = null)
        => RunAsync(
            async tenants =>
            {
                var result = await ShowProgressAsync(progress => change(tenants, progress)).ConfigureAwait(false);
                var changed = result.Tables.Where(t => t.Changes > 0 || t.DeletedRows > 0).ToList();
                if (told is not null && result.Tenants.Count > 0)
                {
                    console.WriteLine(told(result.Tenants));
                }
                else if (changed.Count == 0)
                {
                    console.WriteLine(CommandStrings.NothingChanged);
                }

                if (changed.Count > 0)
                {
                    console.WriteLine(CommandStrings.Changed(changed.Sum(t => t.Changes), changed.Sum(t => t.DeletedRows), changed.Count));
                }
            });

    private async Task<int> RunAsync(Func<ITenantAdministration, Task> run)
    {
        try
        {
            await run(administration()).ConfigureAwait(false);
            return Succeeded;
        }
        catch (Exception exception)
            when (exception is ArgumentException or InvalidOperationException or TenantAdministrationException or UnknownTenantException
                or TimeoutException or DbException)
        {
            console.MarkupLineInterpolated($"[red]{exception.Message}[/]");
            return Failed;
        }
    }

    private async Task<bool> ConfirmAsync(string command, string question, CancellationToken cancellationToken)
    {
        if (!console.Profile.Capabilities.Interactive)
        {
            console.MarkupLineInterpolated($"[red]{CommandStrings.CannotAsk(command)}[/]");
            return false;
        }

        if (!await new ConfirmationPrompt(Markup.Escape(question)) { DefaultValue = false }.ShowAsync(console, cancellationToken).ConfigureAwait(false))
        {
            console.WriteLine(CommandStrings.NotConfirmed);
            return false;
        }

        return true;
    }

    private Task<T> ShowProgressAsync<T>(Func<IProgress<TenantProgress>, Task<T>> work)
        => ProgressOfTables.ShowAsync(console, work);

    private static string Number(long number)
        => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Size(long bytes)
        => bytes switch
        {
            < 1 << 20 => $"{Number(bytes >> 10)} kB",
            < 1L << 30 => $"{Number(bytes >> 20)} MB",
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):N1} GB"),
        };
}
