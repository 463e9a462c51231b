namespace EfTenancy.Storage;

/// <summary>A tenant and where it is.</summary>
/// <param name="TenantId">The tenant's id.</param>
/// <param name="Destination">Where its rows are.</param>
/// <param name="IsDisabled">Whether contexts refuse it.</param>
public sealed record AssignedTenant(string TenantId, TenantDestination Destination, bool IsDisabled);
