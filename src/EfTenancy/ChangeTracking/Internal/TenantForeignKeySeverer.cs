using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Internal;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Severs tracked dependents from a deleted principal and leaves them their tenant. EF would null every column of the foreign key,
///     and refuse since the tenant is part of a key.
/// </summary>
#pragma warning disable EF1001 // See TenancyStateManager; this is one step of its CascadeDelete.
public sealed class TenantForeignKeySeverer(StateManager stateManager)
{
    public static bool WouldEfNullTenant(IForeignKey foreignKey)
        => foreignKey.DeleteBehavior is not (DeleteBehavior.Cascade or DeleteBehavior.ClientCascade or DeleteBehavior.ClientNoAction)
            && foreignKey.Properties.Count > 1
            && foreignKey.DeclaringEntityType.FindTenantProperty() is { } tenantProperty
            && PropertiesNulledByEf(foreignKey).Contains(tenantProperty);

    public void Sever(InternalEntityEntry principal, IForeignKey foreignKey, bool force)
    {
        var tenantProperty = foreignKey.DeclaringEntityType.FindTenantProperty();
        var severed = PropertiesNulledByEf(foreignKey) is { Count: > 1 } properties ? properties : foreignKey.Properties;

        foreach (var dependent in
                 (stateManager.GetDependentsFromNavigation(principal, foreignKey) ?? stateManager.GetDependents(principal, foreignKey))
                 .Cast<InternalEntityEntry>()
                 .ToList())
        {
            if (stateManager.Context.ChangeTracker.AutoDetectChangesEnabled)
            {
                stateManager.ChangeDetector.DetectChanges(dependent);
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
                dependent.HandleConceptualNulls(stateManager.SensitiveLoggingEnabled, force, isCascadeDelete: true);
            }
        }
    }

    // Those that no other foreign key shares: not the tenant, unless the entity has this one foreign key only.
    private static IReadOnlyList<IProperty> PropertiesNulledByEf(IForeignKey foreignKey)
    {
        foreignKey.GetPropertiesWithMinimalOverlapIfPossible(out var properties, out _);
        return properties;
    }

    private static bool References(InternalEntityEntry dependent, InternalEntityEntry principal, IForeignKey foreignKey)
        => foreignKey.Properties.Zip(foreignKey.PrincipalKey.Properties)
            .All(p => p.Second.GetKeyValueComparer().Equals(dependent[p.First], principal[p.Second]));
}
#pragma warning restore EF1001
