namespace EfTenancy.Administration;

/// <summary>What a call of <see cref="ITenantAdministration" /> did.</summary>
/// <param name="Tables">The tables, in the order in which they were worked on.</param>
public sealed record TenantAdministrationResult(IReadOnlyList<TenantTableResult> Tables);

/// <summary>What was done in one table.</summary>
/// <param name="Table">The table, with its schema.</param>
/// <param name="Changes">How many partitions were created, changed or dropped.</param>
/// <param name="DeletedRows">How many rows were deleted one by one; those of dropped partitions are not counted.</param>
/// <param name="Error">Why the table was left undone; null if it was not.</param>
public sealed record TenantTableResult(string Table, int Changes, long DeletedRows, Exception? Error);
