using Microsoft.EntityFrameworkCore;

namespace EfTenancy;

/// <summary>Where the tenant stands in the keys of multi-tenanted entities. As Marten's <c>PrimaryKeyTenancyOrdering</c>.</summary>
public enum TenantKeyStyle
{
    /// <summary>Keys and foreign keys lead with the tenant, <c>(TenantId, Id)</c>: they serve the tenant filter too. The default.</summary>
    TenantThenId,

    /// <summary>Keys and foreign keys end with the tenant, <c>(Id, TenantId)</c>, and the tenant has an index of its own.</summary>
    IdThenTenant,

    /// <summary>
    ///     Keys and foreign keys stay as they are, for a large live database that cannot change them yet. The tenant is a concurrency
    ///     token, so that UPDATE and DELETE look for it, and has an index. An id exists once over all tenants. The database does not keep a row from
    ///     referencing another tenant's row: each save looks whether it does, and refuses with the <see cref="DbUpdateException" /> that EF
    ///     throws for a row that is not there, with a <see cref="CrossTenantWriteException" /> inside. Such tables cannot be partitioned.
    /// </summary>
    IdOnly,
}
