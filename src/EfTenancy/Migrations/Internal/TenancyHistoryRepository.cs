using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Diagnostics.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     EF's history, or the application's own, with a lock that lasts for all migrations of one call. EF asks for it when the database
///     is there; <see cref="TenancyMigrator" /> gives it back when the last transaction is over.
/// </summary>
#pragma warning disable EF1001 // EF's event for waiting has no other way in.
public class TenancyHistoryRepository(
    IHistoryRepository history,
    IRelationalConnection connection,
    ISqlGenerationHelper sqlGenerationHelper,
    IDbContextOptions options,
    IDiagnosticsLogger<DbLoggerCategory.Migrations> logger)
    : IHistoryRepository
{
    private readonly TenantHistorySql _sql = TenantHistorySql.Create(sqlGenerationHelper, options);
    private MigrationSessionLock? _lock;

    // An application whose history knows better keeps its own lock.
    public virtual LockReleaseBehavior LockReleaseBehavior
        => IsOthers ? history.LockReleaseBehavior : LockReleaseBehavior.Connection;

    public virtual IMigrationsDatabaseLock AcquireDatabaseLock()
    {
        if (IsOthers)
        {
            return history.AcquireDatabaseLock();
        }

        if (_lock is null)
        {
            logger.AcquiringMigrationLock();
            connection.Open();
            _lock = new MigrationSessionLock(connection, _sql);
        }

        if (!_lock.Acquire() && connection.CurrentTransaction is not null)
        {
            history.AcquireDatabaseLock();
        }

        return new Lock(this);
    }

    public virtual async Task<IMigrationsDatabaseLock> AcquireDatabaseLockAsync(CancellationToken cancellationToken = default)
    {
        if (IsOthers)
        {
            return await history.AcquireDatabaseLockAsync(cancellationToken).ConfigureAwait(false);
        }

        if (_lock is null)
        {
            logger.AcquiringMigrationLock();
            await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            _lock = new MigrationSessionLock(connection, _sql);
        }

        if (!await _lock.AcquireAsync(cancellationToken).ConfigureAwait(false) && connection.CurrentTransaction is not null)
        {
            await history.AcquireDatabaseLockAsync(cancellationToken).ConfigureAwait(false);
        }

        return new Lock(this);
    }

    /// <summary>In a transaction of the application EF takes no lock. This one waits in the server, which sees deadlocks with what the transaction did.</summary>
    public virtual void LockUntilCommitted()
    {
        using var command = CommandInTransaction();
        command.ExecuteNonQuery();
    }

    /// <inheritdoc cref="LockUntilCommitted" />
    public virtual async Task LockUntilCommittedAsync(CancellationToken cancellationToken)
    {
        var command = CommandInTransaction();
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    public virtual void Release()
    {
        if (_lock is { } held)
        {
            _lock = null;
            held.Release();
            connection.Close();
        }
    }

    public virtual async Task ReleaseAsync()
    {
        if (_lock is { } held)
        {
            _lock = null;
            await held.ReleaseAsync().ConfigureAwait(false);
            await connection.CloseAsync().ConfigureAwait(false);
        }
    }

    public virtual bool Exists()
        => history.Exists();

    public virtual Task<bool> ExistsAsync(CancellationToken cancellationToken = default)
        => history.ExistsAsync(cancellationToken);

    public virtual void Create()
        => history.Create();

    public virtual Task CreateAsync(CancellationToken cancellationToken = default)
        => history.CreateAsync(cancellationToken);

    public virtual bool CreateIfNotExists()
        => history.CreateIfNotExists();

    public virtual Task<bool> CreateIfNotExistsAsync(CancellationToken cancellationToken = default)
        => history.CreateIfNotExistsAsync(cancellationToken);

    public virtual IReadOnlyList<HistoryRow> GetAppliedMigrations()
        => history.GetAppliedMigrations();

    public virtual Task<IReadOnlyList<HistoryRow>> GetAppliedMigrationsAsync(CancellationToken cancellationToken = default)
        => history.GetAppliedMigrationsAsync(cancellationToken);

    public virtual string GetCreateScript()
        => history.GetCreateScript();

    public virtual string GetCreateIfNotExistsScript()
        => history.GetCreateIfNotExistsScript();

    public virtual string GetInsertScript(HistoryRow row)
        => history.GetInsertScript(row);

    public virtual string GetDeleteScript(string migrationId)
        => history.GetDeleteScript(migrationId);

    public virtual string GetBeginIfNotExistsScript(string migrationId)
        => history.GetBeginIfNotExistsScript(migrationId);

    public virtual string GetBeginIfExistsScript(string migrationId)
        => history.GetBeginIfExistsScript(migrationId);

    public virtual string GetEndIfScript()
        => history.GetEndIfScript();

    private DbCommand CommandInTransaction()
    {
        var command = connection.DbConnection.CreateCommand();
        command.CommandText = _sql.LockInTransaction;
        command.Transaction = connection.CurrentTransaction!.GetDbTransaction();
        command.CommandTimeout = connection.CommandTimeout ?? command.CommandTimeout;
        return command;
    }

    private bool IsOthers
        => history.LockReleaseBehavior != LockReleaseBehavior.Transaction;

    // EF disposes it while a failed transaction is still open, in which the lock could not be given back.
    private sealed class Lock(TenancyHistoryRepository owner) : IMigrationsDatabaseLock
    {
        public IHistoryRepository HistoryRepository
            => owner;

        // EF says only whether its last step opened the connection again, not whether one before did.
        public IMigrationsDatabaseLock ReacquireIfNeeded(bool connectionReopened, bool? transactionRestarted)
            => connectionReopened || transactionRestarted is true ? owner.AcquireDatabaseLock() : this;

        public async Task<IMigrationsDatabaseLock> ReacquireIfNeededAsync(
            bool connectionReopened,
            bool? transactionRestarted,
            CancellationToken cancellationToken = default)
            => connectionReopened || transactionRestarted is true
                ? await owner.AcquireDatabaseLockAsync(cancellationToken).ConfigureAwait(false)
                : this;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync()
            => default;
    }
}
#pragma warning restore EF1001
