using EfTenancy;
using EfTenancy.Storage;
using Microsoft.AspNetCore.Diagnostics;

namespace WebApi.Endpoints;

/// <summary>Answers for requests that name no tenant, an impossible or unknown one, or one whose database is out of order.</summary>
public sealed class TenancyExceptionHandler(IProblemDetailsService problemDetailsService) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        var (status, title, detail) = exception switch
        {
            DefaultTenantUsageDisabledException => (
                StatusCodes.Status400BadRequest, "No tenant", $"Name the tenant in the header {HttpTenantAccessor.Header}."),
            ArgumentException { ParamName: nameof(ITenantAccessor.TenantId) } => (
                StatusCodes.Status400BadRequest, "Bad tenant id", exception.Message),
            UnknownTenantException { TenantId: var tenant } => (
                StatusCodes.Status404NotFound, "Unknown tenant", $"There is no tenant '{tenant}'."),
            TenantDisabledException { TenantId: var tenant } => (
                StatusCodes.Status403Forbidden, "Disabled tenant", $"The tenant '{tenant}' is disabled."),
            _ when DatabaseErrorOf(exception) is { TenantId: var tenant, Error: var error } => (
                StatusCodes.Status503ServiceUnavailable, "Database of the tenant unavailable",
                $"The database of the tenant '{tenant}' cannot be used now ({error}). Those of others can."),
            _ => default,
        };

        if (title is null)
        {
            return false;
        }

        httpContext.Response.StatusCode = status;
        return await problemDetailsService.TryWriteAsync(
            new ProblemDetailsContext
            {
                HttpContext = httpContext,
                Exception = exception,
                ProblemDetails = { Status = status, Title = title, Detail = detail },
            });
    }

    // EF wraps errors that may pass by themselves, to say that they are not retried.
    private static TenantDatabaseException? DatabaseErrorOf(Exception? exception)
        => exception is null ? null : exception as TenantDatabaseException ?? DatabaseErrorOf(exception.InnerException);
}
