namespace EfTenancy;

/// <summary>What happens to the case of tenant ids, at every entrance alike. The names and the meaning are Marten's.</summary>
/// <remarks>
///     <see cref="TenancyDefaults.DefaultTenantId" /> is exempt. Rows that are there already are not rewritten when the style changes.
/// </remarks>
public enum TenantIdStyle
{
    /// <summary>Ids are taken as they are; <c>Acme</c> and <c>acme</c> are two tenants. The default.</summary>
    CaseSensitive,

    /// <summary>Ids are made upper case, by the invariant culture.</summary>
    ForceUpperCase,

    /// <summary>Ids are made lower case, by the invariant culture.</summary>
    ForceLowerCase,
}
