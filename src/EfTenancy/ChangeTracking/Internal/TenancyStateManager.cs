using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Update;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Stage 4, save. Receives entities on their way into the change tracker and gives them their tenant; receives the entries
///     of a save and hands on only those of the context's _tenant.
/// </summary>
#pragma warning disable EF1001 // EF's Tracking event comes too late: a shadow key part must be there before EF looks at the key.
public class TenancyStateManager : StateManager
{
    private readonly CurrentTenant _tenant;

    public TenancyStateManager(StateManagerDependencies dependencies, CurrentTenant tenant, IDbContextOptions options)
        : base(dependencies)
    {
        _tenant = tenant;
        RefuseModelOfOtherOptions(options);
    }

    public virtual CurrentTenant Tenant
        => _tenant;

    // Under UseInternalServiceProvider EF caches one model for each context type, whatever the options say. With other policies, or
    // with tenancy after a context without, that model would have unfiltered entities. Each query and each save comes by here.
    private void RefuseModelOfOtherOptions(IDbContextOptions options)
    {
        if (options.FindExtension<CoreOptionsExtension>()?.InternalServiceProvider is not null
            && (string?)Model[TenancyAnnotationNames.ModelOptions]
                != options.FindExtension<TenancyOptionsExtension>()?.ModelOptions.Serialize())
        {
            throw new InvalidOperationException(TenancyStrings.SingletonOptionsChanged);
        }
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
            && entry.EntityType.FindTenantProperty() is { } property)
        {
            var given = (string?)entry[property];
            var tenantId = string.IsNullOrEmpty(given) ? _tenant.TenantIdOfNewWork : _tenant.Normalize(given, property.Name);
            if (tenantId != given)
            {
                entry[property] = tenantId;
            }
        }

        return entry;
    }

    public override void CascadeDelete(InternalEntityEntry entry, bool force, IEnumerable<IForeignKey>? foreignKeys = null)
    {
        foreach (var foreignKey in foreignKeys ?? entry.EntityType.GetReferencingForeignKeys())
        {
            if (entry.EntityState != EntityState.Detached && WouldNullTenant(foreignKey))
            {
                Sever(entry, foreignKey, force);
            }
            else
            {
                base.CascadeDelete(entry, force, [foreignKey]);
            }
        }
    }

    private static bool WouldNullTenant(IForeignKey foreignKey)
        => foreignKey.DeleteBehavior is not (DeleteBehavior.Cascade or DeleteBehavior.ClientCascade or DeleteBehavior.ClientNoAction)
            && foreignKey.Properties.Count > 1
            && foreignKey.DeclaringEntityType.FindTenantProperty() is { } tenantProperty
            && PropertiesNulledByEf(foreignKey).Contains(tenantProperty);

    // Those that no other foreign key shares: not the tenant, unless the entity has this one foreign key only.
    private static IReadOnlyList<IProperty> PropertiesNulledByEf(IForeignKey foreignKey)
    {
        foreignKey.GetPropertiesWithMinimalOverlapIfPossible(out var properties, out _);
        return properties;
    }

    private void Sever(InternalEntityEntry principal, IForeignKey foreignKey, bool force)
    {
        var tenantProperty = foreignKey.DeclaringEntityType.FindTenantProperty();
        var severed = PropertiesNulledByEf(foreignKey) is { Count: > 1 } properties ? properties : foreignKey.Properties;

        foreach (var dependent in (GetDependentsFromNavigation(principal, foreignKey) ?? GetDependents(principal, foreignKey))
                     .Cast<InternalEntityEntry>()
                     .ToList())
        {
            if (Context.ChangeTracker.AutoDetectChangesEnabled)
            {
                ChangeDetector.DetectChanges(dependent);
            }

            if (dependent.EntityState is EntityState.Deleted or EntityState.Detached
                || dependent.SharedIdentityEntry == principal
                || (dependent.EntityState != EntityState.Added && !References(dependent, principal, foreignKey)))
            {
                continue;
            }

            foreach (var property in severed.Where(p => p != tenantProperty))
            {
                dependent.SetProperty(property, null, isMaterialization: false, setModified: true, isCascadeDelete: true);
            }

            if (dependent.HasConceptualNull)
            {
                dependent.HandleConceptualNulls(SensitiveLoggingEnabled, force, isCascadeDelete: true);
            }
        }
    }

    private static bool References(InternalEntityEntry dependent, InternalEntityEntry principal, IForeignKey foreignKey)
        => foreignKey.Properties.Zip(foreignKey.PrincipalKey.Properties)
            .All(p => p.Second.GetKeyValueComparer().Equals(dependent[p.First], principal[p.Second]));

    protected override int SaveChanges(IList<IUpdateEntry> entriesToSave)
    {
        RefuseOtherTenants(entriesToSave);

        try
        {
            return base.SaveChanges(entriesToSave);
        }
        catch (DbUpdateException exception) when (MissingPartition.In(exception) is { } missing)
        {
            throw Logged(missing.ToUnknownTenant(TenantOf(exception.Entries)));
        }
    }

    protected override async Task<int> SaveChangesAsync(
        IList<IUpdateEntry> entriesToSave,
        CancellationToken cancellationToken = default)
    {
        RefuseOtherTenants(entriesToSave);

        try
        {
            return await base.SaveChangesAsync(entriesToSave, cancellationToken).ConfigureAwait(false);
        }
        catch (DbUpdateException exception) when (MissingPartition.In(exception) is { } missing)
        {
            throw Logged(missing.ToUnknownTenant(TenantOf(exception.Entries)));
        }
    }

    // UPDATE and DELETE look for the original tenant, which an application can set apart from the current one.
    private bool TenantNotOpen(IUpdateEntry entry, IProperty property, out string? rowTenant)
    {
        rowTenant = (string?)entry.GetCurrentValue(property);
        if (_tenant.IsOpen(rowTenant) && entry.EntityState != EntityState.Added && entry.CanHaveOriginalValue(property))
        {
            rowTenant = (string?)entry.GetOriginalValue(property);
        }

        return !_tenant.IsOpen(rowTenant);
    }

    private UnknownTenantException Logged(UnknownTenantException exception)
    {
        UpdateLogger.UnknownTenantRefused(Context, exception);
        return exception;
    }

    // PostgreSQL names the first row it refuses, but not which of a batch it was.
    private static string? TenantOf(IReadOnlyList<EntityEntry> entries)
        => entries.Select(e => e.Metadata.FindTenantProperty() is { } property ? (string?)e.Property(property).CurrentValue : null)
            .Distinct()
            .ToList() is [var one]
                ? one
                : null;

    private void RefuseOtherTenants(IList<IUpdateEntry> entriesToSave)
    {
        foreach (var entry in entriesToSave)
        {
            if (entry.EntityType.FindTenantProperty() is { } property && TenantNotOpen(entry, property, out var rowTenant))
            {
                var message = TenancyStrings.CrossTenantWrite(
                    entry.EntityType.DisplayName(),
                    entry.EntityType.GetSchemaQualifiedTableName() ?? entry.EntityType.DisplayName(),
                    rowTenant,
                    _tenant.TenantId);
                UpdateLogger.CrossTenantWriteRefused(Context, rowTenant, message);
                throw new CrossTenantWriteException(message, rowTenant, _tenant.TenantId);
            }
        }
    }
}
#pragma warning restore EF1001
