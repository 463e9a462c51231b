namespace EfTenancy.Storage.Internal;

/// <summary>What a context connects to: a database, and in it the schema of unqualified tables, if that is a tenant's own.</summary>
/// <param name="Database">The database.</param>
/// <param name="Schema">The tenant's schema; null for that of the connection.</param>
/// <param name="IsShared">Whether several tenants may live there, so that only a tenant's column tells their rows apart.</param>
public sealed record TenantPlace(TenantDatabaseAddress Database, string? Schema, bool IsShared)
{
    /// <summary>What all tenants with schemas of their own share: explicitly qualified tables.</summary>
    public bool IsSharedPart { get; init; }

    /// <summary>The tenant on account of which no row may be written, since its rows are moved elsewhere; null if there is none.</summary>
    public string? MovedTenantId { get; init; }

    public bool IsReadOnly
        => MovedTenantId is not null;

    /// <summary>Whether a session must be told its schema.</summary>
    public bool NeedsSearchPath
        => Schema is not null || IsSharedPart;

    public TenantDestination Destination
        => TenantDestination.Of(Database.Name, Schema);

    public bool IsSameAs(TenantPlace? other)
        => other is not null && Database == other.Database && Schema == other.Schema && IsSharedPart == other.IsSharedPart;
}
