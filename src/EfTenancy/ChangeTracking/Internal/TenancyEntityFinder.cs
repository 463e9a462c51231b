using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Lets <c>Find(id)</c> go on after the key became (tenant, id): puts the tenant in its place when it alone is missing. Of a type
///     with shared rows it finds the default tenant's row where the own tenant has none.
/// </summary>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public class TenancyEntityFinder<TEntity> : EntityFinder<TEntity>, IEntityFinder
    where TEntity : class
{
    private readonly TenancyStateManager _stateManager;
    private readonly IEntityType _entityType;
    private readonly bool _hasSharedRows;
    private readonly IProperty? _tenant;
    private readonly IReadOnlyList<IProperty> _key;

    // Negative where the key does not hold the tenant.
    private readonly int _tenantPosition;
    private readonly int _keyCountWithoutTenant;

    public TenancyEntityFinder(
        TenancyStateManager stateManager,
        IDbSetSource setSource,
        IDbSetCache setCache,
        IEntityType entityType)
        : base(stateManager, setSource, setCache, entityType)
    {
        _stateManager = stateManager;
        _entityType = entityType;
        _hasSharedRows = entityType.HasSharedRows();
        _tenant = entityType.FindTenantProperty();
        _key = entityType.FindPrimaryKey()!.Properties;
        _tenantPosition = _tenant is null ? -1 : _key.ToList().IndexOf(_tenant);
        _keyCountWithoutTenant = _key.Count - 1;
    }

    public override TEntity? Find(object?[]? keyValues)
        => IsWithoutTenant(keyValues, hasToken: false)
            ? base.Find(OfTenant(keyValues!)) ?? (ReadsShared ? base.Find(Shared(keyValues!)) : null)
            : Readable(base.Find(keyValues));

    // FindAsync(id, cancellationToken) binds to the overload of any number of key values.
    public override ValueTask<TEntity?> FindAsync(object?[]? keyValues, CancellationToken cancellationToken = default)
        => !IsWithoutTenant(keyValues, hasToken: keyValues is [.., CancellationToken])
                ? IdsMeetOthers ? FindReadableAsync(keyValues, cancellationToken) : base.FindAsync(keyValues, cancellationToken)
            : ReadsShared ? FindOwnOrSharedAsync(keyValues!, cancellationToken)
            : base.FindAsync(OfTenant(keyValues!), cancellationToken);

    private async ValueTask<TEntity?> FindReadableAsync(object?[]? keyValues, CancellationToken cancellationToken)
        => Readable(await base.FindAsync(keyValues, cancellationToken).ConfigureAwait(false));

    private async ValueTask<TEntity?> FindOwnOrSharedAsync(object?[] keyValues, CancellationToken cancellationToken)
        => await base.FindAsync(OfTenant(keyValues), cancellationToken).ConfigureAwait(false)
            ?? await base.FindAsync(Shared(keyValues), cancellationToken).ConfigureAwait(false);

    // The base class answers this one without its own FindAsync.
    async ValueTask<object?> IEntityFinder.FindAsync(object?[]? keyValues, CancellationToken cancellationToken)
        => await FindAsync(keyValues, cancellationToken).ConfigureAwait(false);

    public override InternalEntityEntry? FindEntry<TKey>(TKey keyValue)
        => LacksTenant(1)
            ? Tracked(_key, [keyValue]).FirstOrDefault()
            : Readable(base.FindEntry(keyValue));

    public override InternalEntityEntry? FindEntry(IEnumerable<object?> keyValues)
    {
        var values = keyValues.ToList();
        return LacksTenant(values.Count)
            ? Tracked(_key, values).FirstOrDefault()
            : base.FindEntry((IEnumerable<object?>)values);
    }

    public override InternalEntityEntry? FindEntry<TProperty>(IProperty property, TProperty propertyValue)
        => KeyOf([property]) is { } key
            ? Tracked(key, [propertyValue]).FirstOrDefault()
            : base.FindEntry(property, propertyValue);

    public override InternalEntityEntry? FindEntry(IEnumerable<IProperty> properties, IEnumerable<object?> propertyValues)
        => KeyOf([.. properties]) is { } key
            ? Tracked(key, [.. propertyValues]).FirstOrDefault()
            : base.FindEntry(properties, propertyValues);

    public override IEnumerable<InternalEntityEntry> GetEntries<TProperty>(IProperty property, TProperty propertyValue)
        => KeyOf([property]) is { } key
            ? Tracked(key, [propertyValue])
            : base.GetEntries(property, propertyValue);

    public override IEnumerable<InternalEntityEntry> GetEntries(
        IEnumerable<IProperty> properties,
        IEnumerable<object?> propertyValues)
        => KeyOf([.. properties]) is { } key
            ? Tracked(key, [.. propertyValues])
            : base.GetEntries(properties, propertyValues);

    // EF ignores all query filters here, and reads no entity.
    public override object[]? GetDatabaseValues(InternalEntityEntry entry)
    {
        using (_stateManager.Tenant.LookingUpOwnRows())
        {
            return !IsReadable(entry) || (RowOf(entry) is { } row && row.ToEntityEntry().GetDatabaseValues() is null)
                ? null
                : OfTenant(entry, base.GetDatabaseValues(entry));
        }
    }

    public override async Task<object[]?> GetDatabaseValuesAsync(
        InternalEntityEntry entry,
        CancellationToken cancellationToken = default)
    {
        using (_stateManager.Tenant.LookingUpOwnRows())
        {
            return !IsReadable(entry)
                || (RowOf(entry) is { } row
                    && await row.ToEntityEntry().GetDatabaseValuesAsync(cancellationToken).ConfigureAwait(false) is null)
                    ? null
                    : OfTenant(entry, await base.GetDatabaseValuesAsync(entry, cancellationToken).ConfigureAwait(false));
        }
    }

    public override IQueryable<TEntity> Query(INavigation navigation, InternalEntityEntry entry)
        => TenantNavigationLoader.Query(navigation, entry, e => base.Query(navigation, e));

    public override void Load(INavigation navigation, InternalEntityEntry entry, LoadOptions options)
        => TenantNavigationLoader.Load(
            navigation, entry, options, e => base.Query(navigation, e), () => base.Load(navigation, entry, options));

    public override Task LoadAsync(
        INavigation navigation,
        InternalEntityEntry entry,
        LoadOptions options,
        CancellationToken cancellationToken = default)
        => TenantNavigationLoader.LoadAsync(
            navigation,
            entry,
            options,
            e => base.Query(navigation, e),
            () => base.LoadAsync(navigation, entry, options, cancellationToken),
            cancellationToken);

    private bool IdsMeetOthers
        => _tenant is not null && _tenantPosition < 0;

    // EF looks among tracked rows first, where a key of ids only finds those of all tenants; the filter does for the database.
    private TEntity? Readable(TEntity? found)
        => found is not null && IdsMeetOthers && _stateManager.TryGetEntry(found) is { } entry && Readable(entry) is null ? null : found;

    private InternalEntityEntry? Readable(InternalEntityEntry? found)
        => found is null || !IdsMeetOthers || _stateManager.Tenant.IsRead(found[_tenant!], _hasSharedRows) ? found : null;

    private bool IsReadable(InternalEntityEntry entry)
        => entry.EntityType.FindTenantProperty() is not { } property
            || _stateManager.Tenant.IsReadable(entry[property], _hasSharedRows);

    // Only the row tells whose a document is that has no tenant in its key.
    private InternalEntityEntry? RowOf(InternalEntityEntry entry)
        => _tenant is null && entry.EntityType.IsMappedToJson() ? RowOfJson.Find(entry) : null;

    // A key of ids only may be that of another tenant's row.
    private object[]? OfTenant(InternalEntityEntry entry, object[]? databaseValues)
        => databaseValues is null
            || _tenant is null
            || _tenantPosition >= 0
            || Equals(Stored(databaseValues[entry.EntityType.GetFlattenedProperties().ToList().IndexOf(_tenant)]), Stored(entry[_tenant]))
                ? databaseValues
                : null;

    private object? Stored(object? tenant)
        => _stateManager.Tenant.IdConverter.ToStored(tenant);

    private bool IsWithoutTenant(object?[]? keyValues, bool hasToken)
    {
        if (keyValues is null || _tenantPosition < 0)
        {
            return false;
        }

        var count = keyValues.Length;
        if (hasToken && !LacksTenant(count) && count - 1 - _keyCountWithoutTenant is 0 or 1)
        {
            count--;
        }

        if (_keyCountWithoutTenant == 0)
        {
            return LacksTenant(count);
        }

        if (LacksTenant(count))
        {
            KeyValueTypes.Check(typeof(TEntity), _key.Where(p => p != _tenant), keyValues);
            return true;
        }

        // EF would speak of a key with the tenant in it, which the caller does not know of.
        return count == _key.Count && KeyValueTypes.Fits(keyValues[_tenantPosition], _tenant!)
            ? false
            : throw new ArgumentException(
                _keyCountWithoutTenant == 1
                    ? CoreStrings.FindNotCompositeKey(typeof(TEntity).ShortDisplayName(), keyValues.Length)
                    : CoreStrings.FindValueCountMismatch(
                        typeof(TEntity).ShortDisplayName(), _keyCountWithoutTenant, keyValues.Length));
    }

    private bool LacksTenant(int? keyCount)
        => _tenantPosition >= 0 && keyCount == _keyCountWithoutTenant;

    private object?[] OfTenant(object?[] keyValues)
        => WithTenant(keyValues, _stateManager.Tenant.ValueOfNewWork);

    // What the caller knows as a key or foreign key is one without the tenant. EF would look for the ids among the rows of all tenants.
    private IReadOnlyList<IProperty>? KeyOf(IReadOnlyList<IProperty> properties)
        => _tenant is null ? null
            : _entityType.GetKeys().Select(k => k.Properties).Concat(_entityType.GetForeignKeys().Select(fk => fk.Properties))
                .FirstOrDefault(k => k.Contains(_tenant) && k.Where(p => p != _tenant).SequenceEqual(properties));

    // Its own rows before shared ones.
    private IEnumerable<InternalEntityEntry> Tracked(IReadOnlyList<IProperty> key, List<object?> values)
    {
        var position = Math.Min(key.ToList().IndexOf(_tenant!), values.Count);
        var tenants = new HashSet<object> { _stateManager.Tenant.ValueOfNewWork };
        if (ReadsShared)
        {
            tenants.Add(_stateManager.Tenant.IdConverter.Default);
        }

        // EF looks at the values at once, and at the rows when they are asked for.
        return tenants
            .Select(tenant => base.GetEntries(key, (object?[])[.. values[..position], tenant, .. values[position..]]))
            .ToList()
            .SelectMany(entries => entries);
    }

    private bool ReadsShared
        => _hasSharedRows && !_stateManager.Tenant.IsWorkingFor;

    private object?[] Shared(object?[] keyValues)
        => WithTenant(keyValues, _stateManager.Tenant.IdConverter.Default);

    private object?[] WithTenant(object?[] keyValues, object tenant)
        => [.. keyValues[.._tenantPosition], tenant, .. keyValues[_tenantPosition..]];
}
#pragma warning restore EF1001
