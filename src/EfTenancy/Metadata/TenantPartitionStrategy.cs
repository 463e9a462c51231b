namespace EfTenancy.Metadata;

/// <summary>How PostgreSQL spreads the rows of a table over its partitions.</summary>
public enum TenantPartitionStrategy
{
    /// <summary>Each partition holds the tenants that it lists.</summary>
    List,

    /// <summary>PostgreSQL's hash of the tenant id picks one of a fixed number of partitions.</summary>
    Hash,

    /// <summary>Each partition holds the tenants whose ids lie between two bounds, compared byte by byte.</summary>
    Range,
}
