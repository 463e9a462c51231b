using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class AirportEndpoints
{
    public static void MapAirports(this IEndpointRouteBuilder endpoints)
        => endpoints.MapGet("/airports", ListAsync).WithSummary("All airports, the same for every tenant and for none.");

    private static async Task<Ok<List<Airport>>> ListAsync(FlightPlaces places, CancellationToken cancellationToken)
        => TypedResults.Ok(
            await places.AtAnyAsync(db => db.Airports.OrderBy(a => a.Code).ToListAsync(cancellationToken), cancellationToken) ?? []);
}
