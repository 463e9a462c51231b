using EfTenancy.Properties;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>Finishes detaches that were cut off, and tells what nobody registered. It changes nothing that may be meant.</summary>
public sealed class TenantRepairer(
    TenantDatabase database,
    TenantConnection connection,
    TenantCatalog catalog,
    TenantAdministrationReport report)
{
    /// <summary>Afterwards a pending partition is a table of its own, which the provisioner attaches if its tenants are registered.</summary>
    public async Task FinishDetachesAsync(IReadOnlyDictionary<string, TenantRegistration> registered, CancellationToken cancellationToken)
    {
        var detacher = new TenantDetacher(database, connection);
        foreach (var table in catalog.Managed)
        {
            foreach (var partition in table.Partitions.Where(p => p.IsDetachPending).ToList())
            {
                try
                {
                    await detacher.DetachAsync(table, partition, cancellationToken).ConfigureAwait(false);
                    if (partition.Values?.Any(registered.ContainsKey) != true)
                    {
                        report.Left(TenancyStrings.UnregisteredDetach(database.Name(partition)), table, tenantId: null);
                    }
                }
                catch (Exception exception) when (exception is not OperationCanceledException)
                {
                    report.Failed(table, exception);
                }
            }
        }
    }

    /// <summary>The registrations whose suffix can be part of a name.</summary>
    public IReadOnlyList<TenantRegistration> Usable(IEnumerable<TenantRegistration> registered)
    {
        var usable = new List<TenantRegistration>();
        foreach (var registration in registered.Where(r => !r.IsBeingRemoved))
        {
            if (TenantPartitionNaming.IsGivenSuffix(registration.Suffix, registration.TenantId))
            {
                usable.Add(registration);
            }
            else
            {
                report.Left(
                    TenancyStrings.RegisteredSuffixIsNotPlain(registration.TenantId, registration.Suffix), table: null, registration.TenantId);
            }
        }

        return usable;
    }

    public void TellUnregistered(IReadOnlyDictionary<string, TenantRegistration> registered)
    {
        foreach (var (table, partition) in catalog.Managed.SelectMany(t => t.Partitions.Select(p => (t, p))))
        {
            if (partition.Values is not { } values)
            {
                report.Left(TenancyStrings.DefaultPartition(database.Name(partition)), table, tenantId: null);
            }
            else if (values.Where(v => !registered.ContainsKey(v)).ToList() is { Count: > 0 } unknown)
            {
                report.Left(
                    TenancyStrings.UnregisteredPartition(database.Name(partition), TenantAdministrationReport.Quoted(unknown)),
                    table, unknown is [var one] ? one : null);
            }
        }
    }
}
