using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Metadata.Internal;

/// <summary>The foreign keys that conventions look at, and whose tenant it is that they are to hold.</summary>
public static class TenantForeignKeys
{
    public static IEnumerable<IMutableForeignKey> Of(IMutableModel model)
        => model.GetEntityTypes().SelectMany(Of);

    // What is in JSON without a tenant of its own does not leave its row.
    public static IEnumerable<IMutableForeignKey> Of(IMutableEntityType entityType)
        => entityType.IsMappedToJson() && entityType.FindTenantProperty() is null ? [] : entityType.GetDeclaredForeignKeys();

    public static IMutableProperty TenantOfDependent(IMutableForeignKey foreignKey)
        => foreignKey.DeclaringEntityType.FindTenantProperty()
            ?? throw new InvalidOperationException(TenancyStrings.SingleTenantedReferencesMultiTenanted(
                foreignKey.DeclaringEntityType.DisplayName(),
                foreignKey.PrincipalEntityType.DisplayName(),
                "{" + string.Join(", ", foreignKey.Properties.Select(p => p.Name)) + "}"));
}
