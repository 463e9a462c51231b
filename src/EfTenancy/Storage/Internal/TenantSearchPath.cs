using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>The schema of a session, and whether it may write. Set whenever a connection is opened; between two leases Npgsql resets it to one without tables.</summary>
public static class TenantSearchPath
{
    /// <summary>The schema of what tenants share without naming a schema: the history of migrations.</summary>
    public const string SharedSchema = "public";

    private const string SetSchema = "SELECT set_config('search_path', $1, false) IS NOT NULL AND to_regnamespace($1) IS NOT NULL";
    private const string SetReadOnly = "set_config('default_transaction_read_only', 'on', false) = 'on'";

    /// <summary>Undone by Npgsql between two leases, too.</summary>
    public const string LetWrite = "RESET default_transaction_read_only";

    /// <summary>Whether a session must be told anything.</summary>
    public static bool IsNeeded(TenantPlace place)
        => place.NeedsSearchPath || place.IsReadOnly;

    public static NpgsqlCommand Command(NpgsqlConnection connection, TenantPlace place)
    {
        var command = new NpgsqlCommand(Text(connection, place), connection);
        AddParameters(command.Parameters, place);
        return command;
    }

    /// <summary>The same in front of another command. The session keeps it whatever becomes of that.</summary>
    public static NpgsqlBatchCommand BatchCommand(NpgsqlConnection connection, TenantPlace place)
    {
        var command = new NpgsqlBatchCommand(Text(connection, place)) { AppendErrorBarrier = true };
        AddParameters(command.Parameters, place);
        return command;
    }

    private static string Text(NpgsqlConnection connection, TenantPlace place)
    {
        if (place.IsReadOnly)
        {
            RefuseSharedSessions(connection.ConnectionString, place.MovedTenantId!, place.Destination);
        }

        return !place.NeedsSearchPath ? "SELECT " + SetReadOnly
            : place.IsReadOnly ? SetSchema + " AND " + SetReadOnly
            : SetSchema;
    }

    private static void AddParameters(NpgsqlParameterCollection parameters, TenantPlace place)
    {
        if (place.NeedsSearchPath)
        {
            parameters.Add(new NpgsqlParameter<string> { TypedValue = DestinationRegistrySql.Quote(place.Schema ?? SharedSchema) });
        }
    }

    /// <summary>Refuses to make sessions read only that would stay so for others.</summary>
    public static void RefuseSharedSessions(string connectionString, string tenantId, TenantDestination destination)
    {
        if (SharesSessions(connectionString))
        {
            throw new InvalidOperationException(TenancyStrings.SessionsCannotBeReadOnly(tenantId, destination));
        }
    }

    /// <summary>Whether what a session is told would reach the next who gets it, or several at once.</summary>
    public static bool SharesSessions(string connectionString)
        => new NpgsqlConnectionStringBuilder(connectionString) is { Multiplexing: true } or { NoResetOnClose: true };

    public static void Check(object? isThere, string? tenantId, TenantPlace place)
    {
        if (isThere is not true)
        {
            throw new TenantDatabaseException(
                TenancyStrings.SchemaMissing(tenantId, place.Destination), TenantDatabaseError.SchemaMissing, tenantId, place.Destination);
        }
    }
}
