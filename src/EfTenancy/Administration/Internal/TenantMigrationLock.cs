using EfTenancy.Migrations.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Keeps others from migrating the same database or schema. EF's own lock ends with the transaction of each migration, so that two
///     processes which both have two to apply would both apply the second.
/// </summary>
public sealed class TenantMigrationLock : IAsyncDisposable
{
    private readonly DbContext _context;

    private TenantMigrationLock(DbContext context)
        => _context = context;

    public static async Task<TenantMigrationLock> AcquireAsync(DbContext context, CancellationToken cancellationToken)
    {
        var creator = context.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancellationToken).ConfigureAwait(false))
        {
            await creator.CreateAsync(cancellationToken).ConfigureAwait(false);
        }

        await context.Database.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await ExecuteAsync(context, TenantHistorySql.Lock, cancellationToken).ConfigureAwait(false);
            return new TenantMigrationLock(context);
        }
        catch
        {
            await context.Database.CloseConnectionAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_context.Database.GetDbConnection().State == System.Data.ConnectionState.Open)
        {
            await ExecuteAsync(_context, TenantHistorySql.Unlock, CancellationToken.None).ConfigureAwait(false);
        }

        await _context.Database.CloseConnectionAsync().ConfigureAwait(false);
    }

    private static async Task ExecuteAsync(DbContext context, string sql, CancellationToken cancellationToken)
    {
        // The other process may take long.
        var command = new NpgsqlCommand(sql, (NpgsqlConnection)context.Database.GetDbConnection()) { CommandTimeout = 0 };
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }
}
