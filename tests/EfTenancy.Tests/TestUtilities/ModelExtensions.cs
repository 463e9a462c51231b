using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Tests.TestUtilities;

public static class ModelExtensions
{
    public static IEntityType Type<TEntity>(this IReadOnlyModel model)
        => (IEntityType)model.GetEntityTypes().Single(e => e.ClrType == typeof(TEntity));

    /// <summary>Whether the finished model keeps the rows of this entity apart by tenant.</summary>
    public static bool HasTenant<TEntity>(this IReadOnlyModel model)
        => model.Type<TEntity>().FindProperty(TenancyDefaults.TenantPropertyName) is { IsNullable: false }
            && model.Type<TEntity>().GetRootType().FindDeclaredQueryFilter(TenancyDefaults.QueryFilterName) is not null;

    /// <summary>The properties' names, as in <c>TenantId, Id</c>.</summary>
    public static string Names(this IEnumerable<IReadOnlyProperty> properties)
        => string.Join(", ", properties.Select(p => p.Name));

    /// <summary>The foreign keys that an entity declares, as in <c>TenantId, BlogId -> Blog(TenantId, Id)</c>.</summary>
    public static IEnumerable<string> ForeignKeys(this IReadOnlyEntityType entityType)
        => entityType.GetDeclaredForeignKeys()
            .Select(fk => $"{fk.Properties.Names()} -> {fk.PrincipalEntityType.ShortName()}({fk.PrincipalKey.Properties.Names()})")
            .Order();
}
