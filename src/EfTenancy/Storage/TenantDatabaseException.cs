using Npgsql;

namespace EfTenancy.Storage;

/// <summary>
///     The database or schema of a tenant cannot be used. Names tenant and destination, never a password. Other tenants go on working;
///     EF's execution strategies see a transient cause as they would without tenancy.
/// </summary>
public class TenantDatabaseException : NpgsqlException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="error">What is wrong.</param>
    /// <param name="tenantId">The tenant; null where work is for no tenant, as for a migration of what all share.</param>
    /// <param name="destination">Where its rows are.</param>
    /// <param name="innerException">The cause, if there is one.</param>
    public TenantDatabaseException(
        string message,
        TenantDatabaseError error,
        string? tenantId,
        TenantDestination destination,
        Exception? innerException = null)
        : base(message, innerException)
    {
        Error = error;
        TenantId = tenantId;
        Destination = destination;
    }

    /// <summary>What is wrong.</summary>
    public TenantDatabaseError Error { get; }

    /// <summary>The tenant; null where work is for no tenant.</summary>
    public string? TenantId { get; }

    /// <summary>Where the tenant's rows are.</summary>
    public TenantDestination Destination { get; }
}
