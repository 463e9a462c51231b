using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Stage 4, save. Receives entities on their way into the change tracker and gives them their tenant; receives the entries
///     of a save and hands on only those of the context's tenant.
/// </summary>
#pragma warning disable EF1001 // EF's Tracking event comes too late: a shadow key part must be there before EF looks at the key.
public class TenancyStateManager(StateManagerDependencies dependencies, CurrentTenant tenant) : StateManager(dependencies)
{
    public virtual CurrentTenant Tenant
        => tenant;

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
            var tenantId = string.IsNullOrEmpty(given) ? tenant.TenantIdOfNewWork : tenant.Normalize(given, property.Name);
            if (tenantId != given)
            {
                entry[property] = tenantId;
            }
        }

        return entry;
    }

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
            if (entry.EntityType.FindTenantProperty() is { } property
                && (string?)entry.GetCurrentValue(property) is var rowTenant
                && !tenant.IsOpen(rowTenant))
            {
                var message = TenancyStrings.CrossTenantWrite(
                    entry.EntityType.DisplayName(),
                    entry.EntityType.GetSchemaQualifiedTableName() ?? entry.EntityType.DisplayName(),
                    rowTenant,
                    tenant.TenantId);
                UpdateLogger.CrossTenantWriteRefused(Context, rowTenant, message);
                throw new CrossTenantWriteException(message, rowTenant, tenant.TenantId);
            }
        }
    }
}
#pragma warning restore EF1001
