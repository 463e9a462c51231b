using Npgsql;

namespace DevPostgres;

/// <summary>The connection string of a server that listens on the loopback address.</summary>
internal static class LoopbackConnection
{
    public static string For(int port, string password)
        => new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1",
            Port = port,
            Username = "postgres",
            Password = password,
            Database = "postgres",
            // A failing test should show the row that the server complains about.
            IncludeErrorDetail = true,
        }.ConnectionString;
}
