using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>The provider's command, in front of which its session is told the tenant's schema, if it was not yet.</summary>
public sealed class SessionTellingCommand(NpgsqlCommand command, TenantSessionState session) : DbCommand
{
    private NpgsqlBatch? _batch;

    [AllowNull]
    public override string CommandText
    {
        get => command.CommandText;
        set => command.CommandText = value;
    }

    public override int CommandTimeout
    {
        get => command.CommandTimeout;
        set => command.CommandTimeout = value;
    }

    public override CommandType CommandType
    {
        get => command.CommandType;
        set => command.CommandType = value;
    }

    public override bool DesignTimeVisible
    {
        get => command.DesignTimeVisible;
        set => command.DesignTimeVisible = value;
    }

    public override UpdateRowSource UpdatedRowSource
    {
        get => command.UpdatedRowSource;
        set => command.UpdatedRowSource = value;
    }

    protected override DbConnection? DbConnection
    {
        get => command.Connection;
        set => command.Connection = (NpgsqlConnection?)value;
    }

    protected override DbParameterCollection DbParameterCollection
        => command.Parameters;

    protected override DbTransaction? DbTransaction
    {
        get => command.Transaction;
        set => command.Transaction = (NpgsqlTransaction?)value;
    }

    public override void Cancel()
    {
        _batch?.Cancel();
        command.Cancel();
    }

    public override int ExecuteNonQuery()
    {
        if (!TellsTogether())
        {
            return command.ExecuteNonQuery();
        }

        using var reader = ExecuteDbDataReader(CommandBehavior.Default);
        while (reader.NextResult())
        {
        }

        return reader.RecordsAffected;
    }

    public override async Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken)
    {
        if (!await TellsTogetherAsync(cancellationToken).ConfigureAwait(false))
        {
            return await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        }

        var reader = await ExecuteDbDataReaderAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        await using var _ = reader.ConfigureAwait(false);
        while (await reader.NextResultAsync(cancellationToken).ConfigureAwait(false))
        {
        }

        return reader.RecordsAffected;
    }

    public override object? ExecuteScalar()
    {
        TellNow();
        return command.ExecuteScalar();
    }

    public override void Prepare()
    {
        TellNow();
        command.Prepare();
    }

    protected override DbParameter CreateDbParameter()
        => command.CreateParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
    {
        if (!TellsTogether())
        {
            return command.ExecuteReader(behavior);
        }

        var reader = Together().ExecuteReader(behavior);
        try
        {
            session.Told(reader.Read() ? reader.GetValue(0) : null);
            reader.NextResult();
            return reader;
        }
        catch
        {
            try
            {
                reader.Dispose();
            }
            catch (PostgresException)
            {
                // What the command met in a schema that is not there says less.
            }

            throw;
        }
    }

    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken)
    {
        if (!await TellsTogetherAsync(cancellationToken).ConfigureAwait(false))
        {
            return await command.ExecuteReaderAsync(behavior, cancellationToken).ConfigureAwait(false);
        }

        var reader = await Together().ExecuteReaderAsync(behavior, cancellationToken).ConfigureAwait(false);
        try
        {
            session.Told(await reader.ReadAsync(cancellationToken).ConfigureAwait(false) ? reader.GetValue(0) : null);
            await reader.NextResultAsync(cancellationToken).ConfigureAwait(false);
            return reader;
        }
        catch
        {
            try
            {
                await reader.DisposeAsync().ConfigureAwait(false);
            }
            catch (PostgresException)
            {
                // As above.
            }

            throw;
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _batch?.Dispose();
            command.Dispose();
        }

        base.Dispose(disposing);
    }

    private bool TellsTogether()
    {
        if (session.IsUntold && !CanBeBatched)
        {
            TellNow();
        }

        return session.IsUntold;
    }

    private async ValueTask<bool> TellsTogetherAsync(CancellationToken cancellationToken)
    {
        if (session.IsUntold && !CanBeBatched)
        {
            await session.TellNowAsync(command.Connection!, cancellationToken).ConfigureAwait(false);
        }

        return session.IsUntold;
    }

    private void TellNow()
        => session.TellNow(command.Connection!);

    // A part of a batch is one statement.
    private bool CanBeBatched
        => !command.CommandText.Contains(';', StringComparison.Ordinal);

    private NpgsqlBatch Together()
    {
        _batch = command.Connection!.CreateBatch();
        _batch.Timeout = command.CommandTimeout;
        _batch.Transaction = command.Transaction;

        // Each for itself, so that the session keeps what it is told whatever becomes of the command.
        _batch.BatchCommands.Add(session.Untold(command.Connection));
        var own = new NpgsqlBatchCommand(command.CommandText);
        foreach (var parameter in command.Parameters)
        {
            own.Parameters.Add(((NpgsqlParameter)parameter).Clone());
        }

        _batch.BatchCommands.Add(own);
        return _batch;
    }
}
