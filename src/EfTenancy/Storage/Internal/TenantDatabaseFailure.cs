using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>What an error says about the database that was to be opened.</summary>
public static class TenantDatabaseFailure
{
    /// <summary>The error with tenant and destination in it; null for one that says nothing about the database.</summary>
    public static TenantDatabaseException? Of(Exception exception, string? tenantId, TenantDestination destination, int ceiling)
        => Of(exception, tenantId, destination, e => TenancyStrings.TenantDatabaseFailed(e, tenantId, destination, ceiling, exception.Message));

    /// <summary>The same for the home database's registry, which says where the tenant is.</summary>
    public static TenantDatabaseException? OfRegistry(Exception exception, string? tenantId, int ceiling)
        => Of(exception, tenantId, TenantDestination.Home, e => TenancyStrings.RegistryFailed(e, tenantId, ceiling, exception.Message));

    private static TenantDatabaseException? Of(
        Exception exception,
        string? tenantId,
        TenantDestination destination,
        Func<TenantDatabaseError, string> message)
        => exception is not TenantDatabaseException && ErrorOf(exception) is { } error
            ? new TenantDatabaseException(
                message(error), error, tenantId, destination,
                // To wait once more as long would not help: it is no error that passes by itself.
                exception is TimeoutException ? null : exception)
            : null;

    /// <summary>Whether a command failed with its connection, and not by what it asked for or how long it took.</summary>
    public static bool EndedConnection(Exception exception)
        => exception is PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown }
            or NpgsqlException { InnerException: IOException or System.Net.Sockets.SocketException };

    private static TenantDatabaseError? ErrorOf(Exception exception)
        => exception switch
        {
            PostgresException postgres => ErrorOf(postgres.SqlState),
            NpgsqlException { InnerException: PostgresException postgres } => ErrorOf(postgres.SqlState),
            NpgsqlException => TenantDatabaseError.Unreachable,
            TimeoutException => TenantDatabaseError.TooManyConnections,
            System.Net.Sockets.SocketException or IOException => TenantDatabaseError.Unreachable,
            _ => null,
        };

    private static TenantDatabaseError? ErrorOf(string sqlState)
        => sqlState switch
        {
            PostgresErrorCodes.InvalidCatalogName => TenantDatabaseError.DatabaseMissing,
            PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification or PostgresErrorCodes.InsufficientPrivilege
                => TenantDatabaseError.AccessDenied,
            PostgresErrorCodes.TooManyConnections => TenantDatabaseError.TooManyConnections,
            PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown
                => TenantDatabaseError.Unreachable,
            _ => null,
        };
}
