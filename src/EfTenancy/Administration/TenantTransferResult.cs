namespace EfTenancy.Administration;

/// <summary>What a call of <see cref="ITenantMover" /> copied.</summary>
/// <param name="Tables">The tables, parents first.</param>
public sealed record TenantTransferResult(IReadOnlyList<TenantTableRows> Tables)
{
    /// <summary>The rows of all tables.</summary>
    public long Rows
        => Tables.Sum(t => t.Rows);
}

/// <summary>How many rows of a tenant were copied in a table.</summary>
/// <param name="Table">The table, with its schema unless that is the tenant's own or the connection's.</param>
/// <param name="Rows">The number of rows.</param>
public sealed record TenantTableRows(string Table, long Rows);
