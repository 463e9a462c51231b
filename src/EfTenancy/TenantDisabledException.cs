namespace EfTenancy;

/// <summary>
///     A context was opened for a tenant that is disabled or being removed. Marten throws <c>UnknownTenantIdException</c> in this place.
/// </summary>
public class TenantDisabledException : InvalidOperationException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tenantId">The tenant.</param>
    public TenantDisabledException(string message, string tenantId)
        : base(message)
        => TenantId = tenantId;

    /// <summary>The tenant.</summary>
    public string TenantId { get; }
}
