namespace EfTenancy;

/// <summary>
///     A row was refused because its table has no partition for the row's tenant. Nothing was written. The counterpart
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

    /// <summary>The tenant that has no partition; null if PostgreSQL did not tell.</summary>
    public string? TenantId { get; }

    /// <summary>The partitioned table.</summary>
    public string? Table { get; }
}
