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

    private static async Task<Ok<List<TenantReport>>> GetAsync(FlightContext db, CancellationToken cancellationToken)
        => TypedResults.Ok(
            await db.Flights
                .Where(f => f.AnyTenant())
                .GroupBy(f => EF.Property<string>(f, TenancyDefaults.TenantPropertyName))
                .OrderByDescending(g => g.Count())
                .ThenBy(g => g.Key)
                .Select(g => new TenantReport(g.Key, g.LongCount(), g.Average(f => f.DelayMinutes)))
                .ToListAsync(cancellationToken));
}

public record TenantReport(string Tenant, long Count, double MeanMinutes);
