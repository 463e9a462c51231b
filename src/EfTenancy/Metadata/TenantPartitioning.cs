using System.Text.Json;
using System.Text.Json.Serialization;

namespace EfTenancy.Metadata;

/// <summary>How the table of a multi-tenanted entity is partitioned: the strategy, and the partitions that EfTenancy knows.</summary>
/// <param name="Strategy">The strategy.</param>
/// <param name="Partitions">
///     The partitions, in the order given; <see langword="null" /> when the model does not know them: they follow the registry of
///     <see cref="TenantPartitioning.RegistrySchema" />, or are managed externally.
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

    /// <summary>The schema of the registry whose tenants have the partitions; null when the partitions are not managed.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? RegistrySchema { get; init; }

    /// <summary>Whether the partitions follow a registry of tenants in the database.</summary>
    [JsonIgnore]
    public bool IsManaged
        => RegistrySchema is not null;

    /// <summary>Whether somebody else makes and drops the partitions.</summary>
    [JsonIgnore]
    public bool IsExternallyManaged
        => Partitions is null && !IsManaged;

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
            && RegistrySchema == other.RegistrySchema
            && (Partitions is null
                ? other.Partitions is null
                : other.Partitions is not null && Partitions.SequenceEqual(other.Partitions));

    /// <inheritdoc />
    public override int GetHashCode()
        => HashCode.Combine(Strategy, RegistrySchema, Partitions?.Count);
}
