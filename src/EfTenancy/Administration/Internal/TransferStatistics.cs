using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>Tells PostgreSQL's planner of rows that have come; by itself it would learn of them minutes later. Nothing depends on it.</summary>
public static class TransferStatistics
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>Those of tables and partitions that nobody else has; others have statistics, which a tenant more changes little.</summary>
    /// <param name="site">The place.</param>
    /// <param name="connection">A connection to it, in no transaction.</param>
    /// <param name="isAlone">Whether nobody but this tenant is there.</param>
    /// <param name="withQualified">Whether tables to which the model gives a schema are the tenant's.</param>
    /// <param name="cancellationToken">Ends it. The rows are there already, so that this is no reason to fail either.</param>
    public static async Task GatherAsync(
        TenantSite site,
        TransferConnection connection,
        bool isAlone,
        bool withQualified,
        CancellationToken cancellationToken)
    {
        try
        {
            // Anew: partitions may have come since the tables were looked at.
            var catalog = await TransferCatalog.LoadAsync(site, connection, withQualified, cancellationToken).ConfigureAwait(false);
            await TenantSession.SetLockTimeoutAsync(connection.Session, Patience, cancellationToken).ConfigureAwait(false);
            foreach (var table in catalog.Tables)
            {
                // What a schema shares with others is theirs, too.
                if ((isAlone && !(table.IsQualified && site.Place?.Schema is not null) ? table.Name : table.OwnPartition) is { } own)
                {
                    await connection.ExecuteAsync($"ANALYZE {own}", cancellationToken).ConfigureAwait(false);
                }
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or InvalidOperationException or TimeoutException or OperationCanceledException)
        {
            // Autovacuum comes by later.
        }
    }
}
