using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration.Internal;

/// <summary>Migrates each database and schema with a context of its own. Order only; EF does the rest.</summary>
#pragma warning disable CA1068 // As the interface has it.
public sealed class TenantMigrator<TContext>(ApplicationContexts<TContext> contexts) : ITenantMigrator<TContext>
    where TContext : DbContext
{
    private readonly TenantMigrationSurveyor<TContext> _surveyor = new(contexts);

    public async Task<IReadOnlyList<TenantMigrationResult>> MigrateAsync(
        TenantMigrationOptions? options = null,
        CancellationToken cancellationToken = default,
        IProgress<TenantMigrationResult>? progress = null)
    {
        options ??= new TenantMigrationOptions();
        return await MigrateAsync(
            await _surveyor.SurveyAsync(options.Verify, only: null, cancellationToken).ConfigureAwait(false), options, cancellationToken, progress)
            .ConfigureAwait(false);
    }

    /// <summary>Migrates the places of some tenants, and before them what these share with others.</summary>
    public async Task MigrateAsync(IReadOnlySet<string> tenantIds, CancellationToken cancellationToken)
        => await MigrateAsync(
            await _surveyor.SurveyAsync(
                verify: true, u => u.Place is { IsSharedPart: true } || u.TenantIds.Any(tenantIds.Contains), cancellationToken).ConfigureAwait(false),
            new TenantMigrationOptions(),
            cancellationToken,
            progress: null).ConfigureAwait(false);

    private async Task<IReadOnlyList<TenantMigrationResult>> MigrateAsync(
        TenantMigrationSurvey survey,
        TenantMigrationOptions options,
        CancellationToken cancellationToken,
        IProgress<TenantMigrationResult>? progress)
    {
        var results = new ConcurrentDictionary<TenantMigrationUnit, TenantMigrationResult>(
            survey.Results);
        var failures = results.Values.Count(r => r.Outcome == TenantMigrationOutcome.Failed);

        foreach (var wave in Waves(survey, options))
        {
            await Parallel.ForEachAsync(
                wave.Units,
                new ParallelOptions { MaxDegreeOfParallelism = options.MaxParallelism, CancellationToken = cancellationToken },
                async (unit, token) =>
                {
                    if (Volatile.Read(ref failures) >= options.MaxFailures)
                    {
                        return;
                    }

                    var result = await MigrateAsync(unit, survey, token).ConfigureAwait(false);
                    if (result.Outcome == TenantMigrationOutcome.Failed)
                    {
                        Interlocked.Increment(ref failures);
                    }

                    results[unit] = result;
                    progress?.Report(result);
                }).ConfigureAwait(false);

            if (wave.MustSucceed && wave.Units.Exists(u => results[u].Outcome == TenantMigrationOutcome.Failed))
            {
                break;
            }
        }

        var ordered = Ordered(results.Values);
        return ordered.Any(r => r.Outcome is TenantMigrationOutcome.Failed or TenantMigrationOutcome.Behind)
            ? throw new TenantMigrationException(ordered)
            : ordered;
    }

    public async Task<IReadOnlyList<TenantMigrationResult>> ListAsync(CancellationToken cancellationToken = default)
        => Ordered((await _surveyor.SurveyAsync(verify: false, only: null, cancellationToken).ConfigureAwait(false)).Results.Values);

    private static IReadOnlyList<TenantMigrationResult> Ordered(IEnumerable<TenantMigrationResult> results)
        =>
        [
            .. results.OrderBy(r => r.TenantIds.Count > 0)
                .ThenBy(r => r.Destination.Database, StringComparer.Ordinal)
                .ThenBy(r => r.Destination.Schema, StringComparer.Ordinal),
        ];

    private static IEnumerable<(List<TenantMigrationUnit> Units, bool MustSucceed)> Waves(TenantMigrationSurvey survey, TenantMigrationOptions options)
    {
        var behind = survey.Results.Where(r => r.Value.Outcome == TenantMigrationOutcome.Behind).Select(r => r.Key).ToList();
        var shared = behind.Where(u => u.IsShared).ToList();
        var tenants = behind.Except(shared).ToList();
        var named = tenants.Where(u => u.TenantIds.Any(options.CanaryTenants.Contains)).ToList();
        List<TenantMigrationUnit> canaries = [.. named, .. tenants.Except(named).Take(options.Canaries)];

        yield return (shared, true);
        yield return (canaries, true);
        yield return (tenants.Except(canaries).ToList(), false);
    }

    private async Task<TenantMigrationResult> MigrateAsync(TenantMigrationUnit unit, TenantMigrationSurvey survey, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var before = survey.Results[unit];
        TenantMigrationResult result;
        try
        {
            result = await _surveyor.AtAsync(
                unit,
                async context =>
                {
                    var history = new TenantMigrationHistory(context);
                    var locked = await TenantMigrationLock.AcquireAsync(context, cancellationToken).ConfigureAwait(false);
                    await using var _ = locked.ConfigureAwait(false);
                    var applied = await history.OfContextAsync(cancellationToken).ConfigureAwait(false);
                    TenantMigrationSurveyor<TContext>.RefuseUnknown(applied, history, unit);
                    if (applied.Count < history.Known.Count)
                    {
                        await context.Database.MigrateAsync(cancellationToken).ConfigureAwait(false);
                    }

                    return before with
                    {
                        Outcome = TenantMigrationOutcome.Migrated,
                        Before = applied is [.., var last] ? last : null,
                        After = history.Last,
                    };
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
        {
            result = before with { Outcome = TenantMigrationOutcome.Failed, Error = TenantMigrationSurveyor<TContext>.Typed(exception) };
        }

        result = result with { Duration = TimeProvider.System.GetElapsedTime(started) };
        if (survey.Journal is { } journal)
        {
            await journal.WriteAsync(result, cancellationToken).ConfigureAwait(false);
        }

        return result;
    }
}
#pragma warning restore CA1068
