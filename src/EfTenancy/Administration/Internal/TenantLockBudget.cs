using EfTenancy.Properties;

namespace EfTenancy.Administration.Internal;

/// <summary>
///     How many locks a transaction takes against what the server has room for. The lock table is shared by all connections, so that one
///     transaction may take half of it.
/// </summary>
public sealed class TenantLockBudget
{
    // A table, its TOAST table and the index of that.
    private const int LocksOfTable = 3;

    private readonly TenantCatalog _catalog;
    private readonly long _setting;
    private readonly long _budget;

    private TenantLockBudget(TenantCatalog catalog, long setting, long budget)
    {
        _catalog = catalog;
        _setting = setting;
        _budget = budget;
    }

    public static async Task<TenantLockBudget> LoadAsync(
        TenantConnection connection,
        TenantCatalog catalog,
        CancellationToken cancellationToken)
    {
        var settings = await connection.QueryAsync(
            """
            SELECT current_setting('max_locks_per_transaction')::bigint,
                current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint
            """,
            r => (PerTransaction: r.GetInt64(0), Transactions: r.GetInt64(1)),
            cancellationToken).ConfigureAwait(false);
        return new TenantLockBudget(catalog, settings[0].PerTransaction, settings[0].PerTransaction * settings[0].Transactions / 2);
    }

    /// <summary>How many partitions of a table one transaction may create.</summary>
    public int PartitionsAtOnce(TenantTable table)
        => (int)Math.Clamp((_budget - LocksAround(table)) / LocksOfPartition(table), 1, int.MaxValue);

    /// <summary>Refuses, before anything is changed, what cannot be done even one partition at a time.</summary>
    public void RefuseTooMany(TenantTable table)
    {
        var locks = LocksAround(table) + LocksOfPartition(table);
        if (locks > _budget)
        {
            throw new InvalidOperationException(TenancyStrings.TooManyLocks(table.DisplayName, locks, _budget, _setting));
        }
    }

    private static int LocksOfPartition(TenantTable table)
        => LocksOfTable + table.Indexes;

    // Its neighbours along foreign keys, each with all of its partitions.
    private long LocksAround(TenantTable table)
        => _catalog.ForeignKeys
            .Where(f => f.Table == table.Oid || f.Principal == table.Oid)
            .SelectMany(f => (uint[])[f.Table, f.Principal])
            .Append(table.Oid)
            .Distinct()
            .Sum(oid => _catalog.Tables.First(t => t.Oid == oid) is { } neighbour ? 1L + neighbour.Indexes + neighbour.Partitions.Count : 0);
}
