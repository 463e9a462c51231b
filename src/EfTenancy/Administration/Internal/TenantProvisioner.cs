using EfTenancy.Metadata;
using EfTenancy.Migrations.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     Gives registered tenants their partitions: one table after the other, parents first, a few partitions in one transaction, which
///     looks at registry and table anew. So it can be cut off anywhere, repeated, and run by several processes.
/// </summary>
public sealed class TenantProvisioner(
    TenantDatabase database,
    TenantConnection connection,
    TenantRegistry registry,
    TenantCatalog catalog,
    TenantAdministrationReport report)
{
    private const int FewAtOnce = 4;
    private const int MostAtOnce = 50;

    private readonly TenantTableLocks _locks = new(database, connection, catalog);
    private readonly TenantPartitionRebinder _rebinder = new(database, connection, registry);

    /// <summary>Creates what the suffixes lack. A table that fails is told to the report, and the others go on.</summary>
    public async Task ProvisionAsync(IReadOnlySet<string> suffixes, CancellationToken cancellationToken)
    {
        var budget = await TenantLockBudget.LoadAsync(connection, catalog, cancellationToken).ConfigureAwait(false);
        foreach (var table in catalog.Tables.Where(t => t.Kind == TenantTableKind.NotPartitioned))
        {
            report.Failed(table, new InvalidOperationException(TenancyStrings.ManagedTableIsNotPartitioned(table.DisplayName)));
        }

        foreach (var table in catalog.Managed)
        {
            try
            {
                await CreateAsync(table, suffixes, budget.PartitionsAtOnce(table), cancellationToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                report.Failed(table, exception);
            }
        }

        await _rebinder.WidenAsync(suffixes, report, cancellationToken).ConfigureAwait(false);
    }

    private async Task CreateAsync(TenantTable table, IReadOnlySet<string> suffixes, int most, CancellationToken cancellationToken)
    {
        var pace = new TenantPace(FewAtOnce, Math.Min(MostAtOnce, most));
        var done = 0;
        for (int? missing = null; missing is null || done < missing;)
        {
            var (created, reattached, left) = await connection.InTransactionAsync(
                () => CreateSomeAsync(table, suffixes, pace, cancellationToken), cancellationToken).ConfigureAwait(false);
            missing ??= created.Count + left;
            done += created.Count;
            report.Created(table, created, reattached, done, missing.Value);
            if (left == 0)
            {
                return;
            }
        }
    }

    private async Task<(List<TenantPartition> Created, HashSet<string> Reattached, int Left)> CreateSomeAsync(
        TenantTable table,
        IReadOnlySet<string> suffixes,
        TenantPace pace,
        CancellationToken cancellationToken)
    {
        await registry.LockAsync(connection, cancellationToken).ConfigureAwait(false);
        var registered = await registry.ReadAsync(connection, cancellationToken).ConfigureAwait(false);
        await TenantCatalog.ReloadAsync(connection, table, cancellationToken).ConfigureAwait(false);

        var missing = Missing(table, registered.Values, suffixes).ToList();
        var created = missing.Take(pace.AtOnce).ToList();
        var detached = report.AttachesDetached
            ? await DetachedAsync(table, created, cancellationToken).ConfigureAwait(false)
            : [];

        if (created.Count == 0)
        {
            return (created, detached, Left: 0);
        }

        await _locks.LockAroundAsync(table, cancellationToken).ConfigureAwait(false);
        await pace.ExecuteAsync(
            connection,
            created.SelectMany(
                p => detached.Contains(TenantPartitionNaming.PartitionName(table.Name, p.Suffix))
                    ? database.PartitionSql.AttachPartition(table.Name, table.Schema, p)
                    : database.PartitionSql.CreatePartition(table.Name, table.Schema, p)),
            created.Count,
            cancellationToken).ConfigureAwait(false);
        return (created, detached, missing.Count - created.Count);
    }

    // Tenants that share a suffix share a partition from the start; one that comes later widens it.
    private static IEnumerable<TenantPartition> Missing(
        TenantTable table,
        IEnumerable<TenantRegistration> registered,
        IReadOnlySet<string> suffixes)
        => registered
            .Where(r => !r.IsBeingRemoved && suffixes.Contains(r.Suffix))
            .GroupBy(r => r.Suffix, r => r.TenantId)
            .Where(g => g.All(id => table.PartitionOf(id) is null)
                && !table.Partitions.Exists(p => p.Name == TenantPartitionNaming.PartitionName(table.Name, g.Key)))
            .OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new TenantPartition(g.Key) { Values = [.. g.Order(StringComparer.Ordinal)] });

    private async Task<HashSet<string>> DetachedAsync(
        TenantTable table,
        IEnumerable<TenantPartition> partitions,
        CancellationToken cancellationToken)
        => [.. await connection.QueryAsync(
            """
            SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE n.nspname = @schema AND c.relname = ANY(@names) AND c.relkind = 'r' AND NOT c.relispartition
            """,
            r => r.GetString(0),
            cancellationToken,
            new Npgsql.NpgsqlParameter("schema", table.Schema),
            TenantCatalog.Parameter(
                "names", NpgsqlTypes.NpgsqlDbType.Text,
                partitions.Select(p => TenantPartitionNaming.PartitionName(table.Name, p.Suffix)).ToArray())).ConfigureAwait(false)];
}
