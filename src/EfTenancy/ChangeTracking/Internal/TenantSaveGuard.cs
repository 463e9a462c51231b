using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Update;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Looks at each entry of a save once, before anything is sent, and refuses rows of tenants that are not open.</summary>
public sealed class TenantSaveGuard(
    CurrentTenant tenant,
    TenantPropertyOfType tenantProperty,
    IDiagnosticsLogger<DbLoggerCategory.Update> logger)
{
    public void RefuseOtherTenants(IList<IUpdateEntry> entriesToSave)
    {
        foreach (var saved in entriesToSave)
        {
            var entry = saved;
            var property = tenantProperty.Find(entry.EntityType);
            if (property is null && entry.EntityType.IsMappedToJson())
            {
                entry = RowOf(entry) ?? entry;
                property = tenantProperty.Find(entry.EntityType);
            }

            if (property is null)
            {
                continue;
            }

            if (TenantNotOpen(entry, property, out var rowValue))
            {
                throw Refusal(entry, rowValue, TenancyStrings.CrossTenantWrite);
            }

            // Keys of ids only let it, and what references the row would reference another tenant's.
            if (entry.EntityState == EntityState.Modified && ChangesTenant(entry, property, out rowValue))
            {
                var newTenant = tenant.IdConverter.ToTenantIdOf(entry.GetCurrentValue(property));
                throw Refusal(entry, rowValue, (entity, table, rowTenant, _) => TenancyStrings.RowChangesTenant(entity, table, rowTenant, newTenant));
            }

            // Across tenants means those in one place; a row of any other would never be found by its tenant.
            if (tenant.IsAcrossTenants && tenant.IdConverter.ToTenantIdOf(entry.GetCurrentValue(property)) is { } tenantId)
            {
                tenant.Place?.RefuseElsewhere(tenantId);
            }
        }
    }

#pragma warning disable EF1001 // See TenancyStateManager; this is one step of its saves.
    private static InternalEntityEntry? RowOf(IUpdateEntry entry)
        => RowOfJson.Find((InternalEntityEntry)entry);
#pragma warning restore EF1001

    public UnknownTenantException ToUnknownTenant(MissingPartition missing, IReadOnlyList<EntityEntry> entries)
    {
        var exception = missing.ToUnknownTenant(TenantOf(entries), tenant.Context.Model);
        logger.UnknownTenantRefused(tenant.Context, exception);
        return exception;
    }

    // UPDATE and DELETE look for the original tenant, which an application can set apart from the current one.
    private bool TenantNotOpen(IUpdateEntry entry, IProperty property, out object? rowTenant)
    {
        rowTenant = entry.GetCurrentValue(property);
        if (!tenant.IsOpen(rowTenant))
        {
            return true;
        }

        if (entry.EntityState == EntityState.Added || !entry.CanHaveOriginalValue(property))
        {
            return false;
        }

        rowTenant = entry.GetOriginalValue(property);
        return !tenant.IsOpen(rowTenant);
    }

    private bool ChangesTenant(IUpdateEntry entry, IProperty property, out object? rowTenant)
    {
        rowTenant = entry.CanHaveOriginalValue(property) ? entry.GetOriginalValue(property) : entry.GetCurrentValue(property);
        return !Equals(tenant.IdConverter.ToStored(rowTenant), tenant.IdConverter.ToStored(entry.GetCurrentValue(property)));
    }

    private CrossTenantWriteException Refusal(
        IUpdateEntry entry,
        object? rowValue,
        Func<string, string, string?, string, string> messageOf)
    {
        var rowTenant = tenant.IdConverter.ToTenantIdOf(rowValue);
        var contextTenant = string.Join(", ", tenant.TenantIds);
        var entity = entry.EntityType.DisplayName();
        var message = messageOf(entity, entry.EntityType.GetSchemaQualifiedTableName() ?? entity, rowTenant, contextTenant);
        logger.CrossTenantWriteRefused(tenant.Context, rowTenant, message);
        return new CrossTenantWriteException(message, rowTenant, contextTenant);
    }

    // PostgreSQL does not tell which row of a batch it refused.
    private string? TenantOf(IReadOnlyList<EntityEntry> entries)
        => entries
            .Select(e => e.Metadata.FindTenantProperty() is { } property
                ? tenant.IdConverter.ToTenantIdOf(e.Property(property).CurrentValue)
                : null)
            .Distinct()
            .ToList() is [var one]
                ? one
                : null;
}
