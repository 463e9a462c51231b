using System.Globalization;
using System.Security.Cryptography;
using DevPostgres;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>
///     A database of one test or test class, dropped at dispose. Its SQL helpers go past EF, so that a test sees what the database
///     really holds.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    // PostgreSQL cuts longer names off, and two databases would become one.
    private const int LongestName = 63;

    // The process id is for people; alone it is not unique on a server that several containers share.
    private static readonly string Suffix = $"{Environment.ProcessId}_{RandomNumberGenerator.GetHexString(4, lowercase: true)}";

    private static int _count;

    private readonly PostgresServer _server;

    private TestDatabase(PostgresServer server, string name)
    {
        _server = server;
        Name = name;
        ConnectionString = server.ConnectionStringFor(name);
    }

    public string Name { get; }

    public string ConnectionString { get; }

    /// <summary>A copy of this database, which nothing may be connected to meanwhile.</summary>
    public Task<TestDatabase> CloneAsync(string name)
    {
        EndIdleSessions();
        return CreateAsync(_server, name, template: Name);
    }

    /// <summary>Ends the sessions that wait in the pool for the next who connects. Tests beside this one keep theirs.</summary>
    public void EndIdleSessions()
    {
        using var connection = new NpgsqlConnection(ConnectionString);
        NpgsqlConnection.ClearPool(connection);
    }

    /// <summary>The first column of the first row; a <typeparamref name="T" /> that has no null refuses NULL.</summary>
    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        if (!await reader.ReadAsync(Cancellation))
        {
            throw new InvalidOperationException($"The query returned no row: {sql}");
        }

        return default(T) is null && await reader.IsDBNullAsync(0, Cancellation)
            ? default!
            : await reader.GetFieldValueAsync<T>(0, Cancellation);
    }

    /// <summary>The first column of all rows as text; <c>NULL</c> where there is no value.</summary>
    public async Task<List<string>> ColumnAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);

        var values = new List<string>();
        while (await reader.ReadAsync(Cancellation))
        {
            values.Add(
                await reader.IsDBNullAsync(0, Cancellation)
                    ? "NULL"
                    : Convert.ToString(reader.GetValue(0), CultureInfo.InvariantCulture)!);
        }

        return values;
    }

    /// <summary>
    ///     All rows of a tenant in every table, byte for byte. The row version (xmin) and place (ctid) tell too, should a row have
    ///     been written with the values that it had.
    /// </summary>
    public async Task<List<string>> RowsOfAsync(string tenantId)
    {
        var tables = await ColumnAsync(
            """
            SELECT c.oid::regclass::text
            FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'TenantId'
            WHERE c.relkind = 'r' ORDER BY 1
            """);

        return tables.Count == 0
            ? throw new InvalidOperationException("No table has a tenant.")
            : await ColumnAsync(
                string.Join(" UNION ALL ", tables.Select(RowsOf)) + " ORDER BY 1");

        string RowsOf(string table)
            => $"""
                SELECT concat_ws(' ', '{table.Replace("'", "''", StringComparison.Ordinal)}', r.ctid, r.xmin, md5(r::text), r::text)
                FROM {table} r WHERE r."TenantId" = '{tenantId.Replace("'", "''", StringComparison.Ordinal)}'
                """;
    }

    /// <summary>Empties all tables, and lets their keys begin anew. Returns the tables.</summary>
    public async Task<List<string>> EmptyAsync()
    {
        var tables = await ColumnAsync(
            """
            SELECT oid::regclass::text FROM pg_class
            WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
            ORDER BY 1
            """);
        await ExecuteAsync($"TRUNCATE {string.Join(", ", tables)} RESTART IDENTITY");
        return tables;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var connection = await OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

    /// <summary>Statements in one session. Returns what the server told meanwhile.</summary>
    public async Task<List<string>> SendAsync(IEnumerable<string> statements)
    {
        var notices = new List<string>();
        await using var connection = await OpenAsync();
        connection.Notice += (_, e) => notices.Add(e.Notice.MessageText);
        foreach (var statement in statements)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }

        return notices;
    }

    public async ValueTask DisposeAsync()
    {
        EndIdleSessions();
        await ExecuteAsync(_server, $"""DROP DATABASE IF EXISTS "{Name}" WITH (FORCE)""", CancellationToken.None);
    }

    internal static async Task<TestDatabase> CreateAsync(PostgresServer server, string name, string template = "template1")
    {
        var database = new TestDatabase(server, UniqueName(name));
        await ExecuteAsync(server, $"""CREATE DATABASE "{database.Name}" TEMPLATE "{template}" """, Cancellation);
        return database;
    }

    internal static string UniqueName(string name)
    {
        var suffix = $"_{Interlocked.Increment(ref _count)}_{Suffix}";
        var stem = string.Concat(name.Where(char.IsAsciiLetterOrDigit).Take(LongestName - suffix.Length));
        return stem.ToLowerInvariant() + suffix;
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task ExecuteAsync(PostgresServer server, string sql, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(server.ConnectionString);
        await connection.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<NpgsqlConnection> OpenAsync()
    {
        var connection = new NpgsqlConnection(ConnectionString);
        await connection.OpenAsync(Cancellation);
        return connection;
    }
}
