using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     Keeps others from migrating the same database or schema until it is given back. EF's own lock ends with the transaction of each
///     migration, so that two processes which both have two to apply would both apply the second.
/// </summary>
public sealed class MigrationSessionLock(IRelationalConnection connection, TenantHistorySql sql)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LongestWait = TimeSpan.FromMilliseconds(500);

    // The process of the server; another one after a connection broke and was opened again.
    private int? _holder;

    /// <summary>Waits for the others. False where a session is not the connection's own, so that there is no lock.</summary>
    public bool Acquire()
    {
        var wait = FirstWait;
        while (true)
        {
            if (TryCommand() is not { } command)
            {
                return _holder is not null;
            }

            using (command)
            {
                if (IsDecided(command.ExecuteScalar()))
                {
                    return _holder is not null;
                }
            }

            if (SteppingBackCommand() is { } stepBack)
            {
                using (stepBack)
                {
                    stepBack.ExecuteNonQuery();
                }
            }

            Thread.Sleep(wait);
            wait = Longer(wait);
        }
    }

    /// <inheritdoc cref="Acquire" />
    public async Task<bool> AcquireAsync(CancellationToken cancellationToken)
    {
        var wait = FirstWait;
        while (true)
        {
            if (TryCommand() is not { } command)
            {
                return _holder is not null;
            }

            await using (command.ConfigureAwait(false))
            {
                if (IsDecided(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false)))
                {
                    return _holder is not null;
                }
            }

            if (SteppingBackCommand() is { } stepBack)
            {
                await using (stepBack.ConfigureAwait(false))
                {
                    await stepBack.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
                }
            }

            await Task.Delay(wait, cancellationToken).ConfigureAwait(false);
            wait = Longer(wait);
        }
    }

    public void Release()
    {
        if (ReleasingCommand() is { } command)
        {
            using (command)
            {
                try
                {
                    command.ExecuteNonQuery();
                }
                catch (DbException)
                {
                    // It ended with the session, and whatever ended that is being thrown.
                }
            }
        }
    }

    public async Task ReleaseAsync()
    {
        if (ReleasingCommand() is { } command)
        {
            await using (command.ConfigureAwait(false))
            {
                try
                {
                    await command.ExecuteNonQueryAsync(CancellationToken.None).ConfigureAwait(false);
                }
                catch (DbException)
                {
                    // As above.
                }
            }
        }
    }

    // Asked again and again: a statement that waits in the server has a snapshot, for whose end CREATE INDEX CONCURRENTLY waits in the
    // session that has the lock. And it would end with a timeout of commands, statements or locks.
    private NpgsqlCommand? TryCommand()
    {
        if (Session is not { } session)
        {
            _holder = null;
            return null;
        }

        return session.ProcessID == _holder ? null : Command(session, sql.TryLock(session.ProcessID));
    }

    private bool IsDecided(object? result)
    {
        _holder = result is true ? Session!.ProcessID : null;
        return result is not false;
    }

    // Of a connection that broke EF asks in the transaction of its next attempt, which has done nothing yet. An index is not built while there
    // is a transaction that had a snapshot when that began.
    private NpgsqlCommand? SteppingBackCommand()
        => connection.CurrentTransaction is not null && Session is { } session ? Command(session, "ROLLBACK AND CHAIN") : null;

    private NpgsqlCommand? ReleasingCommand()
    {
        var holder = _holder;
        _holder = null;
        return holder is not null && connection.DbConnection.State == ConnectionState.Open && Session is { } session && session.ProcessID == holder
            ? Command(session, sql.Unlock)
            : null;
    }

    private NpgsqlCommand Command(NpgsqlConnection session, string text)
        => new(text, session, connection.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction);

    // An interceptor may have given one that is not the provider's.
    private NpgsqlConnection? Session
        => connection.DbConnection is NpgsqlConnection session && !new NpgsqlConnectionStringBuilder(session.ConnectionString).Multiplexing
            ? session
            : null;

    private static TimeSpan Longer(TimeSpan wait)
        => wait < LongestWait ? wait * 2 : wait;
}
