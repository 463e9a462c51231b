using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Administration.Internal;

/// <summary>Moves, exports and imports with contexts of the application, each for one place.</summary>
#pragma warning disable CA1068 // As the interface has it.
public sealed class TenantMover<TContext>(ApplicationContexts<TContext> contexts, TenantAdministrationOptions options) : ITenantMover<TContext>
    where TContext : DbContext
{
    public Task<TenantTransferResult> MoveAsync(
        string tenantId,
        TenantDestination destination,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
    {
        ArgumentNullException.ThrowIfNull(destination);
        return contexts.UseAsync(
            context =>
            {
                var databases = DatabasesOf(context) ?? throw new InvalidOperationException(Properties.TenancyStrings.NoDestinationRegistry);
                tenantId = Normalize(context, tenantId);
                return TenancyActivities.MoveAsync(
                    tenantId, destination,
                    () => new TenantMove(databases, tenantId, WithContextAsync, options, progress).MoveAsync(destination, cancellationToken));
            },
            cancellationToken);
    }

    public Task<TenantTransferResult> ExportAsync(
        string tenantId,
        string directory,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => AtSiteAsync(tenantId, s => new TenantExport(s, progress).WriteAsync(directory, cancellationToken), cancellationToken);

    public Task<TenantTransferResult> ImportAsync(
        string tenantId,
        string directory,
        CancellationToken cancellationToken = default,
        IProgress<TenantProgress>? progress = null)
        => AtSiteAsync(tenantId, s => new TenantImport(s, progress).ReadAsync(directory, cancellationToken), cancellationToken);

    private Task<TenantTransferResult> AtSiteAsync(
        string tenantId,
        Func<TenantSite, Task<TenantTransferResult>> work,
        CancellationToken cancellationToken)
        => contexts.UseAsync(
            async context =>
            {
                var databases = DatabasesOf(context);
                tenantId = Normalize(context, tenantId);
                var place = databases is null ? null : await FindAsync(databases, tenantId, cancellationToken).ConfigureAwait(false);
                return await work(new TenantSite(context, tenantId, place, databases, options)).ConfigureAwait(false);
            },
            cancellationToken);

    // Whoever is disabled may still be backed up, and restored, before others are let in again.
    private static async ValueTask<TenantPlace> FindAsync(TenantDatabases databases, string tenantId, CancellationToken cancellationToken)
    {
        try
        {
            return await databases.Directory.FindAsync(tenantId, cancellationToken).ConfigureAwait(false);
        }
        catch (TenantDisabledException)
        {
            return databases.Directory.Locate(tenantId)!;
        }
    }

    private Task<bool> WithContextAsync(Func<DbContext, Task> work, CancellationToken cancellationToken)
        => contexts.UseAsync(
            async context =>
            {
                await work(context).ConfigureAwait(false);
                return true;
            },
            cancellationToken);

    private static TenantDatabases? DatabasesOf(DbContext context)
        => context.GetService<IDbContextOptions>().FindExtension<TenancyOptionsExtension>()?.Databases;

    // Only the model, and no place: nothing is asked of the tenant that a context would be opened for.
    private static string Normalize(DbContext context, string tenantId)
        => context.GetService<CurrentTenant>().Normalize(tenantId, nameof(tenantId));
}
#pragma warning restore CA1068
