using System.Text.Json;
using System.Text.Json.Serialization;

namespace EfTenancy.Metadata;

/// <summary>How the table of a multi-tenanted entity is partitioned: the strategy, and the partitions that EfTenancy knows.</summary>
/// <param name="Strategy">The strategy.</param>
/// <param name="Partitions">
///     The partitions, in the order given; <see langword="null" /> when they are managed externally, and then EfTenancy
///     writes <c>PARTITION BY</c> only.
/// </param>
public sealed record TenantPartitioning(
    TenantPartitionStrategy Strategy,
    IReadOnlyList<TenantPartition>? Partitions)
{
    // The form in a model snapshot: a string that any version of EF writes and reads without our help.
    private static readonly JsonSerializerOptions JsonOptions = new()
    {
        Converters = { new JsonStringEnumConverter() },
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether somebody else makes and drops the partitions.</summary>
    [JsonIgnore]
    public bool IsExternallyManaged
        => Partitions is null;

    /// <summary>Reads what <see cref="Serialize" /> wrote.</summary>
    /// <param name="text">The text.</param>
    public static TenantPartitioning Deserialize(string text)
        => JsonSerializer.Deserialize<TenantPartitioning>(text, JsonOptions)!;

    /// <summary>The text form that annotations and model snapshots hold.</summary>
    public string Serialize()
        => JsonSerializer.Serialize(this, JsonOptions);

    /// <summary>Whether both describe the same partitions in the same order.</summary>
    /// <param name="other">The other partitioning.</param>
    public bool Equals(TenantPartitioning? other)
        => other is not null
            && Strategy == other.Strategy
            && (Partitions is null
                ? other.Partitions is null
                : other.Partitions is not null && Partitions.SequenceEqual(other.Partitions));

    /// <inheritdoc />
    public override int GetHashCode()
        => HashCode.Combine(Strategy, Partitions?.Count);
}
