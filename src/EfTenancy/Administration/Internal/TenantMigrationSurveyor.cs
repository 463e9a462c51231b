using System.Collections.Concurrent;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>Finds out which migrations each database and schema has, with as few queries as can be.</summary>
public sealed class TenantMigrationSurveyor<TContext>(ApplicationContexts<TContext> contexts)
    where TContext : DbContext
{
    // Tenants' tables reference shared ones, whose locks the migrations of several schemas may take in different orders.
    private const int Attempts = 5;

    public Task<TenantMigrationSurvey> SurveyAsync(
        bool verify,
        Func<TenantMigrationUnit, bool>? only,
        CancellationToken cancellationToken)
        => contexts.UseAsync(
            async context =>
            {
                var history = new TenantMigrationHistory(context);
                var databases = context.GetService<IDbContextOptions>().FindExtension<TenancyOptionsExtension>()?.Databases;
                var journal = databases?.Directory is RegisteredTenantDirectory directory
                    ? new TenantMigrationJournal(directory.Registry, typeof(TContext).FullName!)
                    : null;

                var units = await UnitsAsync(databases, cancellationToken).ConfigureAwait(false);
                var applied = await AppliedAsync(
                    only is null ? units : units.FindAll(u => only(u)), history, databases, verify ? null : journal,
                    cancellationToken).ConfigureAwait(false);
                return new TenantMigrationSurvey(applied.ToDictionary(a => a.Key, a => ResultOf(a.Key, a.Value, history)), journal);
            },
            cancellationToken);

    /// <summary>Work at the place of a unit, with a context of its own.</summary>
    public Task<T> AtAsync<T>(TenantMigrationUnit unit, Func<TContext, Task<T>> work, CancellationToken cancellationToken)
        => RetryAsync(
            () => contexts.UseAsync(
                context =>
                {
                    if (unit.Place is { } place)
                    {
                        context.GetService<CurrentTenant>().UsePlace(place, unit.TenantIds is [var tenantId] ? tenantId : null);
                    }

                    return work(context);
                },
                cancellationToken));

    private static async Task<T> RetryAsync<T>(Func<Task<T>> work)
    {
        for (var attempt = 1;; attempt++)
        {
            try
            {
                return await work().ConfigureAwait(false);
            }
            catch (Exception exception) when (attempt < Attempts && Typed(exception) is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected })
            {
                await Task.Delay(Random.Shared.Next(20, 200) * attempt).ConfigureAwait(false);
            }
        }
    }

    private static async Task<List<TenantMigrationUnit>> UnitsAsync(TenantDatabases? databases, CancellationToken cancellationToken)
    {
        if (databases is null)
        {
            return [new TenantMigrationUnit(null, [])];
        }

        var tenants = await databases.Directory.ListAsync(cancellationToken).ConfigureAwait(false);
        var home = databases.Directory.Home;
        return
        [
            .. home is null ? [] : (TenantMigrationUnit[])[new TenantMigrationUnit(home, [])],
            .. tenants
                .Where(t => t.Tenant.Destination != home?.Destination)
                .GroupBy(t => t.Tenant.Destination, (_, g) => g.ToList())
                .Select(g => new TenantMigrationUnit(g[0].Place, [.. g.Select(t => t.Tenant.TenantId)])),
        ];
    }

    /// <summary>What each unit has: migrations, or the error that was met instead.</summary>
    private async Task<Dictionary<TenantMigrationUnit, Applied>> AppliedAsync(
        List<TenantMigrationUnit> units,
        TenantMigrationHistory history,
        TenantDatabases? databases,
        TenantMigrationJournal? journal,
        CancellationToken cancellationToken)
    {
        var applied = new ConcurrentDictionary<TenantMigrationUnit, Applied>();

        foreach (var schemas in units.Where(u => u.Place?.Schema is not null).GroupBy(u => u.Place!.Database).ToList())
        {
            try
            {
                var rental = databases!.Sources.RentPlain(schemas.Key);
                var histories = await history.OfSchemasAsync(rental, schemas.Select(u => u.Place!.Schema!), cancellationToken).ConfigureAwait(false);
                foreach (var unit in schemas)
                {
                    applied[unit] = new Applied(histories.GetValueOrDefault(unit.Place!.Schema!) ?? [], null);
                }
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException)
            {
                foreach (var unit in schemas)
                {
                    applied[unit] = new Applied(
                        [],
                        TenantDatabaseFailure.Of(
                            exception, unit.TenantId, unit.Place!.Destination, databases!.Sources.Budget.Ceiling) ?? exception);
                }
            }
        }

        var last = history.Last;
        var believed = journal is null ? [] : await journal.ReadAsync(cancellationToken).ConfigureAwait(false);
        foreach (var unit in units.Where(u => u is { Place.Schema: null, IsShared: false }))
        {
            // Whatever else the journal says, the database itself is asked.
            if (believed.TryGetValue(unit.Place!.Destination, out var told) && !told.HasFailed && told.Migration == last)
            {
                applied[unit] = new Applied(history.Known, null);
            }
        }

        await Parallel.ForEachAsync(
            units.Where(u => !applied.ContainsKey(u)).ToList(),
            DatabasesAtOnce.Options(databases?.Sources, cancellationToken),
            async (unit, token) =>
            {
                try
                {
                    applied[unit] = new Applied(
                        await AtAsync(unit, c => new TenantMigrationHistory(c).OfContextAsync(token), token).ConfigureAwait(false), null);
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    applied[unit] = new Applied([], Typed(exception));
                }
            }).ConfigureAwait(false);

        // Whoever had migrations and has nothing now is not begun anew.
        var emptied = units.FindAll(u => u.TenantId is not null && applied[u] is { Error: null, Migrations.Count: 0 } && believed.ContainsKey(u.Place!.Destination));
        foreach (var (tenant, reason) in emptied.Count == 0 ? [] : await LostAsync(emptied, databases!, cancellationToken).ConfigureAwait(false))
        {
            applied[emptied.Find(u => u.TenantId == tenant.TenantId)!] = new Applied([], reason);
        }

        return units.ToDictionary(u => u, u => applied[u]);
    }

    private static Task<List<(AssignedTenant Tenant, TenantDatabaseException Reason)>> LostAsync(
        List<TenantMigrationUnit> units,
        TenantDatabases databases,
        CancellationToken cancellationToken)
        => new LostPlaces(databases).FindAsync(
            units.Select(u => (new AssignedTenant(u.TenantId!, u.Place!.Destination, IsDisabled: false), u.Place)), cancellationToken);

    private static TenantMigrationResult ResultOf(TenantMigrationUnit unit, Applied applied, TenantMigrationHistory history)
    {
        var last = applied.Migrations is [.., var migration] ? migration : null;
        var result = new TenantMigrationResult(
            unit.Place?.Destination ?? TenantDestination.Home, unit.TenantIds, TenantMigrationOutcome.UpToDate, last, last, TimeSpan.Zero, null);
        try
        {
            RefuseUnknown(applied.Migrations, history, unit);
            return applied.Error is { } error ? result with { Outcome = TenantMigrationOutcome.Failed, Error = error }
                : history.FirstMissing(applied.Migrations) is not null ? result with { Outcome = TenantMigrationOutcome.Behind }
                : result;
        }
        catch (TenantDatabaseException exception)
        {
            return result with { Outcome = TenantMigrationOutcome.Failed, Error = exception };
        }
    }

    public static void RefuseUnknown(IReadOnlyList<string> applied, TenantMigrationHistory history, TenantMigrationUnit unit)
    {
        if (history.FirstUnknown(applied) is { } unknown)
        {
            var destination = unit.Place?.Destination ?? TenantDestination.Home;
            throw new TenantDatabaseException(
                TenancyStrings.MigrationsAhead(typeof(TContext).Name, unit.TenantId, destination, unknown),
                TenantDatabaseError.MigrationsAhead, unit.TenantId, destination);
        }
    }

    /// <summary>EF wraps what may pass by itself once more, to say that no retries are configured.</summary>
    public static Exception Typed(Exception exception)
        => exception is InvalidOperationException { InnerException: NpgsqlException inner } ? inner : exception;

    private sealed record Applied(IReadOnlyList<string> Migrations, Exception? Error);
}

/// <summary>What each database and schema has.</summary>
/// <param name="Results">Each, with what is known of it.</param>
/// <param name="Journal">Where to tell what is done; null without a registry.</param>
public sealed record TenantMigrationSurvey(
    IReadOnlyDictionary<TenantMigrationUnit, TenantMigrationResult> Results,
    TenantMigrationJournal? Journal);
