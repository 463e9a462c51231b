using EfTenancy.Properties;

namespace EfTenancy.Storage.Internal;

/// <summary>What a tenant id may look like; every entrance asks here.</summary>
public static class TenantIdRules
{
    public static string Check(string? tenantId, string parameterName)
        => Violation(tenantId) is { } violation
            ? throw new ArgumentException(violation, parameterName)
            : tenantId!;

    private static string? Violation(string? tenantId)
        => string.IsNullOrWhiteSpace(tenantId) ? TenancyStrings.TenantIdIsBlank
            : tenantId.Length > TenancyDefaults.MaxTenantIdLength ? TenancyStrings.TenantIdIsTooLong(tenantId.Length)
            : tenantId.Any(char.IsControl) ? TenancyStrings.TenantIdHasControlCharacter
            // PostgreSQL stores UTF-8, which has no form for half a surrogate pair.
            : HasLoneSurrogate(tenantId) ? TenancyStrings.TenantIdIsNotUnicode
            : null;

    private static bool HasLoneSurrogate(string tenantId)
    {
        for (var i = 0; i < tenantId.Length; i++)
        {
            if (char.IsSurrogatePair(tenantId, i))
            {
                i++;
            }
            else if (char.IsSurrogate(tenantId[i]))
            {
                return true;
            }
        }

        return false;
    }
}
