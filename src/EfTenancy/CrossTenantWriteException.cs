using Microsoft.EntityFrameworkCore;

namespace EfTenancy;

/// <summary>
///     A save held a row of a tenant that the context is not opened for, or one that was given another tenant than it had. It is thrown
///     before anything is sent to the database. Under <see cref="TenantKeyStyle.IdOnly" /> also the inner exception of the
///     <see cref="DbUpdateException" /> that refuses a reference to a row which the row's tenant does not have. Marten has no counterpart;
///     Wolverine's conjoined tenancy uses the same name.
/// </summary>
public class CrossTenantWriteException : InvalidOperationException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    /// <param name="message">The message.</param>
    /// <param name="rowTenantId">The tenant of the refused row.</param>
    /// <param name="contextTenantId">The tenant of the context.</param>
    public CrossTenantWriteException(string message, string? rowTenantId, string contextTenantId)
        : base(message)
    {
        RowTenantId = rowTenantId;
        ContextTenantId = contextTenantId;
    }

    /// <summary>The tenant of the refused row.</summary>
    public string? RowTenantId { get; }

    /// <summary>The tenant that the context works for.</summary>
    public string ContextTenantId { get; }
}
