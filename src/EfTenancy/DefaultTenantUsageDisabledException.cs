using EfTenancy.Properties;

namespace EfTenancy;

/// <summary>
///     Nothing named a tenant and <c>DisableDefaultTenant()</c> forbids to fall back on
///     <see cref="TenancyDefaults.DefaultTenantId" />. The name and the meaning are Marten's.
/// </summary>
public class DefaultTenantUsageDisabledException : InvalidOperationException
{
    /// <summary>Creates the exception with EfTenancy's message.</summary>
    public DefaultTenantUsageDisabledException()
        : base(TenancyStrings.DefaultTenantUsageDisabled)
    {
    }
}
