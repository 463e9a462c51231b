using EfTenancy.Migrations.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>Keeps others from migrating the same database or schema, from before its history is read; makes it first if it is not there.</summary>
public sealed class TenantMigrationLock : IAsyncDisposable
{
    private readonly DbContext _context;
    private readonly MigrationSessionLock _lock;

    private TenantMigrationLock(DbContext context)
    {
        _context = context;
        _lock = new MigrationSessionLock(
            context.GetService<IRelationalConnection>(),
            TenantHistorySql.Create(context.GetService<ISqlGenerationHelper>(), context.GetService<IDbContextOptions>()));
    }

    public static async Task<TenantMigrationLock> AcquireAsync(DbContext context, CancellationToken cancellationToken)
    {
        var creator = context.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancellationToken).ConfigureAwait(false))
        {
            try
            {
                await creator.CreateAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException exception) when (TenancyMigrator.IsDatabaseCreatedByOther(exception))
            {
                // There is no database yet to take a lock in.
            }
        }

        await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            var acquired = new TenantMigrationLock(context);
            await acquired._lock.AcquireAsync(cancellationToken).ConfigureAwait(false);
            return acquired;
        }
        catch
        {
            await context.Database.CloseConnectionAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _lock.ReleaseAsync().ConfigureAwait(false);
        await _context.Database.CloseConnectionAsync().ConfigureAwait(false);
    }
}
