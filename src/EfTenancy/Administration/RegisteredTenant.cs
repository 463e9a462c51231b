using EfTenancy.Storage;

namespace EfTenancy.Administration;

/// <summary>A tenant of the registry, from <see cref="ITenantAdministration.ListAsync" />.</summary>
/// <param name="TenantId">The tenant's id.</param>
/// <param name="Suffix">The suffix of its partitions; tenants with the same one share them.</param>
/// <param name="State">Whether it can work.</param>
/// <param name="Partitions">How many managed tables have a partition for it.</param>
/// <param name="MissingPartitions">How many managed tables lack one; <see cref="ITenantAdministration.RepairAsync" /> makes them.</param>
/// <param name="EstimatedRows">PostgreSQL's estimate of the rows in these partitions, those of co-tenants included; 0 where it has none yet.</param>
/// <param name="Bytes">The size of these partitions on disk, with indexes, in bytes.</param>
public sealed record RegisteredTenant(
    string TenantId,
    string Suffix,
    TenantState State,
    int Partitions,
    int MissingPartitions,
    long EstimatedRows,
    long Bytes)
{
    /// <summary>Where the tenant's rows are; null where all tenants are in the database of the context.</summary>
    public TenantDestination? Destination { get; init; }
}
