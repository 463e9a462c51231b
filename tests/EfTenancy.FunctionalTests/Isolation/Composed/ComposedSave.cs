using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>
///     A random unit of work. It draws each step when it comes to it, from what is tracked then: as long as both sides have come to the
///     same, they do the same.
/// </summary>
/// <param name="random">Draws steps and values.</param>
/// <param name="side">Has the contexts.</param>
/// <param name="databases">Know which keys are whose.</param>
/// <param name="model">That of plain EF, so that both sides draw the same.</param>
/// <param name="isBetweenLeases">Whether it is one that another waits for.</param>
public sealed partial class ComposedSave(Random random, BazaarSide side, BazaarDatabases databases, IModel model, bool isBetweenLeases = false)
{
    private readonly BazaarRows _rows = new(random, databases);
    private readonly List<string> _log = [];
    private readonly List<IEntityType> _types
        = [.. model.GetEntityTypes().Where(e => !e.IsOwned() && !e.IsAbstract() && e.FindPrimaryKey() is not null).OrderBy(e => e.Name, StringComparer.Ordinal)];
    private BazaarContext _db = null!;
    private BazaarContext? _other;
    private int _tenant;


    /// <summary>What was thrown, by the lines that tell its kind.</summary>
    public Dictionary<int, Exception> Failures { get; } = [];

    /// <returns>Each step with what came of it.</returns>
    public async Task<List<string>> RunAsync()
    {
        _db = await side.ContextAsync();
        await side.RowsAsync();
        if (random.Next(4) == 0)
        {
            CascadeTiming[] timings = [CascadeTiming.Immediate, CascadeTiming.OnSaveChanges, CascadeTiming.Never];
            _db.ChangeTracker.CascadeDeleteTiming = timings[random.Next(3)];
            _db.ChangeTracker.DeleteOrphansTiming = timings[random.Next(3)];
        }

        for (var i = random.Next(4, 12); i > 0; i--)
        {
            await NextAsync(TrackerText.Entries(_db).Count == 0 && random.Next(4) > 0 ? ReadAsync : Step);
        }

        await NextAsync(SaveAsync);
        return _log;
    }

    private async Task NextAsync(Func<Task> step)
    {
        _tenant = side.IsOfSeveralTenants && random.Next(2) == 0 ? random.Next(BazaarSeed.Tenants) : side.Own;
        using var scope = side.IsOfSeveralTenants && random.Next(3) == 0 ? side.AcrossTenants(_db) : null;
        if (scope is not null)
        {
            Log("across tenants");
        }

        _rows.MeetsOthers = databases.KeysAreDisjoint && !side.HasRowsOfOthers;
        await TryAsync(step);
    }

    private async Task TryAsync(Func<Task> step)
    {
        try
        {
            await step();
            _log.AddRange(TrackerText.Of(_db));
        }
        catch (Exception exception) when (Kind(exception is TargetInvocationException ? exception.InnerException! : exception) is { } kind)
        {
            // What is tracked after an exception depends on what EF came to before.
            Failures[_log.Count] = exception;
            _log.Add(kind);
            _db.ChangeTracker.Clear();
        }
    }

    private string? Kind(Exception exception)
        => exception switch
        {
            DbUpdateException or CrossTenantWriteException or InvalidOperationException when databases.RefusesReferencesFirst => "refused",
            DbUpdateException { InnerException: PostgresException postgres } => $"{exception.GetType().Name} {postgres.SqlState}",
            Xunit.Sdk.XunitException => null,
            _ => exception.GetType().Name,
        };

    private async Task SaveAsync()
    {
        Log("save");
        _log.Add($"{await side.SaveAsync(_db, random.Next(2) == 0)}");
        _log.AddRange(await side.RowsAsync());
    }

    private void Log(string step)
        => _log.Add("> " + step);
}
