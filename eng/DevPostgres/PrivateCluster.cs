using System.Net;
using System.Net.Sockets;
using System.Runtime.Versioning;
using System.Security.Cryptography;

namespace DevPostgres;

/// <summary>A cluster made by <c>initdb</c> for this process alone, on a free port of the loopback address.</summary>
[UnsupportedOSPlatform("windows")]
internal sealed class PrivateCluster : IAsyncDisposable
{
    private readonly PostgresBinaries _binaries;
    private readonly ClusterFolder _folder;
    private readonly StopOnce _stop;

    private PrivateCluster(PostgresBinaries binaries)
    {
        _binaries = binaries;
        _folder = ClusterFolder.Create();
        _stop = new StopOnce(StopAsync);
    }

    public string ConnectionString { get; private set; } = "";

    public static async Task<PrivateCluster> StartAsync(PostgresBinaries binaries, CancellationToken cancellationToken)
    {
        await RemoveAbandonedAsync(binaries);

        var cluster = new PrivateCluster(binaries);
        try
        {
            var password = RandomNumberGenerator.GetHexString(32);
            await cluster.InitializeAsync(password, cancellationToken);
            var port = await cluster.ListenAsync(cancellationToken);
            cluster.ConnectionString = LoopbackConnection.For(port, password);
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => _stop.DisposeAsync();

    private static async Task RemoveAbandonedAsync(PostgresBinaries binaries)
    {
        foreach (var folder in ClusterFolder.FindAbandoned())
        {
            using (folder)
            {
                // Where this cannot be told (macOS), the server still ends: it misses its postmaster.pid within a minute.
                if (folder.HasRunningServer())
                {
                    await StopServerAsync(binaries, folder);
                }

                folder.Delete();
            }
        }
    }

    private static async Task StopServerAsync(PostgresBinaries binaries, ClusterFolder folder)
    {
        try
        {
            await binaries.RunAsync("pg_ctl", ["stop", "--silent", "--mode=immediate", $"--pgdata={folder.Data}"]);
        }
        catch (InvalidOperationException)
        {
            // It ended by itself.
        }
    }

    private async Task InitializeAsync(string password, CancellationToken cancellationToken)
    {
        var passwordFile = Path.Combine(_folder.FullName, "password");
        await File.WriteAllTextAsync(passwordFile, password, cancellationToken);
        if (PostgresBinaries.ServerUser is { } user)
        {
            await Command.RunAsync("chown", ["-R", user, _folder.FullName], cancellationToken);
        }

        await _binaries.RunAsync(
            "initdb",
            [
                $"--pgdata={_folder.Data}", "--username=postgres", "--auth=scram-sha-256", $"--pwfile={passwordFile}", "--no-sync",
                .. ServerSettings.InitDb,
            ],
            cancellationToken);
        File.Delete(passwordFile);

        await File.AppendAllLinesAsync(
            Path.Combine(_folder.Data, "postgresql.conf"),
            ["listen_addresses='127.0.0.1'", $"unix_socket_directories='{_folder.FullName}'", .. ServerSettings.All],
            cancellationToken);
    }

    private async Task<int> ListenAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            var port = FreePort();
            try
            {
                await _binaries.RunAsync(
                    "pg_ctl",
                    ["start", "--silent", "--wait", $"--pgdata={_folder.Data}", $"--log={_folder.Log}", $"--options=-p {port}"],
                    cancellationToken);
                return port;
            }
            catch (InvalidOperationException) when (attempt < 3)
            {
                // Another process may have taken the port in between.
            }
            catch (InvalidOperationException exception) when (File.Exists(_folder.Log))
            {
                throw new InvalidOperationException(
                    exception.Message + await File.ReadAllTextAsync(_folder.Log, cancellationToken), exception);
            }
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task StopAsync()
    {
        if (File.Exists(Path.Combine(_folder.Data, "postmaster.pid")))
        {
            await StopServerAsync(_binaries, _folder);
        }

        _folder.Delete();
        _folder.Dispose();
    }
}
