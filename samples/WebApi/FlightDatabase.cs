using DevPostgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
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
        foreach (var name in names)
        {
            await using var db = new DbContext(new DbContextOptionsBuilder().UseNpgsql(ConnectionStringFor(name)).Options);
            var creator = db.GetService<IRelationalDatabaseCreator>();
            if (!await creator.ExistsAsync())
            {
                await creator.CreateAsync();
            }
        }
    }

    public ValueTask DisposeAsync()
        => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Database: {Server}")]
    private partial void LogServer(string server);
}
