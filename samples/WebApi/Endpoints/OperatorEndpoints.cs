using EfTenancy;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class OperatorEndpoints
{
    public static void MapOperatorReport(this IEndpointRouteBuilder endpoints)
        => endpoints.MapGet("/operator/report", GetAsync)
            .WithSummary("Flights and mean delay of every tenant. A real application would let operators only in here.");

    private static async Task<Ok<List<TenantReport>>> GetAsync(FlightPlaces places, CancellationToken cancellationToken)
    {
        var reports = await places.AtEachAsync(
            (_, db) => db.Flights
                .Where(f => f.AnyTenant())
                .GroupBy(f => EF.Property<string>(f, TenancyDefaults.TenantPropertyName))
                .Select(g => new TenantReport(g.Key, g.LongCount(), g.Average(f => f.DelayMinutes)))
                .ToListAsync(cancellationToken),
            cancellationToken);
        return TypedResults.Ok(reports.OrderByDescending(r => r.Count).ThenBy(r => r.Tenant, StringComparer.Ordinal).ToList());
    }
}

public record TenantReport(string Tenant, long Count, double MeanMinutes);
