namespace EfTenancy.Storage;

/// <summary>A database of a pool that may get one more tenant.</summary>
/// <param name="Name">The database's name.</param>
/// <param name="Tenants">How many tenants it has now.</param>
public sealed record TenantShard(string Name, int Tenants);
