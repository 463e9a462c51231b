using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Gives tenants that share partitions partitions of their own. Each shared one is written anew beside itself, as one table for each new
///     suffix and one for the rest; then one short transaction puts these in its place in all tables, and changes the registry with them.
///     Until then nothing is in use, and what a killed call leaves is dropped by the next.
/// </summary>
public sealed class TenantSplitter(
    TenantDatabase database,
    TenantConnection connection,
    TenantRegistry registry,
    TenantAdministrationReport report)
{
    private readonly TenantSplitLeftovers _leftovers = new(database, connection);
    private readonly TenantSnapshots _snapshots = new(connection);
    private readonly Dictionary<uint, TenantSplitCopy> _copies = [];

    public async Task SplitAsync(TenantSplitRequest request, CancellationToken cancellationToken)
    {
        // Bad input is told at once, whoever else splits.
        await PlanAsync(request, cancellationToken).ConfigureAwait(false);
        await connection.RetryAsync(() => LockAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
        try
        {
            await DropLeftoversAsync(cancellationToken).ConfigureAwait(false);
            await SplitAloneAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await registry.UnlockSplitAsync(connection).ConfigureAwait(false);
        }
    }

    /// <summary>Drops what a killed split left, unless one is running.</summary>
    public async Task<IReadOnlyList<string>> RepairAsync(CancellationToken cancellationToken)
    {
        if (!await registry.TryLockSplitAsync(connection, cancellationToken).ConfigureAwait(false))
        {
            return [];
        }

        try
        {
            return await DropLeftoversAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            await registry.UnlockSplitAsync(connection).ConfigureAwait(false);
        }
    }

    private async Task SplitAloneAsync(TenantSplitRequest request, CancellationToken cancellationToken)
    {
        try
        {
            TenantSplitPlan plan;
            do
            {
                plan = await PlanAsync(request, cancellationToken).ConfigureAwait(false);
                await CopyAsync(plan, cancellationToken).ConfigureAwait(false);
            }
            // A migration may have made a table meanwhile.
            while (!await SwitchAsync(request, cancellationToken).ConfigureAwait(false));

            foreach (var split in plan.Splits)
            {
                report.Changed(split.Table, split.Leaving.Count);
            }

            await ProvisionAsync(plan, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await DropLeftoversQuietlyAsync().ConfigureAwait(false);
            throw;
        }
    }

    private async Task<bool> LockAsync(CancellationToken cancellationToken)
        => await registry.TryLockSplitAsync(connection, cancellationToken).ConfigureAwait(false)
            ? true
            : throw new TenantLockException("another process splits shared partitions");

    private Task<TenantSplitPlan> PlanAsync(TenantSplitRequest request, CancellationToken cancellationToken)
        => connection.InTransactionAsync(
            async () =>
            {
                await registry.LockAsync(connection, cancellationToken).ConfigureAwait(false);
                return await PlanLockedAsync(request, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken);

    private async Task<TenantSplitPlan> PlanLockedAsync(TenantSplitRequest request, CancellationToken cancellationToken)
    {
        var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
        return await request.PlanAsync(database, connection, catalog, registered, cancellationToken).ConfigureAwait(false);
    }

    private async Task CopyAsync(TenantSplitPlan plan, CancellationToken cancellationToken)
    {
        var copies = new List<TenantSplitCopy>();
        foreach (var split in plan.Splits.Where(s => !_copies.ContainsKey(s.Partition.Oid)))
        {
            copies.Add(await TenantSplitCopy.DescribeAsync(database, connection, split, cancellationToken).ConfigureAwait(false));
        }

        foreach (var copy in copies)
        {
            await copy.CreateAsync(cancellationToken).ConfigureAwait(false);
            _copies.Add(copy.Split.Partition.Oid, copy);
            await copy.CopyAsync(report, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <returns>False if there are partitions that were not copied yet.</returns>
    private Task<bool> SwitchAsync(TenantSplitRequest request, CancellationToken cancellationToken)
        => connection.InTransactionAsync(
            () => SwitchOnceAsync(request, cancellationToken),
            cancellationToken,
            // So that little is left to do under the locks, also when they were not had the first time.
            before: async () =>
            {
                foreach (var copy in _copies.Values)
                {
                    await copy.CatchUpAsync(cancellationToken).ConfigureAwait(false);
                }

                await _snapshots.WaitForOlderAsync(cancellationToken).ConfigureAwait(false);
            });

    private async Task<bool> SwitchOnceAsync(TenantSplitRequest request, CancellationToken cancellationToken)
    {
        await registry.LockAsync(connection, cancellationToken).ConfigureAwait(false);
        var plan = await PlanLockedAsync(request, cancellationToken).ConfigureAwait(false);
        if (plan.Splits.Any(s => !_copies.ContainsKey(s.Partition.Oid)))
        {
            return false;
        }

        if (_copies.Values.FirstOrDefault(c => !plan.Splits.Any(s => s.IsSame(c.Split))) is { } overtaken)
        {
            throw new InvalidOperationException(TenancyStrings.SplitWasOvertaken(database.Name(overtaken.Split.Partition)));
        }

        var copies = plan.Splits.Select(s => _copies[s.Partition.Oid]).ToList();
        foreach (var copy in copies)
        {
            await copy.KeepVacuumAwayAsync(cancellationToken).ConfigureAwait(false);
        }

        var rebinding = new TenantPartitionRebinding(database, connection, plan.Catalog);
        await rebinding.LockAsync(
            [.. plan.Splits.Select(s => new TenantPartitionChange(s.Table, s.Partition, s.Partition.Values, []))], cancellationToken)
            .ConfigureAwait(false);
        foreach (var copy in copies)
        {
            await copy.LockAsync(cancellationToken).ConfigureAwait(false);
        }

        await _snapshots.RefuseKeptAsync(cancellationToken).ConfigureAwait(false);
        var changes = new List<TenantPartitionChange>();
        foreach (var copy in copies)
        {
            changes.Add(await copy.FinishAsync(cancellationToken).ConfigureAwait(false));
        }

        await connection.ExecuteAsync(TenantSplitSql.CheckForeignKeysByIndexes(), cancellationToken).ConfigureAwait(false);
        await rebinding.RunAsync(changes, cancellationToken).ConfigureAwait(false);
        foreach (var copy in copies)
        {
            await copy.TidyAsync(cancellationToken).ConfigureAwait(false);
        }

        await registry.RenameAsync(connection, plan.Tenants, cancellationToken).ConfigureAwait(false);
        return true;
    }

    // For tenants whose rows in a DEFAULT partition kept it from being made.
    private async Task ProvisionAsync(TenantSplitPlan plan, CancellationToken cancellationToken)
    {
        var catalog = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
        await new TenantProvisioner(database, connection, registry, catalog, report)
            .ProvisionAsync(plan.Tenants.Select(t => t.Suffix).ToHashSet(), cancellationToken).ConfigureAwait(false);
        if (!report.HasFailed)
        {
            await registry.ActivateAsync(connection, plan.Tenants.Select(t => t.Id), cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<IReadOnlyList<string>> DropLeftoversAsync(CancellationToken cancellationToken)
    {
        var catalog = await TenantCatalog.LoadAsync(connection, database, cancellationToken).ConfigureAwait(false);
        return await _leftovers.DropAsync(catalog, cancellationToken).ConfigureAwait(false);
    }

    private async Task DropLeftoversQuietlyAsync()
    {
        try
        {
            await DropLeftoversAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            // The error that is on the way says more, and the next call drops them.
        }
    }
}
