using System.ComponentModel.DataAnnotations;
using System.Linq.Expressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class FlightEndpoints
{
    public static void MapFlights(this IEndpointRouteBuilder endpoints)
    {
        endpoints.MapGet("/flights", ListAsync).WithSummary("The tenant's flights, page by page.");
        endpoints.MapGet("/flights/{id:long}", GetAsync).WithSummary("One of the tenant's flights.");
        endpoints.MapPost("/flights", AddAsync).WithSummary("Adds a flight of the tenant.").ProducesProblem(StatusCodes.Status404NotFound);
    }

    private static readonly Expression<Func<Flight, FlightResponse>> ToResponse
        = f => new FlightResponse(f.Id, f.FlownAt, f.DelayMinutes, f.DistanceMiles, f.Destination);

    private static async Task<Ok<List<FlightResponse>>> ListAsync(
        FlightContext db,
        CancellationToken cancellationToken,
        long after = 0,
        [Range(1, 500)] int take = 50)
        => TypedResults.Ok(
            await db.Flights
                .Where(f => f.Id > after)
                .OrderBy(f => f.Id)
                .Take(take)
                .Select(ToResponse)
                .ToListAsync(cancellationToken));

    private static async Task<Results<Ok<FlightResponse>, NotFound>> GetAsync(
        FlightContext db, long id, CancellationToken cancellationToken)
        => await db.Flights.Where(f => f.Id == id).Select(ToResponse).SingleOrDefaultAsync(cancellationToken) is { } flight
            ? TypedResults.Ok(flight)
            : TypedResults.NotFound();

    private static async Task<Results<Created<FlightResponse>, ValidationProblem>> AddAsync(
        FlightContext db, NewFlight request, CancellationToken cancellationToken)
    {
        if (!await db.Airports.AnyAsync(a => a.Code == request.Destination, cancellationToken))
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { [nameof(request.Destination)] = ["There is no such airport; see /airports."] });
        }

        var flight = new Flight
        {
            // The column has no time zone, and Npgsql refuses a time that has one.
            FlownAt = DateTime.SpecifyKind(request.FlownAt, DateTimeKind.Unspecified),
            DelayMinutes = request.DelayMinutes,
            DistanceMiles = request.DistanceMiles,
            Destination = request.Destination,
        };
        db.Add(flight);
        await db.SaveChangesAsync(cancellationToken);

        return TypedResults.Created($"/flights/{flight.Id}", ToResponse.Compile()(flight));
    }
}

public record FlightResponse(long Id, DateTime FlownAt, int DelayMinutes, int DistanceMiles, string Destination);

public record NewFlight(
    DateTime FlownAt,
    int DelayMinutes,
    [Range(0, 20_000)] int DistanceMiles,
    [Required, RegularExpression("^[A-Z]{3}$")] string Destination);
