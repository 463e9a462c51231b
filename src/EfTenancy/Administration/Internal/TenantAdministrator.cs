using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Stage 7, administration. Receives tenants to add, remove and so on; hands on their registrations and partitions in a live
///     database, with the DDL of stage 6. Order of the steps only; the steps are classes of their own.
/// </summary>
#pragma warning disable CA1068 // As the interface has it.
public sealed class TenantAdministrator(DbContext context, TenantAdministrationOptions options) : ITenantAdministration
{
    private readonly TenantDatabase _database = new(context, options);

    public Task<TenantAdministrationResult> AddAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);
        return AddAsync(TenantAddition.Of(_database, tenantIds), progress, cancellationToken);
    }

    public Task<TenantAdministrationResult> AddAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(suffixes);
        return AddAsync(TenantAddition.Of(_database, suffixes), progress, cancellationToken);
    }

    private async Task<TenantAdministrationResult> AddAsync(
        TenantAddition addition,
        IProgress<TenantProgress>? progress,
        CancellationToken cancellationToken)
    {
        var report = new TenantAdministrationReport(progress);
        if (_database.FindRegistry() is not { } registry || addition.Tenants.Count == 0)
        {
            addition.Check();
            return report.Result();
        }

        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        // Registered before any table is touched: a new table of a migration meanwhile gets the partitions by itself.
        var (catalog, added) = await connection.InTransactionAsync(
            async () =>
            {
                await registry.LockAsync(connection, cancellationToken).ConfigureAwait(false);
                var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
                var catalog = await TenantCatalog.LoadAsync(connection, _database, cancellationToken).ConfigureAwait(false);
                await addition.CheckAsync(_database, connection, catalog, registered, cancellationToken).ConfigureAwait(false);
                await registry.AddAsync(connection, addition.Tenants.Select(t => (t.Id, t.Suffix)), cancellationToken).ConfigureAwait(false);
                return (
                    catalog,
                    addition.Tenants.Select(t => t.Id)
                        .Where(id => registered.GetValueOrDefault(id) is null or { StateName: TenantRegistrySql.Adding }).Select(_database.IdOf).ToList());
            },
            cancellationToken).ConfigureAwait(false);

        await new TenantProvisioner(_database, connection, registry, catalog, report)
            .ProvisionAsync(addition.Tenants.Select(t => t.Suffix).ToHashSet(), cancellationToken).ConfigureAwait(false);
        if (!report.HasFailed)
        {
            await registry.ActivateAsync(connection, addition.Tenants.Select(t => t.Id), cancellationToken).ConfigureAwait(false);
        }

        return report.Result(added);
    }

    public Task<TenantAdministrationResult> RemoveAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => RemoveAsync(tenantIds, begun: null, progress, cancellationToken);

    /// <summary>Refuses a removal that would be refused, and changes nothing.</summary>
    public async Task CheckRemovalAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken)
    {
        var ids = Normalize(tenantIds);
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        await new TenantRemoval(_database, connection, new TenantAdministrationReport(progress: null)).CheckAsync(ids, cancellationToken).ConfigureAwait(false);
    }

    /// <param name="tenantIds">The tenants.</param>
    /// <param name="begun">Called when nothing refuses any more; until then nothing was changed.</param>
    /// <param name="progress">What is told meanwhile.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<TenantAdministrationResult> RemoveAsync(
        IEnumerable<string> tenantIds,
        Action? begun,
        IProgress<TenantProgress>? progress,
        CancellationToken cancellationToken)
    {
        var ids = Normalize(tenantIds);
        var report = new TenantAdministrationReport(progress);
        if (ids.Count == 0)
        {
            return report.Result();
        }

        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        await new TenantRemoval(_database, connection, report).RemoveAsync(ids, begun, cancellationToken).ConfigureAwait(false);
        return report.Result(ids.Select(_database.IdOf));
    }

    public Task<TenantAdministrationResult> SplitAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);
        return SplitAsync(TenantSplitRequest.Of(_database, tenantIds), progress, cancellationToken);
    }

    public Task<TenantAdministrationResult> SplitAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(suffixes);
        return SplitAsync(TenantSplitRequest.Of(_database, suffixes), progress, cancellationToken);
    }

    private async Task<TenantAdministrationResult> SplitAsync(
        TenantSplitRequest request,
        IProgress<TenantProgress>? progress,
        CancellationToken cancellationToken)
    {
        var report = new TenantAdministrationReport(progress);
        var registry = _database.Registry();
        request.Check();
        if (!request.IsEmpty)
        {
            var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
            await using var _ = connection.ConfigureAwait(false);
            await new TenantSplitter(_database, connection, registry, report).SplitAsync(request, cancellationToken).ConfigureAwait(false);
        }

        return report.Result();
    }

    public Task DisableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
        => SetDisabledAsync(tenantIds, disabled: true, cancellationToken);

    public Task EnableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
        => SetDisabledAsync(tenantIds, disabled: false, cancellationToken);

    private async Task SetDisabledAsync(IEnumerable<string> tenantIds, bool disabled, CancellationToken cancellationToken)
    {
        var ids = Normalize(tenantIds);
        var registry = _database.Registry();
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        await connection.InTransactionAsync(
            async () =>
            {
                await registry.ReadKnownAsync(connection, ids, cancellationToken).ConfigureAwait(false);
                await registry.SetDisabledAsync(connection, ids, disabled, cancellationToken).ConfigureAwait(false);
                return true;
            },
            cancellationToken).ConfigureAwait(false);
        _database.StatesChanged();
    }

    public async Task<IReadOnlyList<RegisteredTenant>> ListAsync(CancellationToken cancellationToken = default)
    {
        var registry = _database.Registry();
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.LoadAsync(connection, _database, cancellationToken).ConfigureAwait(false);
        var managed = catalog.Managed.ToList();
        var sizes = (await connection.RetryAsync(
            () => connection.QueryAsync(
                "SELECT oid, GREATEST(reltuples, 0)::bigint, COALESCE(pg_total_relation_size(oid), 0) FROM pg_class WHERE oid = ANY(@oids)",
                r => (Oid: r.GetFieldValue<uint>(0), Rows: r.GetInt64(1), Bytes: r.GetInt64(2)),
                cancellationToken,
                TenantCatalog.Parameter("oids", NpgsqlDbType.Oid, managed.SelectMany(t => t.Partitions).Select(p => p.Oid).ToArray())),
            cancellationToken).ConfigureAwait(false)).ToDictionary(s => s.Oid);

        return
        [
            .. registered.Values.OrderBy(r => r.TenantId, StringComparer.Ordinal).Select(
                r =>
                {
                    var own = managed.Select(t => t.PartitionOf(r.TenantId)).OfType<TenantTablePartition>().ToList();
                    var known = own.Where(p => sizes.ContainsKey(p.Oid)).Select(p => sizes[p.Oid]).ToList();
                    return new RegisteredTenant(
                        _database.IdOf(r.TenantId), r.Suffix, r.State, own.Count, managed.Count - own.Count, known.Sum(s => s.Rows), known.Sum(s => s.Bytes));
                }),
        ];
    }

    public async Task<TenantAdministrationResult> DeleteDataAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        var ids = Normalize(tenantIds);
        var report = new TenantAdministrationReport(progress);
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        if (_database.FindRegistry() is { } registry)
        {
            await registry.ReadKnownAsync(connection, ids, cancellationToken).ConfigureAwait(false);
        }

        var catalog = await TenantCatalog.LoadAsync(connection, _database, cancellationToken).ConfigureAwait(false);
        var deleter = new TenantRowDeleter(_database, connection, report);
        foreach (var group in catalog.Groups.Reverse())
        {
            foreach (var (i, id) in ids.Index())
            {
                try
                {
                    await deleter.DeleteAsync(group, id, cancellationToken).ConfigureAwait(false);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    report.Failed(group[0], exception);
                    return report.Result();
                }

                report.Progress(group[0], i + 1, ids.Count);
            }
        }

        return report.Result(ids.Select(_database.IdOf));
    }

    public async Task<IReadOnlyList<TenantRepair>> RepairAsync(
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        var registry = _database.Registry();
        var report = new TenantAdministrationReport(progress, isRepair: true);
        var connection = await _database.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        foreach (var partition in await new TenantSplitter(_database, connection, registry, report).RepairAsync(cancellationToken).ConfigureAwait(false))
        {
            report.Mended(TenancyStrings.DroppedSplit(partition), table: null, tenantId: null);
        }

        var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        var catalog = await TenantCatalog.LoadAsync(connection, _database, cancellationToken).ConfigureAwait(false);
        var repairer = new TenantRepairer(_database, connection, catalog, report);
        await repairer.FinishDetachesAsync(registered, cancellationToken).ConfigureAwait(false);

        var halfGone = registered.Values.Where(r => r.IsBeingRemoved).Select(r => r.TenantId).ToHashSet();
        if (halfGone.Count > 0)
        {
            await new TenantRemoval(_database, connection, report).RemoveAsync(halfGone, begun: null, cancellationToken).ConfigureAwait(false);
            foreach (var id in report.HasFailed ? [] : halfGone)
            {
                report.Mended(TenancyStrings.RepairedTenant(id, wasRemoving: true), table: null, id);
            }
        }

        registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        catalog = await TenantCatalog.LoadAsync(connection, _database, cancellationToken).ConfigureAwait(false);
        repairer = new TenantRepairer(_database, connection, catalog, report);
        var usable = repairer.Usable(registered.Values);
        await new TenantProvisioner(_database, connection, registry, catalog, report)
            .ProvisionAsync(usable.Select(r => r.Suffix).ToHashSet(), cancellationToken).ConfigureAwait(false);
        repairer.TellUnregistered(registered);

        if (!report.HasFailed)
        {
            await registry.ActivateAsync(connection, usable.Select(r => r.TenantId), cancellationToken).ConfigureAwait(false);
            foreach (var half in usable.Where(r => r.State == TenantState.Adding))
            {
                report.Mended(TenancyStrings.RepairedTenant(half.TenantId, wasRemoving: false), table: null, half.TenantId);
            }
        }

        report.Result();
        return report.Repairs;
    }

    private HashSet<string> Normalize(IEnumerable<string> tenantIds)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);
        return [.. tenantIds.Select(id => _database.Normalize(id, nameof(tenantIds)))];
    }
}
#pragma warning restore CA1068
