using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace WebApi.Endpoints;

/// <summary>Says in the OpenAPI document that endpoints need a tenant. That they get none of another tenant is EfTenancy's work.</summary>
public static class TenantHeader
{
    public static RouteGroupBuilder RequireTenant(this RouteGroupBuilder group)
    {
        group.ProducesProblem(StatusCodes.Status400BadRequest);
        group.AddOpenApiOperationTransformer((operation, _, _) =>
        {
            operation.Parameters ??= [];
            operation.Parameters.Add(
                new OpenApiParameter
                {
                    Name = HttpTenantAccessor.Header,
                    In = ParameterLocation.Header,
                    Required = true,
                    Description = "The airport whose flights these are.",
                    Schema = new OpenApiSchema { Type = JsonSchemaType.String },
                    Example = "ORD",
                });
            return Task.CompletedTask;
        });
        return group;
    }
}
