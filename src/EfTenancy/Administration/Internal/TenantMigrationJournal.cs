using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     What earlier calls did, in the registry of the home database: nobody can ask many databases in one query. Only a hint, and told with
///     each success and failure.
/// </summary>
public sealed class TenantMigrationJournal(DestinationRegistry registry, string context)
{
    /// <summary>The last migration of each place, as far as one is known, and whether the next one failed.</summary>
    public Task<Dictionary<TenantDestination, (string Migration, bool HasFailed)>> ReadAsync(CancellationToken cancellationToken)
        => registry.WithConnectionAsync(
            async connection =>
            {
                var command = new NpgsqlCommand(registry.Sql.SelectMigrations, connection)
                {
                    Parameters = { DestinationRegistry.Text("context", context) },
                };
                await using var _ = command.ConfigureAwait(false);
                var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
                await using var __ = reader.ConfigureAwait(false);

                var migrations = new Dictionary<TenantDestination, (string, bool)>();
                while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
                {
                    migrations[TenantDestination.Of(NullIfEmpty(reader.GetString(0)), NullIfEmpty(reader.GetString(1)))]
                        = (reader.GetString(2), reader.GetBoolean(3));
                }

                return migrations;
            },
            inTransaction: false,
            cancellationToken);

    public Task WriteAsync(TenantMigrationResult result, CancellationToken cancellationToken)
        => registry.ExecuteAsync(
            registry.Sql.UpsertMigration,
            cancellationToken,
            DestinationRegistry.Text("context", context),
            DestinationRegistry.Text("database_name", result.Destination.Database ?? ""),
            DestinationRegistry.Text("schema_name", result.Destination.Schema ?? ""),
            DestinationRegistry.Text("migration_id", result.After),
            DestinationRegistry.Text("error", result.Error?.Message),
            new NpgsqlParameter("milliseconds", (long)result.Duration.TotalMilliseconds));

    private static string? NullIfEmpty(string name)
        => name.Length == 0 ? null : name;
}
