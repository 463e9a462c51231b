namespace EfTenancy.Administration;

/// <summary>Something that <see cref="ITenantAdministration.RepairAsync" /> found.</summary>
/// <param name="Description">What it is and, if it was left, what to do about it.</param>
/// <param name="Table">The table, with its schema; null if it concerns none.</param>
/// <param name="TenantId">The tenant; null if it concerns none, or several.</param>
/// <param name="IsMended">Whether it was mended. What nobody registered is only reported.</param>
public sealed record TenantRepair(string Description, string? Table, string? TenantId, bool IsMended);
