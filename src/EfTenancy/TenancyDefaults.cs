namespace EfTenancy;

/// <summary>Names and values that EfTenancy uses where the application gives none.</summary>
public static class TenancyDefaults
{
    /// <summary>
    ///     The tenant that rows belong to when nothing named a tenant: <c>*DEFAULT*</c>, as in Marten's
    ///     <c>Tenancy.DefaultTenantId</c>. It is also the default of the tenant column in the database, so that the rows
    ///     of an existing table have an owner when its entity becomes multi-tenanted.
    /// </summary>
    public const string DefaultTenantId = "*DEFAULT*";

    /// <summary>The key of the named query filter that keeps a query inside its tenant: <c>Tenancy</c>.</summary>
    public const string QueryFilterName = "Tenancy";

    /// <summary>The name of the tenant property and, through EF's usual rules, of its column, unless <c>UseTenantProperty</c> says otherwise.</summary>
    public const string TenantPropertyName = "TenantId";

    /// <summary>The longest tenant id, in UTF-16 code units, unless <c>UseTenantProperty</c> says less. A longer one is refused with an <see cref="ArgumentException" />.</summary>
    public const int MaxTenantIdLength = 128;

    /// <summary>How many seconds a process may go on opening contexts for a tenant that another process disabled.</summary>
    public const int TenantStateSeconds = 5;
}
