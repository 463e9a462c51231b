namespace EfTenancy.Administration;

/// <summary>What a call of <see cref="ITenantAdministration" /> did.</summary>
/// <param name="Tables">The tables, in the order in which they were worked on.</param>
public sealed record TenantAdministrationResult(IReadOnlyList<TenantTableResult> Tables)
{
    /// <summary>
    ///     The tenants that the call added (half added ones that it finished, too), removed or emptied, ordered by id, byte by byte. Those that
    ///     were there already when they were to be added are not among them; empty by default, and after a split.
    /// </summary>
    public IReadOnlyList<string> Tenants { get; init; } = [];
}

/// <summary>What was done in one table.</summary>
/// <param name="Table">The table, with its schema.</param>
/// <param name="Changes">How many partitions were created, changed or dropped.</param>
/// <param name="DeletedRows">How many rows were deleted one by one; those of dropped partitions are not counted.</param>
/// <param name="Error">Why the table was left undone; null if it was not.</param>
public sealed record TenantTableResult(string Table, int Changes, long DeletedRows, Exception? Error);
