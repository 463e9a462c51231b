using System.Collections.Concurrent;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>How large databases and schemas of tenants are, asked once for each database.</summary>
public sealed class TenantPlaceSizes(TenantDataSources sources)
{
    /// <summary>PostgreSQL's estimate of the rows, and the bytes on disk with indexes.</summary>
    public async Task<IReadOnlyDictionary<TenantDestination, (long Rows, long Bytes)>> ReadAsync(
        IEnumerable<(AssignedTenant Tenant, TenantPlace Place)> tenants,
        CancellationToken cancellationToken)
    {
        var sizes = new ConcurrentDictionary<TenantDestination, (long, long)>();
        await Parallel.ForEachAsync(
            tenants.GroupBy(t => t.Place.Database).ToList(),
            DatabasesAtOnce.Options(sources, cancellationToken),
            async (database, token) =>
            {
                var (tenant, _) = database.First();
                try
                {
                    await ReadAsync(database.Key, database.Select(t => t.Place.Schema), sizes, token).ConfigureAwait(false);
                }
                catch (Exception exception)
                    when (TenantDatabaseFailure.Of(exception, tenant.TenantId, tenant.Destination, sources.Budget.Ceiling) is { } failure)
                {
                    throw failure;
                }
            }).ConfigureAwait(false);

        return sizes;
    }

    private async Task ReadAsync(
        TenantDatabaseAddress database,
        IEnumerable<string?> schemas,
        ConcurrentDictionary<TenantDestination, (long, long)> sizes,
        CancellationToken cancellationToken)
    {
        var rented = await RentedConnection.OpenAsync(sources.RentPlain(database), cancellationToken).ConfigureAwait(false);
        await using var _ = rented.ConfigureAwait(false);
        var command = new NpgsqlCommand(DestinationRegistrySql.SelectSizes, rented.Connection)
        {
            Parameters = { DestinationRegistry.Texts("schemas", schemas) },
        };
        await using var __ = command.ConfigureAwait(false);
        var reader = await command.ExecuteReaderAsync(cancellationToken).ConfigureAwait(false);
        await using var ___ = reader.ConfigureAwait(false);
        while (await reader.ReadAsync(cancellationToken).ConfigureAwait(false))
        {
            var schema = await reader.IsDBNullAsync(0, cancellationToken).ConfigureAwait(false) ? null : reader.GetString(0);
            sizes[TenantDestination.Of(database.Name, schema)] = (reader.GetInt64(1), reader.GetInt64(2));
        }
    }
}
