using EfTenancy.Infrastructure.Internal;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>What the session of a context's open connection was told: its schema, and whether it may write.</summary>
public sealed class TenantSessionState(CurrentPlace current)
{
    public bool IsReadOnly { get; private set; }

    /// <summary>Tells a connection that was opened just now.</summary>
    public void Begin(NpgsqlConnection connection, TenantPlace place)
    {
        Tell(connection, place);
        IsReadOnly = place.IsReadOnly;
    }

    /// <inheritdoc cref="Begin" />
    public async Task BeginAsync(NpgsqlConnection connection, TenantPlace place, CancellationToken cancellationToken)
    {
        if (TenantSearchPath.IsNeeded(place))
        {
            var command = TenantSearchPath.Command(connection, place);
            await using var _ = command.ConfigureAwait(false);
            Check(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false), place);
        }

        IsReadOnly = place.IsReadOnly;
    }

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

    private static NpgsqlCommand ChangeCommand(NpgsqlConnection connection, TenantPlace place)
        => place.IsReadOnly ? TenantSearchPath.Command(connection, place) : new NpgsqlCommand(TenantSearchPath.LetWrite, connection);

    private void Check(object? isThere, TenantPlace place)
        => TenantSearchPath.Check(isThere, current.TenantId, place);
}
