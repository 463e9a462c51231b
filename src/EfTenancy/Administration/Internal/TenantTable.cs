namespace EfTenancy.Administration.Internal;

/// <summary>A table of the database that holds rows of tenants.</summary>
public sealed record TenantTable(uint Oid, string Schema, string Name, string TenantColumn, TenantTableKind Kind, int Indexes)
{
    /// <summary>Whether foreign keys, perhaps of its own, reference it.</summary>
    public bool IsReferenced { get; init; }

    /// <summary>Whether it has foreign keys.</summary>
    public bool HasReferences { get; init; }

    /// <summary>The partitions of a managed table.</summary>
    public List<TenantTablePartition> Partitions { get; } = [];

    public string DisplayName
        => $"{Schema}.{Name}";

    public bool IsManaged
        => Kind == TenantTableKind.Managed;

    public TenantTablePartition? PartitionOf(string tenantId)
        => Partitions.Find(p => p.Values?.Contains(tenantId) == true);
}

/// <summary>What administration does with a table.</summary>
public enum TenantTableKind
{
    /// <summary>Its partitions follow the registry.</summary>
    Managed,

    /// <summary>Its partitions, if it has any, are nobody's business here; only rows are deleted.</summary>
    Rows,

    /// <summary>The model says that it is managed, but the database has no list partitioned table.</summary>
    NotPartitioned,
}

/// <summary>A partition of a managed table. Without values it is a DEFAULT partition, which EfTenancy did not make.</summary>
public sealed record TenantTablePartition(uint Oid, string Schema, string Name, IReadOnlyList<string>? Values, bool IsDetachPending);
