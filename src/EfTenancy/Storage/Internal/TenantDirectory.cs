namespace EfTenancy.Storage.Internal;

/// <summary>Where tenants are.</summary>
public abstract class TenantDirectory
{
    /// <summary>The database that has what tenants with schemas share, and the tenants that share tables; null if there is none.</summary>
    public abstract TenantPlace? Home { get; }

    /// <summary>The schema of the registry, if it is in this database.</summary>
    public virtual string? RegistrySchemaIn(TenantDatabaseAddress database)
        => null;

    /// <exception cref="UnknownTenantException">Nobody knows the tenant.</exception>
    /// <exception cref="TenantDisabledException">The tenant is disabled.</exception>
    public abstract TenantPlace Find(string tenantId);

    /// <inheritdoc cref="Find" />
    public abstract ValueTask<TenantPlace> FindAsync(string tenantId, CancellationToken cancellationToken);

    /// <summary>
    ///     Where a tenant's rows are, whatever its state; null where it has none yet, and will have a place when it is used. Unlike
    ///     <see cref="Find" />, this makes none.
    /// </summary>
    /// <exception cref="UnknownTenantException">Nobody knows the tenant.</exception>
    public abstract TenantPlace? Locate(string tenantId);

    /// <summary>Whether there may be tenants in another place than this one.</summary>
    public abstract bool HasTenantsElsewhere(TenantPlace place);

    /// <summary>The place of a tenant that is known to be somewhere: it may have been moved since, and is not refused for being disabled.</summary>
    public virtual TenantPlace Refresh(string tenantId, TenantPlace known)
        => known;

    /// <inheritdoc cref="Refresh" />
    public virtual ValueTask<TenantPlace> RefreshAsync(string tenantId, TenantPlace known, CancellationToken cancellationToken)
        => new(known);

    /// <summary>A tenant that is read only there now, if any is.</summary>
    public virtual string? ReadOnlyTenantAt(TenantPlace place)
        => null;

    /// <summary>All tenants, disabled ones too, ordered by id, byte by byte.</summary>
    public abstract Task<IReadOnlyList<(AssignedTenant Tenant, TenantPlace Place)>> ListAsync(CancellationToken cancellationToken);
}
