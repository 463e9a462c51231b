using EfTenancy.Infrastructure.Internal;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>What the session of a context's open connection was told: its schema, and whether it may write.</summary>
public sealed class TenantSessionState(CurrentPlace current)
{
    private TenantPlace? _untold;

    public bool IsReadOnly { get; private set; }

    /// <summary>Whether the session is still to be told. Until then it has no schema with tables.</summary>
    public bool IsUntold
        => _untold is not null;

    /// <summary>Tells a connection that was opened just now.</summary>
    public void Begin(NpgsqlConnection connection, TenantPlace place)
    {
        Tell(connection, place);
        (_untold, IsReadOnly) = (null, place.IsReadOnly);
    }

    /// <inheritdoc cref="Begin" />
    public async Task BeginAsync(NpgsqlConnection connection, TenantPlace place, CancellationToken cancellationToken)
    {
        await TellAsync(connection, place, cancellationToken).ConfigureAwait(false);
        (_untold, IsReadOnly) = (null, place.IsReadOnly);
    }

    /// <summary>Leaves it to the command that a connection was opened for just now, which runs <see cref="Untold" /> and gives the result to <see cref="Told" />.</summary>
    public void LeaveUntold(TenantPlace place)
    {
        _untold = TenantSearchPath.IsNeeded(place) ? place : null;
        IsReadOnly = place.IsReadOnly;
    }

    /// <summary>What the session is still to be told.</summary>
    public NpgsqlBatchCommand Untold(NpgsqlConnection connection)
        => TenantSearchPath.BatchCommand(connection, _untold!);

    public void Told(object? isThere)
    {
        Check(isThere, _untold!);
        _untold = null;
    }

    /// <summary>Tells what is still to be told, if anything is.</summary>
    public void TellNow(NpgsqlConnection connection)
    {
        if (_untold is { } place)
        {
            Begin(connection, place);
        }
    }

    /// <inheritdoc cref="TellNow" />
    public async Task TellNowAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        if (_untold is { } place)
        {
            await BeginAsync(connection, place, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The connection is closed.</summary>
    public void End()
        => _untold = null;

    /// <summary>Tells a connection that is not, or not only, this context's; nothing is remembered of it.</summary>
    public void Tell(NpgsqlConnection connection, TenantPlace place)
    {
        if (TenantSearchPath.IsNeeded(place))
        {
            using var command = TenantSearchPath.Command(connection, place);
            Check(command.ExecuteScalar(), place);
        }
    }

    /// <summary>Tells a connection that is kept open while a move of its tenant begins or ends.</summary>
    public void Change(NpgsqlConnection connection, TenantPlace place)
    {
        using var command = ChangeCommand(connection, place);
        command.ExecuteNonQuery();
        IsReadOnly = place.IsReadOnly;
    }

    /// <inheritdoc cref="Change" />
    public async Task ChangeAsync(NpgsqlConnection connection, TenantPlace place, CancellationToken cancellationToken)
    {
        var command = ChangeCommand(connection, place);
        await using var _ = command.ConfigureAwait(false);
        await command.ExecuteNonQueryAsync(cancellationToken).ConfigureAwait(false);
        IsReadOnly = place.IsReadOnly;
    }

    private async Task TellAsync(NpgsqlConnection connection, TenantPlace place, CancellationToken cancellationToken)
    {
        if (TenantSearchPath.IsNeeded(place))
        {
            var command = TenantSearchPath.Command(connection, place);
            await using var _ = command.ConfigureAwait(false);
            Check(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false), place);
        }
    }

    private static NpgsqlCommand ChangeCommand(NpgsqlConnection connection, TenantPlace place)
        => place.IsReadOnly ? TenantSearchPath.Command(connection, place) : new NpgsqlCommand(TenantSearchPath.LetWrite, connection);

    private void Check(object? isThere, TenantPlace place)
        => TenantSearchPath.Check(isThere, current.TenantId, place);
}
