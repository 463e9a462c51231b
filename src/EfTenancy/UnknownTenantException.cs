namespace EfTenancy;

/// <summary>
///     A row was refused because its table has no partition for the row's tenant, or administration was asked for a tenant that is not
///     registered. Nothing was written. The counterpart
///     of Marten's <c>UnknownTenantIdException</c>, which Marten leaves to PostgreSQL's error 23514 in this place.
/// </summary>
public class UnknownTenantException : InvalidOperationException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tenantId">The tenant that has no partition; null if PostgreSQL did not tell.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="innerException">PostgreSQL's error.</param>
    public UnknownTenantException(string message, string? tenantId, string? table, Exception innerException)
        : base(message, innerException)
    {
        TenantId = tenantId;
        Table = table;
    }

    /// <summary>Creates the exception for a tenant that the registry does not know.</summary>
    /// <param name="message">The message.</param>
    /// <param name="tenantId">The tenant.</param>
    public UnknownTenantException(string message, string tenantId)
        : base(message)
        => TenantId = tenantId;

    /// <summary>The tenant that has no partition; null if PostgreSQL did not tell.</summary>
    public string? TenantId { get; }

    /// <summary>The partitioned table; null if administration refused.</summary>
    public string? Table { get; }
}
