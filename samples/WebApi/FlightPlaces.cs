using EfTenancy;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi;

/// <summary>
///     The places that have flights: one for all tenants, one for each, or a few with many in each. For work on all of them, and for what is
///     the same in all of them.
/// </summary>
public sealed class FlightPlaces(FlightTenancy tenancy, IServiceScopeFactory scopes)
{
    private const int AtOnce = 4;

    public async Task<IReadOnlyList<FlightPlace>> ListAsync(CancellationToken cancellationToken = default)
        => tenancy.Databases is { } databases
            ?
            [
                .. (await databases.ListAsync(cancellationToken))
                    .Where(t => !t.IsDisabled)
                    .GroupBy(t => t.Destination, (destination, g) => new FlightPlace(destination, [.. g.Select(t => t.TenantId)])),
            ]
            : [FlightPlace.OfAll];

    /// <summary>Work in one place. A tenant that went since the places were listed, or is not let in yet, is passed over.</summary>
    /// <returns>What the work returned; nothing if no tenant of the place is let in.</returns>
    public async Task<T?> AtAsync<T>(FlightPlace place, Func<FlightContext, Task<T>> work, CancellationToken cancellationToken)
    {
        await using var scope = scopes.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        return place == FlightPlace.OfAll || await TryUseAsync(db, place, cancellationToken) ? await work(db) : default;
    }

    /// <summary>Work in the first place that is there: for what all places have a copy of.</summary>
    public async Task<T?> AtAnyAsync<T>(Func<FlightContext, Task<T>> work, CancellationToken cancellationToken)
        => await ListAsync(cancellationToken) is [var place, ..] ? await AtAsync(place, work, cancellationToken) : default;

    /// <summary>Work in all places, a few at a time.</summary>
    public async Task<IReadOnlyList<T>> AtEachAsync<T>(
        Func<FlightPlace, FlightContext, Task<List<T>>> work,
        CancellationToken cancellationToken)
    {
        var places = await ListAsync(cancellationToken);
        var results = new List<T>?[places.Count];
        await Parallel.ForAsync(
            0, places.Count, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellationToken },
            async (i, token) => results[i] = await AtAsync(places[i], db => work(places[i], db), token));
        return [.. results.SelectMany(r => r ?? [])];
    }

    private static async Task<bool> TryUseAsync(FlightContext db, FlightPlace place, CancellationToken cancellationToken)
    {
        foreach (var tenant in place.Tenants)
        {
            try
            {
                await db.Tenancy().UseAsync(tenant, cancellationToken);
                return true;
            }
            catch (Exception exception) when (exception is UnknownTenantException or TenantDisabledException)
            {
            }
        }

        return false;
    }
}

/// <summary>Where the rows of tenants are.</summary>
/// <param name="Destination">Null where all tenants are in the database of the context.</param>
/// <param name="Tenants">The tenants there; none where it is the only place, so that nobody needs to know them.</param>
public record FlightPlace(TenantDestination? Destination, IReadOnlyList<string> Tenants)
{
    public static FlightPlace OfAll { get; } = new(null, []);
}
