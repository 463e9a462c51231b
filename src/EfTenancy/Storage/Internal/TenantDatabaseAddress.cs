using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>How one database is reached: by a connection string, whose data source is made here, or by a data source of the caller's.</summary>
public sealed record TenantDatabaseAddress
{
    private readonly string? _connectionString;

    private TenantDatabaseAddress(string? name, string? connectionString, NpgsqlDataSource? dataSource)
    {
        Name = name;
        _connectionString = connectionString;
        DataSource = dataSource;
    }

    /// <summary>Null for the home database.</summary>
    public string? Name { get; }

    public NpgsqlDataSource? DataSource { get; }

    public string ConnectionString
        => _connectionString ?? DataSource!.ConnectionString;

    public static TenantDatabaseAddress Of(string? name, string connectionString)
        => new(name, connectionString, null);

    public static TenantDatabaseAddress Of(string? name, NpgsqlDataSource dataSource)
        => new(name, null, dataSource);

    /// <summary><c>database@host:port</c>, much as Marten names databases that nobody named.</summary>
    public static string NameOf(string connectionString)
    {
        var builder = new NpgsqlConnectionStringBuilder(connectionString);
        return $"{builder.Database ?? builder.Username}@{builder.Host}:{builder.Port}";
    }

    // The generated one would print the password.
    public override string ToString()
        => Name ?? "home";
}
