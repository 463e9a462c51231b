using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query.SqlExpressions;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Refuses an <c>ExecuteUpdate</c> that sets the tenant: it would give rows to another tenant, past the guard of a save. Looks at the
///     columns, since a projection may call the tenant whatever it likes.
/// </summary>
public static class TenantUpdateGuard
{
    public static void Refuse(UpdateExpression update, IModel model)
    {
        var keysAreIdsOnly = model.KeysAreIdsOnly();
        foreach (var property in update.ColumnValueSetters
                     .SelectMany(s => update.Table.Table.FindColumn(s.Column.Name)?.PropertyMappings ?? [])
                     .Select(m => m.Property))
        {
            if (property.DeclaringType is not IEntityType entityType)
            {
                continue;
            }

            if (entityType.FindTenantProperty()?.Name == property.Name)
            {
                throw new InvalidOperationException(TenancyStrings.ExecuteUpdateSetsTenant(entityType.DisplayName(), property.Name));
            }

            if (keysAreIdsOnly
                && property.GetContainingForeignKeys().FirstOrDefault(fk => fk.PrincipalEntityType.FindTenantProperty() is not null) is { } reference)
            {
                throw new InvalidOperationException(TenancyStrings.ExecuteUpdateSetsReference(
                    entityType.DisplayName(), property.Name, reference.PrincipalEntityType.DisplayName()));
            }
        }
    }
}
