using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>What is migrated at once: a database, or a schema of one.</summary>
/// <param name="Place">The place; null for the database of the context, where tenants have none of their own.</param>
/// <param name="TenantIds">Whose it is.</param>
public sealed record TenantMigrationUnit(TenantPlace? Place, IReadOnlyList<string> TenantIds)
{
    /// <summary>The tenant, or the first of several; null for what all share.</summary>
    public string? TenantId
        => TenantIds is [var first, ..] ? first : null;

    public bool IsShared
        => TenantIds.Count == 0;
}
