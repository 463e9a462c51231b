using EfTenancy.Properties;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>Tenants that are to be added, and every rule about their suffixes.</summary>
public sealed class TenantAddition
{
    private readonly List<string> _refusals = [];
    private readonly Dictionary<string, Tenant> _tenants = [];

    private TenantAddition()
    {
    }

    public IReadOnlyCollection<Tenant> Tenants
        => _tenants.Values;

    public static TenantAddition Of(TenantDatabase database, IEnumerable<string> tenantIds)
    {
        var addition = new TenantAddition();
        foreach (var tenantId in tenantIds)
        {
            addition.Take(database, tenantId, suffix: null);
        }

        return addition;
    }

    public static TenantAddition Of(TenantDatabase database, IEnumerable<KeyValuePair<string, string>> suffixes)
    {
        var addition = new TenantAddition();
        foreach (var (tenantId, suffix) in suffixes)
        {
            addition.Take(database, tenantId, suffix ?? "");
        }

        return addition;
    }

    private void Take(TenantDatabase database, string tenantId, string? suffix)
    {
        try
        {
            tenantId = database.Normalize(tenantId, nameof(tenantId));
        }
        catch (ArgumentException exception)
        {
            _refusals.Add(exception.Message);
            return;
        }

        var tenant = new Tenant(tenantId, suffix ?? TenantPartitionNaming.SuffixOf(tenantId), IsGiven: suffix is not null);
        if (tenant.IsGiven && !TenantPartitionNaming.IsGivenSuffix(tenant.Suffix, tenantId))
        {
            _refusals.Add(TenancyStrings.SuffixIsNotPlain(tenantId, tenant.Suffix));
        }
        else if (!_tenants.TryAdd(tenantId, tenant) && _tenants[tenantId].Suffix != tenant.Suffix)
        {
            _refusals.Add(TenancyStrings.TenantHasOtherSuffix(tenantId, _tenants[tenantId].Suffix, tenant.Suffix));
        }
    }

    /// <summary>What the ids and suffixes alone tell.</summary>
    public void Check()
    {
        if (_refusals.Count > 0)
        {
            throw new ArgumentException(TenancyStrings.TenantsCannotBeAdded(_refusals));
        }
    }

    /// <summary>All that speaks against adding them to this database, in one exception.</summary>
    public async Task CheckAsync(
        TenantDatabase database,
        TenantConnection connection,
        TenantCatalog catalog,
        Dictionary<string, TenantRegistration> registered,
        CancellationToken cancellationToken)
    {
        RefuseOtherRegistrations(registered);
        RefuseSharedSuffixes(registered);

        var partitions = catalog.Managed
            .SelectMany(table => Tenants.Where(t => table.PartitionOf(t.Id) is null).Select(t => new TenantNewPartition(table, t.Id, t.Suffix, t.IsGiven)))
            .ToList();
        _refusals.AddRange(
            await TenantNewPartitions.RefusedNamesAsync(connection, partitions, areShared: true, cancellationToken).ConfigureAwait(false));
        Check();

        TenantNewPartitions.RefuseTooMany(database, partitions);
        var budget = await TenantLockBudget.LoadAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        foreach (var table in catalog.Managed)
        {
            budget.RefuseTooMany(table);
        }
    }

    private void RefuseOtherRegistrations(Dictionary<string, TenantRegistration> registered)
    {
        foreach (var tenant in Tenants.ToList())
        {
            if (registered.TryGetValue(tenant.Id, out var registration))
            {
                if (registration.IsBeingRemoved)
                {
                    _refusals.Add(TenancyStrings.TenantIsBeingRemoved(tenant.Id));
                }
                else if (tenant.IsGiven && registration.Suffix != tenant.Suffix)
                {
                    _refusals.Add(TenancyStrings.TenantHasOtherSuffix(tenant.Id, registration.Suffix, tenant.Suffix));
                }

                // Without a suffix given, the registered one holds.
                _tenants[tenant.Id] = tenant with { Suffix = registration.Suffix, IsGiven = true };
            }
            else if (registered.Values.FirstOrDefault(r => r.IsBeingRemoved && r.Suffix == tenant.Suffix) is { } other)
            {
                // The partition that they would share may be gone a moment later.
                _refusals.Add(TenancyStrings.TenantIsBeingRemoved(other.TenantId));
            }
        }
    }

    // Sharing is for those who ask for it.
    private void RefuseSharedSuffixes(Dictionary<string, TenantRegistration> registered)
    {
        var owners = registered.Values.ToLookup(r => r.Suffix, r => r.TenantId);
        foreach (var group in Tenants.GroupBy(t => t.Suffix))
        {
            foreach (var tenant in group.Where(t => !t.IsGiven))
            {
                if (owners[tenant.Suffix].Concat(group.Select(t => t.Id)).FirstOrDefault(id => id != tenant.Id) is { } other)
                {
                    _refusals.Add(TenancyStrings.SuffixIsTaken(tenant.Id, tenant.Suffix, other));
                }
            }
        }
    }

    /// <summary>One of them; without a given suffix it shares its partition with nobody.</summary>
    public sealed record Tenant(string Id, string Suffix, bool IsGiven);
}
