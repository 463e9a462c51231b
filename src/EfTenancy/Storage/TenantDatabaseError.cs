namespace EfTenancy.Storage;

/// <summary>Why the database of a tenant cannot be used.</summary>
public enum TenantDatabaseError
{
    /// <summary>The server does not answer, or ended the connection.</summary>
    Unreachable,

    /// <summary>User or password are refused, or the user may not connect.</summary>
    AccessDenied,

    /// <summary>The server has no such database.</summary>
    DatabaseMissing,

    /// <summary>The database has no such schema.</summary>
    SchemaMissing,

    /// <summary>Neither the server nor <c>MaxConnections</c> has a connection left.</summary>
    TooManyConnections,

    /// <summary>The database lacks migrations that the application has.</summary>
    MigrationsBehind,

    /// <summary>The database has migrations that the application does not know.</summary>
    MigrationsAhead,

    /// <summary>The tenant is being moved: its rows can be read, and not be written until it is there.</summary>
    BeingMoved,
}
