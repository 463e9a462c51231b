using System.Collections.Concurrent;
using System.Collections.Frozen;

namespace EfTenancy.Storage.Internal;

/// <summary>What the registry of destinations held at one moment.</summary>
public sealed class RegistryContent(IReadOnlyList<RegisteredDatabase> databases, IReadOnlyCollection<RegisteredDestination> tenants)
{
    private readonly FrozenDictionary<TenantDestination, int> _tenantsAt
        = tenants.CountBy(t => t.Destination).ToFrozenDictionary();

    // Each context that is leased from a pool asks for one.
    private readonly ConcurrentDictionary<RegisteredDestination, TenantPlace> _places = new(ReferenceEqualityComparer.Instance);

    public IReadOnlyList<RegisteredDatabase> Databases
        => databases;

    public FrozenDictionary<string, RegisteredDestination> Tenants { get; } = tenants.ToFrozenDictionary(t => t.TenantId);

    public TenantPlace? FindPlace(RegisteredDestination tenant)
        => _places.GetValueOrDefault(tenant);

    public TenantPlace KeepPlace(RegisteredDestination tenant, TenantPlace place)
        => _places.GetOrAdd(tenant, place);

    public int TenantsAt(TenantDestination destination)
        => _tenantsAt.GetValueOrDefault(destination);

    /// <summary>How many tenants a database has, in all of its schemas.</summary>
    public int TenantsIn(string database)
        => _tenantsAt.Where(t => t.Key.Database == database).Sum(t => t.Value);
}

/// <summary>A database of the registry.</summary>
/// <param name="Name">Its name.</param>
/// <param name="ConnectionString">Null for one that the application names in code, or that is on the server of the home database.</param>
/// <param name="IsFull">Whether no tenant is assigned to it any more.</param>
public sealed record RegisteredDatabase(string Name, string? ConnectionString, bool IsFull)
{
    // The generated one would print the password.
    public override string ToString()
        => Name;
}

/// <summary>A tenant of the registry.</summary>
public sealed record RegisteredDestination(string TenantId, TenantDestination Destination, bool IsDisabled, string State);
