using System.ComponentModel.DataAnnotations;
using EfTenancy.Administration;
using Microsoft.AspNetCore.Http.HttpResults;
using WebApi.Model;

namespace WebApi.Endpoints;

public static class TenantEndpoints
{
    public static void MapTenants(this IEndpointRouteBuilder endpoints)
    {
        var tenants = endpoints.MapGroup("/operator/tenants");
        tenants.MapGet("", ListAsync).WithSummary("The tenants, where they are, and the size of it.");
        tenants.MapPost("", AddAsync).WithSummary("Adds a tenant, with its partitions, its schema or its database, while all others go on.");
        tenants.MapDelete("{id}", RemoveAsync).WithSummary("Removes a tenant with all its rows, while all others go on.");
    }

    private static async Task<Ok<IReadOnlyList<RegisteredTenant>>> ListAsync(
        ITenantAdministration<FlightContext> tenants, CancellationToken cancellationToken)
        => TypedResults.Ok(await tenants.ListAsync(cancellationToken));

    private static async Task<Results<Created, ProblemHttpResult>> AddAsync(
        ITenantAdministration<FlightContext> tenants, NewTenant request, CancellationToken cancellationToken)
    {
        try
        {
            await tenants.AddAsync([request.Id], cancellationToken);
            return TypedResults.Created();
        }
        catch (ArgumentException exception)
        {
            return TypedResults.Problem(exception.Message, title: "Bad tenant id", statusCode: StatusCodes.Status400BadRequest);
        }
    }

    private static async Task<NoContent> RemoveAsync(
        ITenantAdministration<FlightContext> tenants, string id, CancellationToken cancellationToken)
    {
        await tenants.RemoveAsync([id], cancellationToken);
        return TypedResults.NoContent();
    }
}

public record NewTenant([Required, StringLength(128)] string Id);
