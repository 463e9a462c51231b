using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Lets <c>Find(id)</c> go on after the key became (tenant, id): puts the tenant in front when it alone is missing.</summary>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public class TenancyEntityFinder<TEntity> : EntityFinder<TEntity>, IEntityFinder
    where TEntity : class
{
    private readonly TenancyStateManager _stateManager;

    // Zero where the key does not lead with the tenant.
    private readonly int _keyCountWithoutTenant;

    public TenancyEntityFinder(
        TenancyStateManager stateManager,
        IDbSetSource setSource,
        IDbSetCache setCache,
        IEntityType entityType)
        : base(stateManager, setSource, setCache, entityType)
    {
        _stateManager = stateManager;
        _keyCountWithoutTenant = entityType.FindPrimaryKey()!.Properties is [var first, ..] properties
            && first == entityType.FindTenantProperty()
                ? properties.Count - 1
                : 0;
    }

    public override TEntity? Find(object?[]? keyValues)
        => base.Find(LacksTenant(keyValues?.Length) ? [_stateManager.Tenant.TenantIdOfNewWork, .. keyValues!] : keyValues);

    public override ValueTask<TEntity?> FindAsync(object?[]? keyValues, CancellationToken cancellationToken = default)
        => base.FindAsync(
            LacksTenant(keyValues?.Length)
            // FindAsync(id, cancellationToken) binds to the overload of any number of key values.
            || (keyValues is [.., CancellationToken] && LacksTenant(keyValues.Length - 1))
                ? [_stateManager.Tenant.TenantIdOfNewWork, .. keyValues!]
                : keyValues,
            cancellationToken);

    // The base class answers this one without its own FindAsync.
    async ValueTask<object?> IEntityFinder.FindAsync(object?[]? keyValues, CancellationToken cancellationToken)
        => await FindAsync(keyValues, cancellationToken).ConfigureAwait(false);

    public override InternalEntityEntry? FindEntry<TKey>(TKey keyValue)
        => LacksTenant(1)
            ? base.FindEntry((IEnumerable<object?>)[_stateManager.Tenant.TenantIdOfNewWork, keyValue])
            : base.FindEntry(keyValue);

    public override InternalEntityEntry? FindEntry(IEnumerable<object?> keyValues)
    {
        var values = keyValues.ToList();
        return base.FindEntry(LacksTenant(values.Count) ? values.Prepend(_stateManager.Tenant.TenantIdOfNewWork) : values);
    }

    // EF ignores all query filters here.
    public override object[]? GetDatabaseValues(InternalEntityEntry entry)
        => IsOpen(entry) ? base.GetDatabaseValues(entry) : null;

    public override Task<object[]?> GetDatabaseValuesAsync(InternalEntityEntry entry, CancellationToken cancellationToken = default)
        => IsOpen(entry) ? base.GetDatabaseValuesAsync(entry, cancellationToken) : Task.FromResult<object[]?>(null);

    private bool IsOpen(InternalEntityEntry entry)
        => entry.EntityType.FindTenantProperty() is not { } property || _stateManager.Tenant.IsOpen((string?)entry[property]);

    private bool LacksTenant(int? keyCount)
        => keyCount == _keyCountWithoutTenant && _keyCountWithoutTenant > 0;
}
#pragma warning restore EF1001
