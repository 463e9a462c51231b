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

    public TenantLockBudget(TenantCatalog catalog, long maxLocksPerTransaction, long transactions)
    {
        _catalog = catalog;
        _setting = maxLocksPerTransaction;
        _budget = maxLocksPerTransaction * transactions / 2;
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
        return new TenantLockBudget(catalog, settings[0].PerTransaction, settings[0].Transactions);
    }

    /// <summary>How many partitions of a table one transaction may create.</summary>
    public int PartitionsAtOnce(TenantTable table)
        => (int)Math.Clamp((_budget - Locks(table, partitions: 0)) / LocksOfPartition(table), 1, int.MaxValue);

    /// <summary>About how many locks it takes to create, or to drop, so many partitions of a table in one transaction.</summary>
    public long Locks(TenantTable table, int partitions)
        => LocksAround(table) + partitions * LocksOfPartition(table);

    /// <summary>Refuses, before anything is changed, what cannot be done even one partition at a time.</summary>
    public void RefuseTooMany(TenantTable table)
    {
        var locks = Locks(table, partitions: 1);
        if (locks > _budget)
        {
            throw new InvalidOperationException(TenancyStrings.TooManyLocks(table.DisplayName, locks, _budget, _setting));
        }
    }

    /// <summary>Whether one transaction may change so many partitions in each of several tables.</summary>
    public bool Allows(IEnumerable<TenantTable> tables, int partitions)
        => tables.Sum(t => Locks(t, partitions)) <= _budget;

    /// <summary>Refuses what one transaction cannot change in several tables.</summary>
    public void RefuseTooMany(IReadOnlyCollection<(TenantTable Table, int Partitions)> changes)
    {
        var locks = changes.Sum(c => Locks(c.Table, c.Partitions));
        if (locks > _budget)
        {
            throw new InvalidOperationException(
                TenancyStrings.TooManyLocks(string.Join(", ", changes.Select(c => c.Table.DisplayName)), locks, _budget, _setting));
        }
    }

    private static long LocksOfPartition(TenantTable table)
        => LocksOfTable + table.Indexes;

    // Creating and dropping look into each partition of the tables that this one references, and detaching into those of the tables that
    // reference it. The figures are those of PostgreSQL 15, rounded up.
    private long LocksAround(TenantTable table)
        => 1 + table.Indexes
            + _catalog.ForeignKeys.Where(f => f.Table == table.Oid).Select(f => f.Principal).Distinct().Select(Find)
                .Sum(principal => (1 + principal.Partitions.Count) * (4L + principal.Indexes))
            + _catalog.ForeignKeys.Where(f => f.Principal == table.Oid).Select(f => f.Table).Distinct().Select(Find)
                .Sum(child => (1 + child.Partitions.Count) * (1L + child.Indexes));

    private TenantTable Find(uint oid)
        => _catalog.Tables.First(t => t.Oid == oid);
}
