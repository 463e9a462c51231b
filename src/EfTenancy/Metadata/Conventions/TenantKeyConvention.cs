using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;

namespace EfTenancy.Metadata.Conventions;

/// <summary>
///     Brings the tenant into keys, and into the foreign keys that reference them, so that the database itself refuses a reference
///     into another tenant's rows. Under <see cref="TenantKeyStyle.IdOnly" /> it makes the tenant a concurrency token instead.
/// </summary>
public class TenantKeyConvention(TenantKeyStyle style) : IModelFinalizingConvention
{
    public virtual void ProcessModelFinalizing(
        IConventionModelBuilder modelBuilder,
        IConventionContext<IConventionModelBuilder> context)
    {
        var model = (IMutableModel)modelBuilder.Metadata;

        if (style == TenantKeyStyle.IdOnly)
        {
            LookForTenantInUpdates(model);
        }
        else
        {
            PutTenantIntoKeys(model);
        }

        foreach (var foreignKey in TenantForeignKeys.Of(model).ToList())
        {
            RestrictDeletionOfGlobalRow(foreignKey);
        }
    }

    private void PutTenantIntoKeys(IMutableModel model)
    {
        // All longer keys first: a foreign key must find the key that it is to reference.
        var replacements = new List<(IMutableKey Old, IMutableKey New)>();
        foreach (var entityType in model.GetEntityTypes().ToList())
        {
            if (entityType.BaseType is null && entityType.FindTenantProperty() is { } tenant)
            {
                foreach (var key in entityType.GetDeclaredKeys().Where(k => !k.Properties.Contains(tenant)).ToList())
                {
                    replacements.Add((key, AddTenantKey(entityType, tenant, key)));
                }
            }
        }

        foreach (var (oldKey, newKey) in replacements)
        {
            foreach (var foreignKey in oldKey.GetReferencingForeignKeys().ToList())
            {
                AddTenant(foreignKey, newKey);
            }
        }

        foreach (var (oldKey, _) in replacements)
        {
            oldKey.DeclaringEntityType.RemoveKey(oldKey.Properties);
        }
    }

    private static void LookForTenantInUpdates(IMutableModel model)
    {
        model.SetKeysAreIdsOnly();

        foreach (var entityType in model.GetEntityTypes())
        {
            if (entityType.BaseType is null && entityType.FindTenantProperty() is { } tenant)
            {
                tenant.IsConcurrencyToken = true;
            }

            foreach (var foreignKey in TenantForeignKeys.Of(entityType))
            {
                if (foreignKey.PrincipalEntityType.FindTenantProperty() is not null)
                {
                    TenantForeignKeys.TenantOfDependent(foreignKey);
                }
            }
        }
    }

    private static List<IMutableProperty> WithTenant(IEnumerable<IMutableProperty> properties, IMutableProperty tenant, int position)
    {
        var longer = properties.ToList();
        longer.Insert(position, tenant);
        return longer;
    }

    // EF reads the key of an element of JSON as that of the row, and behind it the places in arrays.
    private int PositionOfTenant(IMutableKey key)
    {
        if (style != TenantKeyStyle.IdThenTenant)
        {
            return 0;
        }

        var row = key.DeclaringEntityType;
        while (row.IsMappedToJson())
        {
            row = row.FindOwnership()!.PrincipalEntityType;
        }

        return row == key.DeclaringEntityType
            ? key.Properties.Count
            : row.FindPrimaryKey()!.Properties.Count(p => p != row.FindTenantProperty());
    }

    // Nobody said that deleting a global row deletes or changes the rows of all tenants that reference it.
    private static void RestrictDeletionOfGlobalRow(IMutableForeignKey foreignKey)
    {
        if (foreignKey.DeclaringEntityType.FindTenantProperty() is not null
            && foreignKey.PrincipalEntityType.FindTenantProperty() is null
            && foreignKey is { IsOwnership: false, DeleteBehavior: DeleteBehavior.Cascade }
            && ((IConventionForeignKey)foreignKey).GetDeleteBehaviorConfigurationSource() is ConfigurationSource.Convention or null)
        {
            foreignKey.DeleteBehavior = DeleteBehavior.Restrict;
        }
    }

    private IMutableKey AddTenantKey(IMutableEntityType entityType, IMutableProperty tenant, IMutableKey key)
    {
        // EF takes a value of a composite key for the application's own and stops generating it.
        var valueGenerated = key.Properties.Select(p => p.ValueGenerated).ToList();

        var properties = WithTenant(key.Properties, tenant, PositionOfTenant(key));
        var newKey = key.IsPrimaryKey()
            ? entityType.SetPrimaryKey(properties)!
            : entityType.AddKey(properties)!;

        // Names, clustering and whatever else was configured.
        foreach (var annotation in key.GetAnnotations())
        {
            newKey.SetAnnotation(annotation.Name, annotation.Value);
        }

        for (var i = 0; i < valueGenerated.Count; i++)
        {
            key.Properties[i].ValueGenerated = valueGenerated[i];
        }

        return newKey;
    }

    private static void AddTenant(IMutableForeignKey foreignKey, IMutableKey newKey)
    {
        var tenant = TenantForeignKeys.TenantOfDependent(foreignKey);

        // The tenants' own table, most likely.
        if (foreignKey.Properties.Contains(tenant))
        {
            throw new InvalidOperationException(TenancyStrings.TenantReferencesMultiTenanted(
                foreignKey.DeclaringEntityType.DisplayName(), tenant.Name, foreignKey.PrincipalEntityType.DisplayName()));
        }

        var isRequired = foreignKey.IsRequired;
        foreignKey.SetProperties(
            WithTenant(foreignKey.Properties, tenant, newKey.Properties.ToList().IndexOf(newKey.DeclaringEntityType.FindTenantProperty()!)),
            newKey);
        foreignKey.IsRequired = isRequired;
    }
}
