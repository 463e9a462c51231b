using DevPostgres;

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

    public async Task StartAsync()
    {
        if (string.IsNullOrEmpty(ConnectionString))
        {
            _server = await PostgresServer.StartAsync();
            ConnectionString = _server.ConnectionStringFor("flights");
            LogServer(_server.Description);
        }
    }

    public ValueTask DisposeAsync()
        => _server?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Database: {Server}")]
    private partial void LogServer(string server);
}
