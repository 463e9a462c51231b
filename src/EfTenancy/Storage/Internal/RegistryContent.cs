using System.Collections.Concurrent;
using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;

namespace EfTenancy.Storage.Internal;

/// <summary>What the registry of destinations held at one moment.</summary>
public sealed class RegistryContent(IReadOnlyList<RegisteredDatabase> databases, IReadOnlyCollection<RegisteredDestination> tenants)
{
    private readonly FrozenDictionary<TenantDestination, int> _tenantsAt
        = tenants.CountBy(t => t.Destination).ToFrozenDictionary();

    private readonly ConcurrentDictionary<TenantDestination, TenantPlace> _places = [];

    private readonly FrozenDictionary<TenantDestination, string> _readOnlyAt
        = tenants.Where(t => t.IsReadOnly).DistinctBy(t => t.Destination).ToFrozenDictionary(t => t.Destination, t => t.TenantId);

    public IReadOnlyList<RegisteredDatabase> Databases
        => databases;

    public FrozenDictionary<string, RegisteredDestination> Tenants { get; } = tenants.ToFrozenDictionary(t => t.TenantId);

    /// <summary>A tenant that may be let in: one that is only being added is none.</summary>
    public bool TryFind(string tenantId, [NotNullWhen(true)] out RegisteredDestination? tenant)
        => Tenants.TryGetValue(tenantId, out tenant) && tenant.State != DestinationRegistrySql.Adding;

    public int TenantsAt(TenantDestination destination)
        => _tenantsAt.GetValueOrDefault(destination);

    public bool HasTenantsElsewhere(TenantDestination destination)
        => _tenantsAt.Count > (_tenantsAt.ContainsKey(destination) ? 1 : 0);

    /// <summary>A tenant that is read only there now, if any is.</summary>
    public string? ReadOnlyTenantAt(TenantDestination destination)
        => _readOnlyAt.GetValueOrDefault(destination);

    /// <summary>Whether a tenant but this one is there, or has left or yet to come.</summary>
    public bool IsUsedByOthers(TenantDestination destination, string tenantId)
        => tenants.Any(t => t.TenantId != tenantId && (t.Destination == destination || (t.HasOther && t.Other == destination)));

    /// <summary>What is found out about a destination once for all.</summary>
    public TenantPlace PlaceAt(TenantDestination destination, Func<TenantDestination, RegistryContent, TenantPlace> find)
        => _places.GetOrAdd(destination, static (d, x) => x.find(d, x.content), (find, content: this));

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
public sealed record RegisteredDestination(string TenantId, TenantDestination Destination, bool IsDisabled, string State)
{
    /// <summary>Where it goes while it is moving, and where it came from afterwards.</summary>
    public TenantDestination Other { get; init; } = TenantDestination.Home;

    /// <summary>What was copied, table by table, once it has moved.</summary>
    public string? Proof { get; init; }

    public bool HasOther
        => State is DestinationRegistrySql.Moving or DestinationRegistrySql.Moved or DestinationRegistrySql.Emptying;

    public bool IsReadOnly
        => State is DestinationRegistrySql.Moving or DestinationRegistrySql.Moved;
}
