using EfTenancy.Administration.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>Refuses databases and schemas whose migrations are not those of the application. What was right once is not asked again.</summary>
public static class PendingMigrationGuard
{
    public static void Check(DbContext context, TenantDatabases databases, NpgsqlConnection connection, TenantPlace place, string? tenantId)
    {
        if (!databases.IsMigrated(context.GetType(), place.Destination))
        {
            var history = new TenantMigrationHistory(context);
            Check(context, databases, place, tenantId, history, history.OfConnection(connection));
        }
    }

    public static async Task CheckAsync(
        DbContext context,
        TenantDatabases databases,
        NpgsqlConnection connection,
        TenantPlace place,
        string? tenantId,
        CancellationToken cancellationToken)
    {
        if (!databases.IsMigrated(context.GetType(), place.Destination))
        {
            var history = new TenantMigrationHistory(context);
            Check(
                context, databases, place, tenantId, history,
                await history.OfConnectionAsync(connection, cancellationToken).ConfigureAwait(false));
        }
    }

    private static void Check(
        DbContext context,
        TenantDatabases databases,
        TenantPlace place,
        string? tenantId,
        TenantMigrationHistory history,
        IReadOnlyList<string> applied)
    {
        var name = context.GetType().Name;
        if (history.FirstUnknown(applied) is { } unknown)
        {
            throw new TenantDatabaseException(
                TenancyStrings.MigrationsAhead(name, tenantId, place.Destination, unknown),
                TenantDatabaseError.MigrationsAhead, tenantId, place.Destination);
        }

        if (history.FirstMissing(applied) is { } missing)
        {
            throw new TenantDatabaseException(
                TenancyStrings.MigrationsBehind(name, tenantId, place.Destination, missing),
                TenantDatabaseError.MigrationsBehind, tenantId, place.Destination);
        }

        databases.SetMigrated(context.GetType(), place.Destination);
    }
}
