using EfTenancy.Properties;

namespace EfTenancy.Storage;

/// <summary>Where the rows of a tenant are: in the home database or in another one, and there in a schema of their own or beside those of others.</summary>
public sealed record TenantDestination
{
    private TenantDestination(string? database, string? schema)
    {
        Database = database;
        Schema = schema;
    }

    /// <summary>The database that has the registry of tenants, in the tables that tenants without a place of their own share.</summary>
    public static TenantDestination Home { get; } = new(null, null);

    /// <summary>The name of the database among the <see cref="TenantDatabases" />; null for the home database.</summary>
    public string? Database { get; }

    /// <summary>The schema that unqualified tables are in; null for that of the connection.</summary>
    public string? Schema { get; }

    /// <summary>A schema of the home database.</summary>
    /// <param name="schema">The schema's name, at most 63 bytes.</param>
    /// <exception cref="ArgumentException">The name is blank or too long.</exception>
    public static TenantDestination InSchema(string schema)
        => new(null, Checked(schema, nameof(schema)));

    /// <summary>A database.</summary>
    /// <param name="database">The database's name among the <see cref="TenantDatabases" />.</param>
    /// <param name="schema">A schema in it; none by default.</param>
    /// <exception cref="ArgumentException">A name is blank or too long.</exception>
    public static TenantDestination InDatabase(string database, string? schema = null)
        => new(Checked(database, nameof(database)), schema is null ? null : Checked(schema, nameof(schema)));

    /// <summary>The destination for messages: never a connection string.</summary>
    public override string ToString()
        => (Database, Schema) switch
        {
            (null, null) => "the home database",
            (null, _) => $"schema '{Schema}' of the home database",
            (_, null) => $"database '{Database}'",
            _ => $"schema '{Schema}' of database '{Database}'",
        };

    internal static TenantDestination Of(string? database, string? schema)
        => new(database, schema);

    private static string Checked(string name, string parameterName)
        => string.IsNullOrWhiteSpace(name) || name.Contains('\0', StringComparison.Ordinal)
            || System.Text.Encoding.UTF8.GetByteCount(name) > Internal.TenantPartitionNaming.MaxIdentifierBytes
            ? throw new ArgumentException(TenancyStrings.DestinationNameCannotBeUsed(name), parameterName)
            : name;
}
