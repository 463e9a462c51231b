namespace EfTenancy.Administration;

/// <summary>How far a call of <see cref="ITenantAdministration" /> is.</summary>
/// <param name="Table">The table that was worked on, with its schema.</param>
/// <param name="Done">The number of its steps that are done: partitions, tenants whose rows were deleted, or parts of a shared partition that were copied.</param>
/// <param name="Total">The number of all its steps.</param>
public sealed record TenantProgress(string Table, int Done, int Total);
