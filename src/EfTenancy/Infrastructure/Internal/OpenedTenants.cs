namespace EfTenancy.Infrastructure.Internal;

/// <summary>What one unit of work was opened for besides its context's tenant: other tenants by name, or all of them for a while.</summary>
public sealed class OpenedTenants
{
    private readonly HashSet<string> _tenantIds = [];
    private readonly HashSet<object> _stored = [];
    private int _scopesOfAll;

    public IReadOnlyCollection<string> TenantIds
        => _tenantIds;

    public bool IsAll
        => _scopesOfAll > 0;

    /// <summary>Whether a tenant is opened by name; asked with the value that the database compares.</summary>
    public bool Contains(object stored)
        => _stored.Contains(stored);

    public void Open(string tenantId, object stored)
    {
        _tenantIds.Add(tenantId);
        _stored.Add(stored);
    }

    /// <summary>Opens all tenants.</summary>
    /// <returns>What ends it. One that outlives a pooled context's lease ends nothing of the next: that has an object of its own.</returns>
    public Action OpenAll()
    {
        _scopesOfAll++;
        return () => _scopesOfAll--;
    }
}
