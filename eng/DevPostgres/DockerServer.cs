using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using Npgsql;

namespace DevPostgres;

/// <summary>A container of the official image, through the <c>docker</c> command line.</summary>
internal sealed class DockerServer : IAsyncDisposable
{
    public const string Image = "postgres:15";

    // `docker rm -f $(docker ps -q --filter label=eftenancy-postgres)` removes what killed processes left behind.
    private const string Label = "eftenancy-postgres";

    private readonly StopOnce _stop;

    private DockerServer(string container)
        => _stop = new StopOnce(() => Command.RunAsync("docker", ["rm", "--force", "--volumes", container]));

    public string ConnectionString { get; private set; } = "";


    public static async Task<bool> IsAvailableAsync(CancellationToken cancellationToken)
    {
        try
        {
            await Command.RunAsync("docker", ["info"], cancellationToken);
            return true;
        }
        catch (InvalidOperationException)
        {
            return false;
        }
    }

    public static async Task<DockerServer> StartAsync(CancellationToken cancellationToken)
    {
        // In the environment, since every user of the machine can read the arguments of a process.
        var variables = new Dictionary<string, string> { ["POSTGRES_PASSWORD"] = RandomNumberGenerator.GetHexString(32) };
        var output = await Command.RunAsync(
            "docker",
            [
                "run", "--detach", "--rm", "--label", Label, "--publish", "127.0.0.1::5432",
                "--env", "POSTGRES_PASSWORD", "--env", $"POSTGRES_INITDB_ARGS={string.Join(' ', ServerSettings.InitDb)}",
                Image, .. ServerSettings.All.SelectMany(x => new[] { "-c", x }),
            ],
            variables,
            cancellationToken);

        var container = output.Trim();
        var server = new DockerServer(container);
        try
        {
            var address = await Command.RunAsync("docker", ["port", container, "5432/tcp"], cancellationToken);
            var port = int.Parse(address.Trim().Split(':')[^1], CultureInfo.InvariantCulture);
            server.ConnectionString = LoopbackConnection.For(port, variables["POSTGRES_PASSWORD"]);
            await WaitUntilReadyAsync(server.ConnectionString, cancellationToken);
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _stop.DisposeAsync();

    private static async Task WaitUntilReadyAsync(string connectionString, CancellationToken cancellationToken)
    {
        var waiting = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
                await connection.OpenAsync(cancellationToken);
                return;
            }
            catch (NpgsqlException) when (waiting.Elapsed < TimeSpan.FromMinutes(1))
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }
}
