using System.Data;
using System.Transactions;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>A connection of administration's own: transactions that wait for locks only so long, and come back later.</summary>
public sealed class TenantConnection : IAsyncDisposable
{
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(20);
    private const double PatienceFactor = 1.5;
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(1);

    private readonly NpgsqlConnection _connection;
    private readonly TenantAdministrationOptions _options;
    private TenantSession? _session;
    private TimeSpan? _lockTimeout;
    private TimeSpan _patience;

    private TenantConnection(NpgsqlConnection connection, TenantAdministrationOptions options)
    {
        _connection = connection;
        _options = options;
        _patience = options.LockTimeout;
    }

    /// <summary>PostgreSQL's number of the session.</summary>
    public int ProcessId
        => _connection.ProcessID;

    public Version ServerVersion
        => _connection.PostgreSqlVersion;

    /// <summary>How long a statement waits for a lock now.</summary>
    public TimeSpan LockTimeout
        => _patience;

    /// <summary>How long one transaction is tried again.</summary>
    public TimeSpan RetryTimeout
        => _options.RetryTimeout;

    /// <summary>A closed connection to the database of a context, outside of its transaction.</summary>
    public static NpgsqlConnection Clone(DbContext context)
        => (NpgsqlConnection)((ICloneable)context.Database.GetDbConnection()).Clone();

    public static async Task<TenantConnection> OpenAsync(
        NpgsqlConnection connection,
        TenantAdministrationOptions options,
        CancellationToken cancellationToken)
    {
        try
        {
            // DDL of an ambient transaction would hold its locks until that ends.
            using (new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled))
            {
                if (connection.State == ConnectionState.Closed)
                {
                    await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            var opened = new TenantConnection(connection, options);
            opened._session = await TenantSession.StartAsync(opened, cancellationToken).ConfigureAwait(false);
            return opened;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_session is not null && _connection.State == ConnectionState.Open)
            {
                await _session.EndAsync(this).ConfigureAwait(false);
            }
        }
        catch (NpgsqlException)
        {
            // A broken connection goes out of the pool, and its own error is on the way.
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    public Task<IReadOnlyList<string>> MigrationsAsync(TenantMigrationHistory history, CancellationToken cancellationToken)
        => history.OfConnectionAsync(_connection, cancellationToken);

    /// <summary>One transaction; while others hold its locks it is rolled back and tried again.</summary>
    public Task<T> InTransactionAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken, Func<Task>? before = null)
        => RetryAsync(
            async () =>
            {
                if (before is not null)
                {
                    await before().ConfigureAwait(false);
                }

                return await CommitAsync(work, cancellationToken).ConfigureAwait(false);
            },
            cancellationToken);

    /// <summary>One transaction, which is not tried again, whatever it fails for.</summary>
    /// <returns>Whether it was committed.</returns>
    public async Task<bool> TryInTransactionAsync(Func<Task> work, CancellationToken cancellationToken)
    {
        try
        {
            await SetLockTimeoutAsync(_options.LockTimeout, cancellationToken).ConfigureAwait(false);
            return await CommitAsync(
                async () =>
                {
                    await work().ConfigureAwait(false);
                    return true;
                },
                cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is TenantLockException or NpgsqlException)
        {
            return false;
        }
    }

    /// <summary>Something that can be done again from its start, done until no lock is in the way or patience ends.</summary>
    public async Task<T> RetryAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        for (var delay = FirstDelay;; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
        {
            try
            {
                await SetLockTimeoutAsync(_patience, cancellationToken).ConfigureAwait(false);
                var result = await work().ConfigureAwait(false);
                _patience = _patience / PatienceFactor > _options.LockTimeout ? _patience / PatienceFactor : _options.LockTimeout;
                return result;
            }
            catch (Exception exception) when (IsPassing(exception))
            {
                // Where transactions are long, the first patience is never enough, and is not tried each time.
                _patience = _patience * PatienceFactor < _options.LockTimeout * 5 ? _patience * PatienceFactor : _options.LockTimeout * 5;

                if (TimeProvider.System.GetElapsedTime(started) > _options.RetryTimeout)
                {
                    throw new TimeoutException(TenancyStrings.LocksNotHad(_options.RetryTimeout, exception.Message), exception);
                }
            }

            await Task.Delay(delay * (0.5 + Random.Shared.NextDouble()), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    ///     A statement that may wait for locks as long as it takes; until it is cancelled, that is. The transactions that are retried
    ///     later have their timeout again.
    /// </summary>
    public async Task ExecutePatientlyAsync(string statement, CancellationToken cancellationToken)
    {
        _lockTimeout = null;
        await TenantSession.SetLockTimeoutAsync(this, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
        await ExecuteAsync([statement], cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives a lock of the session back; one whose connection is broken has none.</summary>
    public Task ReleaseAsync(string statement)
        => _connection.State == ConnectionState.Open ? ExecuteAsync([statement], CancellationToken.None) : Task.CompletedTask;

    public async Task ExecuteAsync(IEnumerable<string> statements, CancellationToken cancellationToken)
    {
        var batch = new NpgsqlBatch(_connection) { Timeout = 0 };
        await using var _ = batch.ConfigureAwait(false);
        foreach (var statement in statements)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(statement.TrimEnd(';')));
        }

        if (batch.BatchCommands.Count > 0)
        {
            await batch.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
    {
        var command = Command(sql, parameters);
        await using var _ = command.ConfigureAwait(false);
        return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
    }

    public async Task<List<T>> QueryAsync<T>(
        string sql,
        Func<NpgsqlDataReader, T> read,
        CancellationToken cancellationToken,
        params NpgsqlParameter[] parameters)
    {
        var command = Command(sql, parameters);
        await using var _ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var __ = reader.ConfigureAwait(false);

        var rows = new List<T>();
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private async Task<T> CommitAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var transaction = await _connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = transaction.ConfigureAwait(false);
        var result = await work().ConfigureAwait(false);
        await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
        return result;
    }

    private async Task SetLockTimeoutAsync(TimeSpan lockTimeout, CancellationToken cancellationToken)
    {
        if (lockTimeout != _lockTimeout)
        {
            await TenantSession.SetLockTimeoutAsync(this, lockTimeout, cancellationToken).ConfigureAwait(false);
            _lockTimeout = lockTimeout;
        }
    }

    private static bool IsPassing(Exception exception)
        => exception is TenantLockException
            or PostgresException
            {
                SqlState: PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure,
            };

    private NpgsqlCommand Command(string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        return command;
    }
}
