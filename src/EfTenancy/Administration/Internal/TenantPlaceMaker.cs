using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Administration.Internal;

/// <summary>Makes what a tenant needs before its rows come.</summary>
public static class TenantPlaceMaker
{
    /// <summary>Its schema, and tables where there are none.</summary>
    public static async Task MakeTablesAsync(TenantSite site, CancellationToken cancellationToken)
    {
        if (site.Place?.Schema is { } schema)
        {
            await MakeSchemaAsync(site, schema, cancellationToken).ConfigureAwait(false);
        }

        bool hasTables;
        var connection = await site.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            hasTables = await TransferCatalog.HasTablesAsync(site, connection, cancellationToken).ConfigureAwait(false);
        }

        if (!hasTables)
        {
            if (site.Context.Database.GetMigrations().Any())
            {
                await site.Context.Database.MigrateAsync(cancellationToken).ConfigureAwait(false);
            }
            else
            {
                await site.Context.Database.EnsureCreatedAsync(cancellationToken).ConfigureAwait(false);
            }
        }

    }

    /// <summary>Its partitions, where these are managed; a schema of its own has none.</summary>
    public static Task MakePartitionsAsync(TenantSite site, CancellationToken cancellationToken)
        => site.Place?.Schema is not null || site.Database.FindRegistry() is null ? Task.CompletedTask : site.Administrator().AddAsync([site.TenantId], cancellationToken);

    private static async Task MakeSchemaAsync(TenantSite site, string schema, CancellationToken cancellationToken)
    {
        var connection = await site.OpenAsync(cancellationToken, inSchema: false).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);

        // IF NOT EXISTS asks for the right to create one even so.
        var isThere = await connection.Session.QueryAsync(
            "SELECT to_regnamespace(@schema) IS NOT NULL", r => r.GetBoolean(0), cancellationToken,
            new Npgsql.NpgsqlParameter("schema", DestinationRegistrySql.Quote(schema))).ConfigureAwait(false);
        if (!isThere[0])
        {
            await connection.ExecuteAsync(DestinationRegistrySql.CreateSchema(schema), cancellationToken).ConfigureAwait(false);
        }
    }
}
