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
    private static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(1);

    private readonly NpgsqlConnection _connection;
    private readonly TenantAdministrationOptions _options;
    private TimeSpan? _lockTimeout;

    private TenantConnection(NpgsqlConnection connection, TenantAdministrationOptions options)
    {
        _connection = connection;
        _options = options;
    }

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
                await connection.OpenAsync(cancellationToken).ConfigureAwait(false);
            }

            var opened = new TenantConnection(connection, options);
            await opened.ExecuteAsync(
                [
                    "SET statement_timeout = 0",
                    "SET idle_in_transaction_session_timeout = 0",
                    "SET standard_conforming_strings = on",
                ],
                cancellationToken).ConfigureAwait(false);
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
            if (_connection.State == ConnectionState.Open)
            {
                // A pool may be told not to reset its connections.
                await ExecuteAsync(
                    ["RESET lock_timeout", "RESET statement_timeout", "RESET idle_in_transaction_session_timeout", "RESET standard_conforming_strings"],
                    CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (NpgsqlException)
        {
            // A broken connection has nothing to reset, and its own error is on the way.
        }

        await _connection.DisposeAsync().ConfigureAwait(false);
    }

    /// <summary>One transaction; while others hold its locks it is rolled back and tried again.</summary>
    public Task<T> InTransactionAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
        => RetryAsync(
            async () =>
            {
                var transaction = await _connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
                await using var _ = transaction.ConfigureAwait(false);
                var result = await work().ConfigureAwait(false);
                await transaction.CommitAsync(cancellationToken).ConfigureAwait(false);
                return result;
            },
            cancellationToken);

    /// <summary>Something that can be done again from its start, done until no lock is in the way or patience ends.</summary>
    public async Task<T> RetryAsync<T>(Func<Task<T>> work, CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var lockTimeout = _options.LockTimeout;
        for (var delay = FirstDelay;; delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay)
        {
            try
            {
                await SetLockTimeoutAsync(lockTimeout, cancellationToken).ConfigureAwait(false);
                return await work().ConfigureAwait(false);
            }
            catch (PostgresException exception) when (IsPassing(exception))
            {
                // Where transactions are long, the first patience is never enough.
                lockTimeout = lockTimeout * 1.5 < _options.LockTimeout * 5 ? lockTimeout * 1.5 : _options.LockTimeout * 5;

                if (TimeProvider.System.GetElapsedTime(started) > _options.RetryTimeout)
                {
                    throw new TimeoutException(TenancyStrings.LocksNotHad(_options.RetryTimeout, exception.MessageText), exception);
                }
            }

            await Task.Delay(delay * (0.5 + Random.Shared.NextDouble()), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>
    ///     One process after the other for work that cannot be in a transaction. They ask again and again rather than wait: a session
    ///     that waits has a snapshot, which a concurrent detach waits for.
    /// </summary>
    public async Task LockTableAsync(uint table, Func<Task> work, CancellationToken cancellationToken)
    {
        var key = $"(hashtext('EfTenancy'), {unchecked((int)table)})";
        await RetryAsync(
            async () => (await QueryAsync($"SELECT pg_try_advisory_lock{key}", r => r.GetBoolean(0), cancellationToken).ConfigureAwait(false))[0]
                ? true
                : throw new PostgresException("pg_try_advisory_lock", "ERROR", "ERROR", PostgresErrorCodes.LockNotAvailable),
            cancellationToken).ConfigureAwait(false);
        try
        {
            await work().ConfigureAwait(false);
        }
        finally
        {
            if (_connection.State == ConnectionState.Open)
            {
                await ExecuteAsync([$"SELECT pg_advisory_unlock{key}"], CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    ///     A statement whose waiting is in nobody's way, as that of a detach for older transactions once it is marked: it gets all the
    ///     patience at once.
    /// </summary>
    public async Task ExecutePatientlyAsync(string statement, CancellationToken cancellationToken)
    {
        _lockTimeout = null;
        await ExecuteAsync(
            ["SET lock_timeout = 0", $"SET statement_timeout = '{(long)_options.RetryTimeout.TotalMilliseconds + 1}ms'"], cancellationToken)
            .ConfigureAwait(false);
        try
        {
            await ExecuteAsync([statement], cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception)
            when (exception.SqlState == PostgresErrorCodes.QueryCanceled && !cancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException(TenancyStrings.LocksNotHad(_options.RetryTimeout, exception.MessageText), exception);
        }
        finally
        {
            if (_connection.State == ConnectionState.Open)
            {
                await ExecuteAsync(["SET statement_timeout = 0"], CancellationToken.None).ConfigureAwait(false);
            }
        }
    }

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

    // The shorter wait gives up: with PostgreSQL's it would be a request of the application.
    private async Task SetLockTimeoutAsync(TimeSpan lockTimeout, CancellationToken cancellationToken)
    {
        if (lockTimeout != _lockTimeout)
        {
            await ExecuteAsync(
                [
                    $"""
                    SELECT set_config('lock_timeout', LEAST(
                        {(long)lockTimeout.TotalMilliseconds}, (SELECT setting::int / 2 FROM pg_settings WHERE name = 'deadlock_timeout')) || 'ms', false)
                    """,
                ],
                cancellationToken).ConfigureAwait(false);
            _lockTimeout = lockTimeout;
        }
    }

    // Others in the way: a lock, a deadlock, or a table that another process dropped a moment before.
    private static bool IsPassing(PostgresException exception)
        => exception.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.UndefinedTable;

    private NpgsqlCommand Command(string sql, NpgsqlParameter[] parameters)
    {
        var command = new NpgsqlCommand(sql, _connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        return command;
    }
}
