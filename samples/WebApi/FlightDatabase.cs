using DevPostgres;
using Npgsql;

namespace WebApi;

/// <summary>
///     Where the flights are: the database that <c>ConnectionStrings:Default</c> names, else one in a PostgreSQL server of this
///     process's own, which ends with it.
/// </summary>
public sealed partial class FlightDatabase(IConfiguration configuration, ILogger<FlightDatabase> logger) : IAsyncDisposable
{
    private PostgresServer? _server;

    /// <summary>Null until the server is started: at design time there is none, and <c>dotnet ef migrations</c> needs none.</summary>
    public string? ConnectionString { get; private set; } = configuration.GetConnectionString("Default");

    public string Name
        => new NpgsqlConnectionStringBuilder(ConnectionString).Database ?? "flights";

    /// <summary>Another database of the same server.</summary>
    public string ConnectionStringFor(string database)
        => new NpgsqlConnectionStringBuilder(ConnectionString) { Database = database }.ConnectionString;

    public async Task StartAsync()
    {
        if (string.IsNullOrEmpty(ConnectionString))
        {
            _server = await PostgresServer.StartAsync();
            ConnectionString = _server.ConnectionStringFor("flights");
            LogServer(_server.Description);
        }
    }

    /// <summary>Creates those databases that are not there.</summary>
    public async Task CreateAsync(IEnumerable<string> names)
    {
        await using var connection = new NpgsqlConnection(ConnectionStringFor("postgres"));
        await connection.OpenAsync();
        foreach (var name in names)
        {
            await using var find = new NpgsqlCommand("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", connection)
            {
                Parameters = { new NpgsqlParameter<string> { TypedValue = name } },
            };
            if (await find.ExecuteScalarAsync() is false)
            {
                await using var create = new NpgsqlCommand($"CREATE DATABASE \"{name.Replace("\"", "\"\"")}\"", connection);
                await create.ExecuteNonQueryAsync();
            }
        }
    }

    public ValueTask DisposeAsync()
        => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Database: {Server}")]
    private partial void LogServer(string server);
}
