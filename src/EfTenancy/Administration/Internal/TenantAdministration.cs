using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Administration.Internal;

/// <summary>Administration from the application's services: each call has a context of its own.</summary>
#pragma warning disable CA1068 // As the interface has it.
public sealed class TenantAdministration<TContext>(ApplicationContexts<TContext> contexts, TenantAdministrationOptions options)
    : ITenantAdministration<TContext>
    where TContext : DbContext
{
    public Task<TenantAdministrationResult> AddAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.AddAsync(tenantIds, cancellationToken, progress));

    public Task<TenantAdministrationResult> AddAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.AddAsync(suffixes, cancellationToken, progress));

    public Task<TenantAdministrationResult> RemoveAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.RemoveAsync(tenantIds, cancellationToken, progress));

    public Task<TenantAdministrationResult> SplitAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.SplitAsync(tenantIds, cancellationToken, progress));

    public Task<TenantAdministrationResult> SplitAsync(
        IReadOnlyDictionary<string, string> suffixes,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.SplitAsync(suffixes, cancellationToken, progress));

    public Task DisableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
        => WithContextAsync(
            async a =>
            {
                await a.DisableAsync(tenantIds, cancellationToken).ConfigureAwait(false);
                return true;
            });

    public Task EnableAsync(IEnumerable<string> tenantIds, CancellationToken cancellationToken = default)
        => WithContextAsync(
            async a =>
            {
                await a.EnableAsync(tenantIds, cancellationToken).ConfigureAwait(false);
                return true;
            });

    public Task<IReadOnlyList<RegisteredTenant>> ListAsync(CancellationToken cancellationToken = default)
        => WithContextAsync(a => a.ListAsync(cancellationToken));

    public Task<TenantAdministrationResult> DeleteDataAsync(
        IEnumerable<string> tenantIds,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.DeleteDataAsync(tenantIds, cancellationToken, progress));

    public Task<IReadOnlyList<TenantRepair>> RepairAsync(
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => WithContextAsync(a => a.RepairAsync(cancellationToken, progress));

    private Task<TResult> WithContextAsync<TResult>(Func<ITenantAdministration, Task<TResult>> work)
        => contexts.UseAsync(
            context => work(
                context.GetService<IDbContextOptions>().FindExtension<TenancyOptionsExtension>()?.Databases is { } databases
                    ? new SeparateTenantAdministrator<TContext>(databases, contexts, options)
                    : new TenantAdministrator(context, options)),
            CancellationToken.None);
}
#pragma warning restore CA1068
