using System.Text.Json.Serialization;

namespace EfTenancy.Metadata;

/// <summary>One partition of a multi-tenanted table: its suffix and its bound.</summary>
/// <param name="Suffix">The part of the partition's name that follows the table's name and an underscore.</param>
public sealed record TenantPartition(string Suffix)
{
    /// <summary>The tenants of a list partition; null for other kinds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Values { get; init; }

    /// <summary>The inclusive lower bound of a range partition; null for other kinds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? From { get; init; }

    /// <summary>The exclusive upper bound of a range partition; null for other kinds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? To { get; init; }

    /// <summary>The number of partitions of a table partitioned by hash; null for other kinds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Modulus { get; init; }

    /// <summary>Which of the <see cref="Modulus" /> hash partitions this is, counted from zero; null for other kinds.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public int? Remainder { get; init; }

    /// <summary>Whether this is the partition of all tenants that no other list or range partition takes.</summary>
    [JsonIgnore]
    public bool IsDefault
        => Values is null && From is null && Modulus is null;

    /// <summary>Whether the other partition takes the same tenants under the same name.</summary>
    /// <param name="other">The other partition.</param>
    public bool Equals(TenantPartition? other)
        => other is not null
            && Suffix == other.Suffix
            && (Values is null ? other.Values is null : other.Values is not null && Values.SequenceEqual(other.Values))
            && From == other.From
            && To == other.To
            && Modulus == other.Modulus
            && Remainder == other.Remainder;

    /// <inheritdoc />
    public override int GetHashCode()
        => HashCode.Combine(Suffix, Values?.Count, From, To, Modulus, Remainder);
}
