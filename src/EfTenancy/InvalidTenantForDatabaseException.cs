using EfTenancy.Storage;

namespace EfTenancy;

/// <summary>
///     Work for a second tenant was asked of a context whose connection does not reach that tenant's rows. As Marten's
///     <c>InvalidTenantForDatabaseException</c>.
/// </summary>
public class InvalidTenantForDatabaseException : InvalidOperationException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tenantId">The tenant that is elsewhere.</param>
    /// <param name="destination">Where it is.</param>
    public InvalidTenantForDatabaseException(string message, string tenantId, TenantDestination destination)
        : base(message)
    {
        TenantId = tenantId;
        Destination = destination;
    }

    /// <summary>The tenant that is elsewhere.</summary>
    public string TenantId { get; }

    /// <summary>Where it is.</summary>
    public TenantDestination Destination { get; }
}
