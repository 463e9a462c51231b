using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace EfTenancy.Administration.Internal;

/// <summary>Administration from the application's services: each call has a context of its own.</summary>
#pragma warning disable CA1068 // As the interface has it.
public sealed class TenantAdministration<TContext>(IServiceScopeFactory scopes, TenantAdministrationOptions options)
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

    private async Task<TResult> WithContextAsync<TResult>(Func<TenantAdministrator, Task<TResult>> work)
    {
        var scope = scopes.CreateAsyncScope();
        await using var _ = scope.ConfigureAwait(false);

        if (scope.ServiceProvider.GetService<IDbContextFactory<TContext>>() is not { } factory)
        {
            return await work(new TenantAdministrator(scope.ServiceProvider.GetRequiredService<TContext>(), options)).ConfigureAwait(false);
        }

        var context = await factory.CreateDbContextAsync().ConfigureAwait(false);
        await using var __ = context.ConfigureAwait(false);
        return await work(new TenantAdministrator(context, options)).ConfigureAwait(false);
    }
}
#pragma warning restore CA1068
