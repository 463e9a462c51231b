namespace EfTenancy.Storage;

/// <summary>A tenant and where it is.</summary>
/// <param name="TenantId">The tenant's id.</param>
/// <param name="Destination">Where its rows are.</param>
/// <param name="IsDisabled">Whether contexts refuse it.</param>
public sealed record AssignedTenant(string TenantId, TenantDestination Destination, bool IsDisabled)
{
    /// <summary>
    ///     Whether a move of the tenant has begun and not ended, perhaps since its process was killed:
    ///     <see cref="Administration.ITenantMover.MoveAsync" /> goes on. False by default.
    /// </summary>
    public bool IsBeingMoved { get; init; }
}
