using System.Runtime.Versioning;
using Npgsql;

namespace DevPostgres;

/// <summary>
///     A real PostgreSQL for tests, benchmarks and the sample: the server that <c>EFTENANCY_POSTGRES</c> names, else a
///     throw-away one from this machine's PostgreSQL binaries, else one in Docker.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const string Variable = "EFTENANCY_POSTGRES";
    private const int LowestMajorVersion = 15;

    private readonly IAsyncDisposable? _owned;

    private PostgresServer(string connectionString, string description, IAsyncDisposable? owned)
    {
        ConnectionString = connectionString;
        Description = description;
        _owned = owned;
    }

    /// <summary>Connects to the database <c>postgres</c> or, with <c>EFTENANCY_POSTGRES</c>, to the database named there.</summary>
    public string ConnectionString { get; }

    /// <summary>Where the server comes from and its version, in one line for logs. Holds no password.</summary>
    public string Description { get; }

    /// <summary>Starts a server of this process's own, or connects to the one that <c>EFTENANCY_POSTGRES</c> names.</summary>
    /// <exception cref="InvalidOperationException">There is no PostgreSQL to be had, or it did not start, or it is too old.</exception>
    public static async Task<PostgresServer> StartAsync(CancellationToken cancellationToken = default)
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } connectionString)
        {
            return await ConnectAsync(connectionString, Variable, owned: null, cancellationToken);
        }

        if (!OperatingSystem.IsWindows() && PostgresBinaries.Find() is { } binaries)
        {
            var cluster = await StartClusterAsync(binaries, cancellationToken);
            return await ConnectAsync(cluster.ConnectionString, $"private cluster, {binaries.Folder}", cluster, cancellationToken);
        }

        if (await DockerServer.IsAvailableAsync(cancellationToken))
        {
            var container = await DockerServer.StartAsync(cancellationToken);
            return await ConnectAsync(container.ConnectionString, $"Docker image {DockerServer.Image}", container, cancellationToken);
        }

        throw new InvalidOperationException(
            $"""
            No PostgreSQL was found. Tried, in this order:
              1. the environment variable {Variable}: not set
              2. initdb and pg_ctl in {PostgresBinaries.SearchedPlaces}: not there
              3. Docker: `docker info` failed
            Install PostgreSQL {LowestMajorVersion} or later (`apt-get install postgresql`), or start Docker, or set {Variable} to the
            connection string of a role that may create databases, such as "Host=localhost;Username=postgres;Password=...".
            """);
    }

    /// <summary>The same server and role, another database.</summary>
    public string ConnectionStringFor(string database)
        => new NpgsqlConnectionStringBuilder(ConnectionString) { Database = database }.ConnectionString;

    /// <summary>Stops the server and removes its files, unless it is the one that <c>EFTENANCY_POSTGRES</c> names.</summary>
    public ValueTask DisposeAsync()
        => _owned?.DisposeAsync() ?? ValueTask.CompletedTask;

    [UnsupportedOSPlatform("windows")]
    private static async Task<PrivateCluster> StartClusterAsync(PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        try
        {
            return await PrivateCluster.StartAsync(binaries, cancellationToken);
        }
        catch (InvalidOperationException exception)
        {
            throw new InvalidOperationException(
                $"The PostgreSQL in {binaries.Folder} did not start. Set {Variable} to use another server. {exception.Message}", exception);
        }
    }

    private static async Task<PostgresServer> ConnectAsync(
        string connectionString, string source, IAsyncDisposable? owned, CancellationToken cancellationToken)
    {
        try
        {
            // Without a pool, so that no idle connection stays behind.
            var probe = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
            await using var connection = new NpgsqlConnection(probe.ConnectionString);
            await connection.OpenAsync(cancellationToken);

            var description = $"PostgreSQL {connection.PostgreSqlVersion} at {connection.Host}:{connection.Port} ({source})";
            return connection.PostgreSqlVersion.Major >= LowestMajorVersion
                ? new PostgresServer(connectionString, description, owned)
                : throw new InvalidOperationException(
                    $"{description} is too old: EfTenancy needs {LowestMajorVersion} or later. Set {Variable} to name another server.");
        }
        catch (Exception exception)
        {
            if (owned is not null)
            {
                await owned.DisposeAsync();
            }

            if (exception is NpgsqlException or ArgumentException)
            {
                throw new InvalidOperationException($"PostgreSQL ({source}) refused the connection: {exception.Message}", exception);
            }

            throw;
        }
    }
}
