using EfTenancy.Diagnostics.Internal;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration.Internal;

/// <summary>Makes each call of administration an activity.</summary>
#pragma warning disable CA1068 // As the interface has it.
public class ObservedTenantAdministration(ITenantAdministration administration) : ITenantAdministration
{
    public Task<TenantAdministrationResult> AddAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("add", tenantIds, ids => administration.AddAsync(ids, cancellationToken, progress));

    public Task<TenantAdministrationResult> AddAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("add", suffixes?.Keys, _ => administration.AddAsync(suffixes!, cancellationToken, progress));

    public Task<TenantAdministrationResult> RemoveAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("remove", tenantIds, ids => administration.RemoveAsync(ids, cancellationToken, progress));

    public Task<TenantAdministrationResult> SplitAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("split", tenantIds, ids => administration.SplitAsync(ids, cancellationToken, progress));

    public Task<TenantAdministrationResult> SplitAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("split", suffixes?.Keys, _ => administration.SplitAsync(suffixes!, cancellationToken, progress));

    public Task DisableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
        => TenancyActivities.AdministerAsync("disable", tenantIds, ids => administration.DisableAsync(ids, cancellationToken));

    public Task EnableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
        => TenancyActivities.AdministerAsync("enable", tenantIds, ids => administration.EnableAsync(ids, cancellationToken));

    public Task<IReadOnlyList<RegisteredTenant>> ListAsync(CancellationToken cancellationToken = default)
        => TenancyActivities.AdministerAsync("list", null, _ => administration.ListAsync(cancellationToken));

    public Task<TenantAdministrationResult> DeleteDataAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("delete_data", tenantIds, ids => administration.DeleteDataAsync(ids, cancellationToken, progress));

    public Task<IReadOnlyList<TenantRepair>> RepairAsync(
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => TenancyActivities.AdministerAsync("repair", null, _ => administration.RepairAsync(cancellationToken, progress));
}

/// <inheritdoc />
public sealed class ObservedTenantAdministration<TContext>(ITenantAdministration administration)
    : ObservedTenantAdministration(administration), ITenantAdministration<TContext>
    where TContext : DbContext;
#pragma warning restore CA1068
