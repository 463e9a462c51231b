using EfTenancy;

namespace WebApi;

/// <summary>The tenant is the airport that the header <c>X-Tenant</c> of the request names.</summary>
public sealed class HttpTenantAccessor(IHttpContextAccessor httpContextAccessor) : ITenantAccessor
{
    public const string Header = "X-Tenant";

    public string? TenantId
        => httpContextAccessor.HttpContext?.Request.Headers[Header];
}
