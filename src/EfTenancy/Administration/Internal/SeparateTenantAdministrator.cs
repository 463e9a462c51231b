using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Administration where tenants have databases, schemas or shards: the registry says where, a place of a tenant's own is made and
///     dropped as a whole, and in one that is shared <see cref="TenantAdministrator" /> does what it does for a single database.
/// </summary>
#pragma warning disable CA1068 // As the interface has it.
public sealed class SeparateTenantAdministrator<TContext>(
    TenantDatabases databases,
    ApplicationContexts<TContext> contexts,
    TenantAdministrationOptions options) : ITenantAdministration
    where TContext : DbContext
{
    private readonly TenantMigrator<TContext> _migrator = new(contexts);
    private readonly TenantPlaces<TContext> _places = new(databases, contexts, options);

    private RegisteredTenantDirectory Directory
        => databases.Registered;

    public Task<TenantAdministrationResult> AddAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => AddAsync(Normalize(tenantIds), (a, ids) => a.AddAsync(ids, cancellationToken, progress), cancellationToken);

    public Task<TenantAdministrationResult> AddAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(suffixes);

        return AddAsync(
            Normalize(suffixes.Keys),
            (a, ids) => a.AddAsync(
                suffixes.Where(s => ids.Contains(databases.Normalize(s.Key))).ToDictionary(s => s.Key, s => s.Value), cancellationToken, progress),
            cancellationToken);
    }

    private async Task<TenantAdministrationResult> AddAsync(
        HashSet<string> ids,
        Func<TenantAdministrator, IReadOnlySet<string>, Task<TenantAdministrationResult>> addPartitions,
        CancellationToken cancellationToken)
    {
        var before = (await Directory.ReadAsync(cancellationToken).ConfigureAwait(false)).Tenants;
        foreach (var id in ids)
        {
            await Directory.RegisterAsync(id, destination: null, cancellationToken).ConfigureAwait(false);
        }

        await RefuseLostAsync(ids, before, cancellationToken).ConfigureAwait(false);
        await MakeTablesAsync(ids, cancellationToken).ConfigureAwait(false);
        var results = await _places.AtAsync(ids, p => p.Schema is null, addPartitions, cancellationToken).ConfigureAwait(false);

        // Only now are contexts let in: everything is there.
        foreach (var id in ids)
        {
            await Directory.ActivateAsync(id, cancellationToken).ConfigureAwait(false);
        }

        return Together(results, ids.Where(id => before.GetValueOrDefault(id) is null or { State: DestinationRegistrySql.Adding }));
    }

    public async Task<TenantAdministrationResult> RemoveAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        var ids = Normalize(tenantIds);
        var tenants = await _places.KnownAsync(ids, cancellationToken).ConfigureAwait(false);
        if (tenants.Find(t => !t.Place.IsShared && !CanDrop(t.Place)) is { Place: not null } kept)
        {
            throw new InvalidOperationException(TenancyStrings.DatabaseIsNotDropped(kept.Tenant.TenantId, kept.Tenant.Destination));
        }

        if (tenants.Find(t => t.Tenant.IsBeingMoved) is { Place: not null } moving)
        {
            throw new InvalidOperationException(TenancyStrings.TenantIsBeingMoved(moving.Tenant.TenantId, moving.Tenant.Destination));
        }

        // In all places before any of them loses something.
        await _places.AtAsync(
            ids,
            p => p.IsShared,
            async (a, some) =>
            {
                await a.CheckRemovalAsync(some, cancellationToken).ConfigureAwait(false);
                return new TenantAdministrationResult([]);
            },
            cancellationToken).ConfigureAwait(false);

        var untouched = tenants.Where(t => !t.Tenant.IsDisabled).Select(t => t.Tenant.TenantId).ToHashSet();
        List<TenantAdministrationResult> results;
        try
        {
            await DisableAsync(ids, cancellationToken).ConfigureAwait(false);
            results = await _places.AtAsync(
                ids,
                p => p.IsShared,
                (a, some) => RemoveAtSharedAsync(a, some, () => untouched.ExceptWith(some), progress, cancellationToken),
                cancellationToken).ConfigureAwait(false);
            foreach (var (tenant, place) in tenants.Where(t => !t.Place.IsShared))
            {
                await DropAsync(place, () => untouched.Remove(tenant.TenantId), cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            await EnableAgainAsync(untouched).ConfigureAwait(false);
            throw;
        }

        foreach (var id in ids)
        {
            await databases.RemoveAsync(id, cancellationToken).ConfigureAwait(false);
        }

        return Together(results, ids);
    }

    public Task<TenantAdministrationResult> SplitAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => AtSharedTogetherAsync(Normalize(tenantIds), (a, ids) => a.SplitAsync(ids, cancellationToken, progress), cancellationToken);

    public Task<TenantAdministrationResult> SplitAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(suffixes);

        return AtSharedTogetherAsync(
            Normalize(suffixes.Keys),
            (a, ids) => a.SplitAsync(
                suffixes.Where(s => ids.Contains(databases.Normalize(s.Key))).ToDictionary(s => s.Key, s => s.Value), cancellationToken, progress),
            cancellationToken);
    }

    public async Task DisableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
    {
        foreach (var (tenant, _) in await _places.RegisteredAsync(Normalize(tenantIds), cancellationToken).ConfigureAwait(false))
        {
            await databases.DisableAsync(tenant.TenantId, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task EnableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
    {
        foreach (var (tenant, _) in await _places.RegisteredAsync(Normalize(tenantIds), cancellationToken).ConfigureAwait(false))
        {
            await databases.EnableAsync(tenant.TenantId, cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<IReadOnlyList<RegisteredTenant>> ListAsync(CancellationToken cancellationToken = default)
    {
        var tenants = await databases.Directory.ListAsync(cancellationToken).ConfigureAwait(false);
        var adding = await AddingAsync(cancellationToken).ConfigureAwait(false);
        var partitions = new Dictionary<string, RegisteredTenant>();
        foreach (var place in tenants.Select(t => t.Place).Where(p => p.IsShared).DistinctBy(p => p.Destination))
        {
            foreach (var tenant in await _places.AtAsync(place, ListPartitionsAsync, cancellationToken).ConfigureAwait(false))
            {
                partitions[tenant.TenantId] = tenant;
            }
        }

        var sizes = await new TenantPlaceSizes(databases.Sources)
            .ReadAsync(tenants.Where(t => !t.Place.IsShared), cancellationToken).ConfigureAwait(false);
        return
        [
            .. tenants.Select(
                t =>
                {
                    var (rows, bytes) = sizes.GetValueOrDefault(t.Tenant.Destination);
                    return (partitions.GetValueOrDefault(t.Tenant.TenantId)
                            ?? new RegisteredTenant(t.Tenant.TenantId, "", TenantState.Active, 0, 0, rows, bytes)) with
                        {
                            Destination = t.Tenant.Destination,
                            State = t.Tenant.IsDisabled ? TenantState.Disabled
                                : adding.Contains(t.Tenant.TenantId) ? TenantState.Adding
                                : TenantState.Active,
                        };
                }),
        ];

        Task<IReadOnlyList<RegisteredTenant>> ListPartitionsAsync(TContext context)
            => TenantTablesOfModel.Of(context.Model).RegistrySchema is null
                ? Task.FromResult<IReadOnlyList<RegisteredTenant>>([])
                : new TenantAdministrator(context, options).ListAsync(cancellationToken);
    }

    public async Task<TenantAdministrationResult> DeleteDataAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        var ids = Normalize(tenantIds);
        var results = new List<TenantAdministrationResult>();
        foreach (var (tenant, place) in await _places.KnownAsync(ids, cancellationToken).ConfigureAwait(false))
        {
            results.Add(
                await _places.AtAsync(
                    place,
                    async context =>
                    {
                        if (place.Schema is null && (place.IsShared || context.Model.HasMultiTenantedEntities()))
                        {
                            return await new TenantAdministrator(context, options).DeleteDataAsync([tenant.TenantId], cancellationToken, progress)
                                .ConfigureAwait(false);
                        }

                        await TenantPlaceCleaner.TruncateAsync(context, place, cancellationToken).ConfigureAwait(false);
                        return new TenantAdministrationResult([]);
                    },
                    cancellationToken).ConfigureAwait(false));
        }

        return Together(results, ids);
    }

    public async Task<IReadOnlyList<TenantRepair>> RepairAsync(
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        var repairs = new List<TenantRepair>();
        foreach (var tenantId in await AddingAsync(cancellationToken).ConfigureAwait(false))
        {
            repairs.Add(await FinishAsync(tenantId, cancellationToken, progress).ConfigureAwait(false));
        }

        var tenants = await databases.Directory.ListAsync(cancellationToken).ConfigureAwait(false);
        var lost = await new LostPlaces(databases).FindAsync(tenants, cancellationToken).ConfigureAwait(false);
        repairs.AddRange(lost.Select(l => new TenantRepair(l.Reason.Message, Table: null, l.Tenant.TenantId, IsMended: false)));

        foreach (var place in tenants.Select(t => t.Place).Where(p => p.IsShared).DistinctBy(p => p.Destination)
                     .ExceptBy(lost.Select(l => l.Tenant.Destination), p => p.Destination))
        {
            repairs.AddRange(
                await _places.AtAsync(
                    place,
                    c => TenantTablesOfModel.Of(c.Model).RegistrySchema is null
                        ? Task.FromResult<IReadOnlyList<TenantRepair>>([])
                        : new TenantAdministrator(c, options).RepairAsync(cancellationToken, progress),
                    cancellationToken).ConfigureAwait(false));
        }

        return repairs;
    }

    private async Task<TenantRepair> FinishAsync(string tenantId, CancellationToken cancellationToken, IProgress<TenantProgress>? progress)
    {
        try
        {
            await AddAsync([tenantId], cancellationToken, progress).ConfigureAwait(false);
            var known = await _places.KnownAsync([tenantId], cancellationToken).ConfigureAwait(false);
            return new TenantRepair(TenancyStrings.TenantFinished(tenantId, known[0].Tenant.Destination), Table: null, tenantId, IsMended: true);
        }
        catch (Exception exception) when (exception is TenantDatabaseException or TenantMigrationException or TenantAdministrationException)
        {
            // One that cannot be finished keeps nobody else from being repaired.
            return new TenantRepair(exception.Message, Table: null, tenantId, IsMended: false);
        }
    }

    private static async Task<TenantAdministrationResult> RemoveAtSharedAsync(
        TenantAdministrator administration,
        IReadOnlySet<string> ids,
        Action begun,
        IProgress<TenantProgress>? progress,
        CancellationToken cancellationToken)
    {
        try
        {
            return await administration.RemoveAsync(ids, begun, progress, cancellationToken).ConfigureAwait(false);
        }
        catch (UnknownTenantException)
        {
            // An earlier call, which was cut off, removed partitions and rows already.
            begun();
            return new TenantAdministrationResult([]);
        }
    }

    // They lost nothing: what refused the removal came before, or in another place.
    private async Task EnableAgainAsync(HashSet<string> ids)
    {
        foreach (var id in ids)
        {
            try
            {
                await databases.EnableAsync(id, CancellationToken.None).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is NpgsqlException or UnknownTenantException)
            {
                // They stay refused, which is safe, and the removal's own error is on the way.
            }
        }
    }

    // What was there before is not made anew: its tenants would take the empty place for theirs.
    private async Task RefuseLostAsync(
        HashSet<string> ids,
        IReadOnlyDictionary<string, RegisteredDestination> before,
        CancellationToken cancellationToken)
    {
        var used = before.Values.Where(t => t.State != DestinationRegistrySql.Adding).Select(t => t.Destination).ToHashSet();
        var places = (await _places.KnownAsync(ids, cancellationToken).ConfigureAwait(false)).Where(t => used.Contains(t.Tenant.Destination));
        var lost = await new LostPlaces(databases).FindAsync(places, cancellationToken).ConfigureAwait(false);
        if (lost.Find(l => LostPlaces.IsGone(l.Reason)) is { Reason: { } reason })
        {
            throw reason;
        }
    }

    private async Task MakeTablesAsync(HashSet<string> ids, CancellationToken cancellationToken)
    {
        await _migrator.MigrateAsync(ids, cancellationToken).ConfigureAwait(false);

        foreach (var (_, place) in (await _places.KnownAsync(ids, cancellationToken).ConfigureAwait(false)).DistinctBy(t => t.Tenant.Destination))
        {
            await _places.AtAsync(
                place,
                async context =>
                    !context.Database.GetMigrations().Any() && await context.Database.EnsureCreatedAsync(cancellationToken).ConfigureAwait(false),
                cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<List<string>> AddingAsync(CancellationToken cancellationToken)
        => databases.Directory is RegisteredTenantDirectory directory
            ? [
                .. (await directory.ReadAsync(cancellationToken).ConfigureAwait(false)).Tenants.Values
                    .Where(t => t.State == DestinationRegistrySql.Adding).Select(t => t.TenantId).Order(StringComparer.Ordinal),
            ]
            : [];

    private bool CanDrop(TenantPlace place)
        => place.Schema is not null || (place.Database.Name is not null && Directory.IsMadeHere(place.Database.Name));

    private async Task DropAsync(TenantPlace place, Action begun, CancellationToken cancellationToken)
    {
        try
        {
            await DropAsync(place, cancellationToken).ConfigureAwait(false);
            begun();
        }
        // A user who may not drop it has dropped nothing.
        catch (Exception exception)
            when (exception is not (PostgresException { SqlState: PostgresErrorCodes.InsufficientPrivilege }
                or TenantDatabaseException { Error: TenantDatabaseError.AccessDenied }))
        {
            begun();
            throw;
        }
    }

    private async Task DropAsync(TenantPlace place, CancellationToken cancellationToken)
    {
        if (place.Schema is not null)
        {
            await _places.AtAsync(place, context => context.Database.EnsureDeletedAsync(cancellationToken), cancellationToken).ConfigureAwait(false);
            return;
        }

        await Directory.Registry.ExecuteAsync(DestinationRegistrySql.DropDatabase(place.Database.Name!), cancellationToken).ConfigureAwait(false);
        databases.Sources.Clear(place.Database);
    }

    private async Task<TenantAdministrationResult> AtSharedTogetherAsync(
        HashSet<string> ids,
        Func<TenantAdministrator, IReadOnlySet<string>, Task<TenantAdministrationResult>> work,
        CancellationToken cancellationToken)
        => Together(await _places.AtAsync(ids, p => p.IsShared, work, cancellationToken).ConfigureAwait(false), []);

    private HashSet<string> Normalize(IEnumerable<string> tenantIds)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);

        return [.. tenantIds.Select(databases.Normalize)];
    }

    private static TenantAdministrationResult Together(IEnumerable<TenantAdministrationResult> results, IEnumerable<string> tenants)
        => new([.. results.SelectMany(r => r.Tables)]) { Tenants = [.. tenants.Order(StringComparer.Ordinal)] };
}
#pragma warning restore CA1068
