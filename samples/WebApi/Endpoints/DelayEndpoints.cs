using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class DelayEndpoints
{
    // What the US Department of Transportation counts as late.
    private const int LateMinutes = 15;

    public static void MapDelays(this IEndpointRouteBuilder endpoints)
        => endpoints.MapGet("/delays", GetAsync)
            .WithSummary($"The tenant's delays: all together, and for the ten destinations with the most flights. Late is {LateMinutes} minutes and more.");

    private static async Task<Ok<DelaysResponse>> GetAsync(FlightContext db, CancellationToken cancellationToken)
    {
        var all = await db.Flights
            .GroupBy(_ => 1)
            .Select(g => new
            {
                Count = g.LongCount(),
                Mean = g.Average(f => f.DelayMinutes),
                Late = g.LongCount(f => f.DelayMinutes >= LateMinutes),
            })
            .SingleOrDefaultAsync(cancellationToken);

        var destinations = await db.Flights
            .GroupBy(f => f.Destination)
            .OrderByDescending(g => g.Count())
            .ThenBy(g => g.Key)
            .Take(10)
            .Select(g => new DestinationDelays(
                g.Key,
                g.LongCount(),
                g.Average(f => f.DelayMinutes),
                (double)g.Count(f => f.DelayMinutes >= LateMinutes) / g.Count()))
            .ToListAsync(cancellationToken);

        return TypedResults.Ok(
            new DelaysResponse(
                db.Tenancy().TenantId,
                all?.Count ?? 0,
                all?.Mean,
                all is null ? null : (double)all.Late / all.Count,
                destinations));
    }
}

public record DelaysResponse(
    string Origin, long Count, double? MeanMinutes, double? LateShare, IReadOnlyList<DestinationDelays> Destinations);

public record DestinationDelays(string Destination, long Count, double MeanMinutes, double LateShare);
