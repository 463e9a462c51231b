using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Query.Internal;

/// <summary>Primary keys with the tenant in them, by the classes that a query speaks of.</summary>
public sealed class TenantKeys(IModel model)
{
    public IKey? Of(Type type)
        => model.FindEntityType(type) is { } entityType
            ? Of(entityType)
            : OfShared(model.FindEntityTypes(type).Select(Of).ToList());

    /// <summary>One whose tenant, and nothing else, is not on the application's objects.</summary>
    public IKey? OfShadowTenant(Type type)
        => Of(type) is { } key
            && key.DeclaringEntityType.FindTenantProperty() is { } tenant
            && tenant.IsShadowProperty()
            && key.Properties.All(p => p == tenant || !p.IsShadowProperty())
                ? key
                : null;

    public static IProperty? IdOf(IKey? key)
        => key is { Properties: [var first, var second] } && key.DeclaringEntityType.FindTenantProperty() is { } tenant
            ? first == tenant ? second : first
            : null;

    private static IKey? Of(IEntityType entityType)
        => entityType.FindTenantProperty() is { } tenant
            && entityType.FindPrimaryKey() is { } key
            && key.Properties.Contains(tenant)
                ? key
                : null;

    // Names, types and the tenants it is read of are all that is taken of it.
    private static IKey? OfShared(IReadOnlyList<IKey?> keys)
        => keys is [{ } first, ..]
            && keys.All(
                k => k is not null
                    && k.DeclaringEntityType.HasSharedRows() == first.DeclaringEntityType.HasSharedRows()
                    && k.DeclaringEntityType.FindTenantProperty()!.Name == first.DeclaringEntityType.FindTenantProperty()!.Name
                    && k.Properties.Select(p => (p.Name, p.ClrType)).SequenceEqual(first.Properties.Select(p => (p.Name, p.ClrType))))
                ? first
                : null;
}
