using System.Diagnostics.CodeAnalysis;
using EfTenancy.Properties;

namespace EfTenancy.Storage.Internal;

/// <summary>What a tenant id may look like, and what its style makes of it; every entrance asks here.</summary>
public static class TenantIdRules
{
    public static string Check(string? tenantId, string parameterName, int maxLength = TenancyDefaults.MaxTenantIdLength)
        => Violation(tenantId, maxLength) is { } violation
            ? throw new ArgumentException(violation, parameterName)
            : tenantId!;

    public static string Normalize(string tenantId, TenantIdStyle style)
        => style == TenantIdStyle.CaseSensitive || tenantId == TenancyDefaults.DefaultTenantId ? tenantId
            : style == TenantIdStyle.ForceUpperCase ? tenantId.ToUpperInvariant()
            : LowerCase(tenantId);

#pragma warning disable CA1308 // Lower case is what the user asked for, not a way to compare.
    private static string LowerCase(string tenantId)
        => tenantId.ToLowerInvariant();
#pragma warning restore CA1308

    private static string? Violation(string? tenantId, int maxLength)
        => IsPlain(tenantId) && tenantId.Length <= maxLength ? null
            : string.IsNullOrWhiteSpace(tenantId) ? TenancyStrings.TenantIdIsBlank
            : tenantId.Length > maxLength ? TenancyStrings.TenantIdIsTooLong(tenantId.Length, maxLength)
            : HasControlCharacter(tenantId) ? TenancyStrings.TenantIdHasControlCharacter
            // PostgreSQL stores UTF-8, which has no form for half a surrogate pair.
            : HasLoneSurrogate(tenantId) ? TenancyStrings.TenantIdIsNotUnicode
            : null;

    // Most ids, and one look at them: each context that is leased from a pool comes by here.
    private static bool IsPlain([NotNullWhen(true)] string? tenantId)
        => !string.IsNullOrEmpty(tenantId) && !tenantId.AsSpan().ContainsAnyExceptInRange('!', '~');

    // The ranges of char.IsControl.
    private static bool HasControlCharacter(ReadOnlySpan<char> tenantId)
        => tenantId.ContainsAnyInRange('\0', '\u001F') || tenantId.ContainsAnyInRange('\u007F', '\u009F');

    private static bool HasLoneSurrogate(string tenantId)
    {
        if (!tenantId.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            return false;
        }

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
