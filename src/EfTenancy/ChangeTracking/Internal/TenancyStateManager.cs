using EfTenancy.Administration.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Stage 4, save. Receives entities on their way into the change tracker and gives them their tenant; receives the entries
///     of a save and hands on only those of the context's tenant.
/// </summary>
#pragma warning disable EF1001 // EF's Tracking event comes too late: a shadow key part must be there before EF looks at the key.
public class TenancyStateManager : StateManager
{
    private readonly CurrentTenant _tenant;
    private readonly TenantPropertyOfType _tenantProperty = new();
    private readonly TenantSaveGuard _guard;
    private readonly TenantForeignKeySeverer _severer;

    // What foreign keys do elsewhere: null unless keys are ids only.
    private readonly TenantReferenceGuard? _referenceGuard;
    private readonly TenantOfLink? _tenantOfLink;
    private readonly IDbContextOptions _options;
    private InternalEntityEntry? _lastWithoutTenant;

    public TenancyStateManager(StateManagerDependencies dependencies, CurrentTenant tenant, IDbContextOptions options)
        : base(dependencies)
    {
        _tenant = tenant;
        _guard = new TenantSaveGuard(tenant, _tenantProperty, UpdateLogger);
        _severer = new TenantForeignKeySeverer(this);
        _options = options;
        RefuseModelOfOtherOptions(options);
        if (Model.KeysAreIdsOnly())
        {
            _referenceGuard = new TenantReferenceGuard(this, tenant, UpdateLogger);
            _tenantOfLink = new TenantOfLink(this, tenant);
        }

        if (TenantTablesOfModel.RegistrySchemaOf(Model) is { } registrySchema)
        {
            tenant.FollowRegistry(registrySchema);
        }
    }

    public CurrentTenant Tenant
        => _tenant;

    /// <summary>Whether an entry got the context's tenant just now, for want of one: what it was reached from may know better.</summary>
    public bool HadNoTenant(InternalEntityEntry entry)
        => entry == _lastWithoutTenant;

    /// <summary>An empty one for the same context.</summary>
    public virtual TenancyStateManager CreateAnother()
        => new(Dependencies, _tenant, _options);

    // Under UseInternalServiceProvider and UseMemoryCache EF keeps one model for each context type, whatever the options say. With other
    // policies, or with tenancy after a context without, that model would have unfiltered entities; and so would one that was given with
    // UseModel or came from a service of the application's. Each query and each save comes by here.
    private void RefuseModelOfOtherOptions(IDbContextOptions options)
    {
        if ((string?)Model[TenancyAnnotationNames.ModelOptions] != options.FindExtension<TenancyOptionsExtension>()?.ModelOptionsText)
        {
            throw new InvalidOperationException(
                options.FindExtension<CoreOptionsExtension>()?.InternalServiceProvider is not null
                    ? TenancyStrings.SingletonOptionsChanged
                    : TenancyStrings.ModelOfOtherOptions(Context.GetType().Name));
        }
    }

    // EF keeps a list of services to reset, and looks at each when a pooled context is returned.
    public override void ResetState()
    {
        _tenant.ResetState();
        _lastWithoutTenant = null;
        base.ResetState();
    }

    public override InternalEntityEntry GetOrCreateEntry(object entity)
        => Stamp(base.GetOrCreateEntry(entity));

    public override InternalEntityEntry GetOrCreateEntry(object entity, IEntityType? entityType)
        => Stamp(base.GetOrCreateEntry(entity, entityType));

    public override InternalEntityEntry CreateEntry(IDictionary<string, object?> values, IEntityType entityType)
        => Stamp(base.CreateEntry(values, entityType));

    private InternalEntityEntry Stamp(InternalEntityEntry entry)
    {
        if (entry.EntityState == EntityState.Detached
            && _tenantProperty.Find(entry.EntityType) is { } property)
        {
            var given = entry[property];
            var isUnset = _tenant.IdConverter.IsUnset(given);
            var tenant = isUnset || IsOnlySeenBefore(property)
                ? _tenant.ValueOfNewWork
                : _tenant.Normalize(given!, property.Name);
            _lastWithoutTenant = isUnset && _tenant.MayHoldOthers ? entry : null;
            // EF takes the default tenant's number or Guid for no value until it is set.
            if (!tenant.Equals(given) || entry.IsUnknown(property))
            {
                entry[property] = tenant;
            }
        }

        return entry;
    }

    public override InternalEntityEntry StartTracking(InternalEntityEntry entry)
    {
        _tenantOfLink?.Inherit(entry);
        return base.StartTracking(entry);
    }

    public override void ChangingState(InternalEntityEntry entry, EntityState newState)
    {
        if (newState == EntityState.Modified)
        {
            UnreadShadowValues.MarkUnknown(entry);
        }

        base.ChangingState(entry, newState);
    }

    // Whoever looked at an object's entry made it one of the context's tenant; then another tenant was named for it.
    private bool IsOnlySeenBefore(IProperty tenantProperty)
        => _tenant.IsWorkingFor && tenantProperty.IsShadowProperty();

    public override void CascadeDelete(InternalEntityEntry entry, bool force, IEnumerable<IForeignKey>? foreignKeys = null)
    {
        foreach (var foreignKey in foreignKeys ?? entry.EntityType.GetReferencingForeignKeys())
        {
            if (entry.EntityState != EntityState.Detached && TenantForeignKeySeverer.WouldEfNullTenant(foreignKey))
            {
                _severer.Sever(entry, foreignKey, force);
            }
            else
            {
                base.CascadeDelete(entry, force, [foreignKey]);
            }
        }
    }

    // EF wraps what comes out of a command; a later result of a batch comes past it.
    private static TenantDatabaseException? MeaningOf(DbUpdateException exception)
        => exception.InnerException as TenantDatabaseException
            ?? (exception.InnerException is { } inner && exception.Entries is [var entry, ..]
                ? (entry.Context.GetService<IRelationalConnection>() as TenancyRelationalConnection)?.MeaningOf(inner)
                : null);

    protected override int SaveChanges(IList<IUpdateEntry> entriesToSave)
    {
        _guard.RefuseOtherTenants(entriesToSave);
        _referenceGuard?.RefuseOtherTenants(entriesToSave);

        try
        {
            return base.SaveChanges(entriesToSave);
        }
        catch (DbUpdateException exception) when (MissingPartition.In(exception) is { } missing)
        {
            throw _guard.ToUnknownTenant(missing, exception.Entries);
        }
        catch (DbUpdateException exception) when (MeaningOf(exception) is { } failure)
        {
            throw failure;
        }
    }

    protected override async Task<int> SaveChangesAsync(
        IList<IUpdateEntry> entriesToSave,
        CancellationToken cancellationToken = default)
    {
        // EF asks the connection where it leads before it opens it.
        if (_tenant.Place is { } place)
        {
            await place.FindAsync(cancellationToken).ConfigureAwait(false);
        }

        _guard.RefuseOtherTenants(entriesToSave);
        if (_referenceGuard is not null)
        {
            await _referenceGuard.RefuseOtherTenantsAsync(entriesToSave, cancellationToken).ConfigureAwait(false);
        }

        try
        {
            return await base.SaveChangesAsync(entriesToSave, cancellationToken).ConfigureAwait(false);
        }
        catch (DbUpdateException exception) when (MissingPartition.In(exception) is { } missing)
        {
            throw _guard.ToUnknownTenant(missing, exception.Entries);
        }
        catch (DbUpdateException exception) when (MeaningOf(exception) is { } failure)
        {
            throw failure;
        }
    }
}
#pragma warning restore EF1001
