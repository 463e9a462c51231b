using Npgsql;
using NpgsqlTypes;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     The settings of administration's sessions, and those that were there before: the connection belongs to the application's pool, which
///     may be told not to reset its connections.
/// </summary>
public sealed class TenantSession
{
    private const string LockTimeout = "lock_timeout";

    // With row_security a policy would hide rows from a DELETE, or from the look whether a table holds rows of others; without it,
    // PostgreSQL refuses such a statement. Bounds are read as standard_conforming_strings writes them.
    private static readonly Dictionary<string, string> Settings = new()
    {
        ["statement_timeout"] = "0",
        ["transaction_timeout"] = "0",
        ["idle_in_transaction_session_timeout"] = "0",
        ["standard_conforming_strings"] = "on",
        ["row_security"] = "off",
        [LockTimeout] = "0",
    };

    private readonly Dictionary<string, string> _before;

    private TenantSession(Dictionary<string, string> before)
        => _before = before;

    public static async Task<TenantSession> StartAsync(TenantConnection connection, CancellationToken cancellationToken)
    {
        // PostgreSQL before 17 has no transaction_timeout.
        var before = await connection.QueryAsync(
            """
            WITH before AS MATERIALIZED (
                SELECT name, value, current_setting(name, true) AS before FROM unnest(@names, @values) AS s(name, value)
            )
            SELECT name, before, set_config(name, value, false) FROM before WHERE before IS NOT NULL
            """,
            r => (Name: r.GetString(0), Value: r.GetString(1)),
            cancellationToken,
            TenantCatalog.Parameter("names", NpgsqlDbType.Text, Settings.Keys.ToArray()),
            TenantCatalog.Parameter("values", NpgsqlDbType.Text, Settings.Values.ToArray())).ConfigureAwait(false);
        return new TenantSession(before.ToDictionary(s => s.Name, s => s.Value));
    }

    /// <summary>How long each lock is waited for from here on; zero for as long as it takes.</summary>
    public static Task SetLockTimeoutAsync(TenantConnection connection, TimeSpan lockTimeout, CancellationToken cancellationToken)
        => connection.ExecuteAsync(
            [
                // The shorter wait gives up: with PostgreSQL's it would be a request of the application.
                $"""
                SELECT set_config('{LockTimeout}', LEAST(
                    {(long)lockTimeout.TotalMilliseconds}, (SELECT setting::int / 2 FROM pg_settings WHERE name = 'deadlock_timeout')) || 'ms', false)
                """,
            ],
            cancellationToken);

    public Task EndAsync(TenantConnection connection)
        => connection.ExecuteAsync(
            "SELECT set_config(name, value, false), pg_advisory_unlock_all() FROM unnest(@names, @values) AS s(name, value)",
            CancellationToken.None,
            TenantCatalog.Parameter("names", NpgsqlDbType.Text, _before.Keys.ToArray()),
            TenantCatalog.Parameter("values", NpgsqlDbType.Text, _before.Values.ToArray()));
}
