namespace EfTenancy;

/// <summary>
///     Tells EfTenancy the tenant of the work at hand, for example from an HTTP request. Register it in the
///     application's services; a context asks it once, at first use.
/// </summary>
/// <remarks>
///     Contexts that are pooled or come from a factory live on the application's root services, so an accessor that
///     serves them must be a singleton (over <c>IHttpContextAccessor</c> or an <see cref="AsyncLocal{T}" />, say).
/// </remarks>
public interface ITenantAccessor
{
    /// <summary>
    ///     The current tenant; <see langword="null" /> or an empty string mean <em>unset</em>, and then the default tenant
    ///     is used or, after <c>DisableDefaultTenant()</c>, a <see cref="DefaultTenantUsageDisabledException" /> is thrown.
    ///     Unset never means all tenants.
    /// </summary>
    string? TenantId { get; }
}
