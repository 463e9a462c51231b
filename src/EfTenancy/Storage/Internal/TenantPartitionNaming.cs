using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using EfTenancy.Metadata;
using EfTenancy.Properties;

namespace EfTenancy.Storage.Internal;

/// <summary>Raw tenant id → suffix, table and suffix → name of the partition. Nothing else makes these names.</summary>
public static partial class TenantPartitionNaming
{
    // NAMEDATALEN - 1; PostgreSQL silently cuts a longer identifier, and two cut names may meet.
    public const int MaxIdentifierBytes = 63;

    public const int HashLength = 10;

    /// <summary>What is left of a name that is too long, in front of its hash.</summary>
    public const int MaxCutBytes = MaxIdentifierBytes - HashLength - 1;

    private const int MaxPlainSuffixLength = 40;
    private const int MaxStemLength = 24;

    // A plain id never holds it, so that a hashed suffix cannot meet the suffix of another tenant.
    public const char HashSeparator = '$';

    public static string SuffixOf(string tenantId)
        => tenantId.Length <= MaxPlainSuffixLength && PlainSuffix().IsMatch(tenantId)
            ? tenantId
            : IsCanonicalGuid(tenantId, out var guid) ? guid.ToString("N")
            : Stem(tenantId) + HashSeparator + Hash(tenantId);

    public static string PartitionName(string table, string suffix)
        => Fitting(table + "_" + suffix);

    /// <summary>The name of a tenant's own database or schema.</summary>
    public static string PrefixedName(string prefix, string tenantId)
        => Fitting(prefix + SuffixOf(tenantId));

    private static string Fitting(string name)
        => Encoding.UTF8.GetByteCount(name) <= MaxIdentifierBytes
            ? name
            : CutToBytes(name, MaxCutBytes) + HashSeparator + Hash(name);

    public static void CheckSuffix(TenantPartition partition, string entity)
    {
        if (!IsGivenSuffix(partition.Suffix) && partition.Suffix != MadeSuffix(partition))
        {
            throw new InvalidOperationException(
                TenancyStrings.PartitionSuffixIsNotPlain(entity, partition.Suffix, MaxPlainSuffixLength));
        }
    }

    // Another spelling of the same Guid is another tenant and gets a hash.
    private static bool IsCanonicalGuid(string tenantId, out Guid guid)
        => Guid.TryParseExact(tenantId, "D", out guid) && guid.ToString("D") == tenantId;

    /// <summary>Whether a suffix given for a tenant at run time can be part of a name; its length is another question.</summary>
    public static bool IsGivenSuffix(string suffix, string tenantId)
        => GivenSuffix().IsMatch(suffix) || suffix == SuffixOf(tenantId);

    private static bool IsGivenSuffix(string suffix)
        => suffix.Length <= MaxPlainSuffixLength && GivenSuffix().IsMatch(suffix);

    private static string? MadeSuffix(TenantPartition partition)
        => partition.Values is [var tenantId] ? SuffixOf(tenantId) : null;

    private static string Hash(string text)
        => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..HashLength];

    private static string Stem(string tenantId)
    {
        var stem = new StringBuilder(MaxStemLength);
        foreach (var c in tenantId.ToLower(CultureInfo.InvariantCulture))
        {
            if (stem.Length == MaxStemLength)
            {
                break;
            }

            stem.Append(char.IsAsciiLetterOrDigit(c) ? c : '_');
        }

        return stem.ToString();
    }

    private static string CutToBytes(string text, int maxBytes)
    {
        var bytes = 0;
        var cut = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            bytes += rune.Utf8SequenceLength;
            if (bytes > maxBytes)
            {
                break;
            }

            cut.Append(rune);
        }

        return cut.ToString();
    }

    [GeneratedRegex("^[a-z0-9_]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex PlainSuffix();

    [GeneratedRegex("^[A-Za-z0-9_]+\\z", RegexOptions.CultureInvariant)]
    private static partial Regex GivenSuffix();
}
