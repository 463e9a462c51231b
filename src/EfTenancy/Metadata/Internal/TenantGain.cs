using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Metadata.Internal;

/// <summary>Whether all that happened to a key or a foreign key is that it got its tenant, which leaves nothing for EF to work out anew.</summary>
public static class TenantGain
{
    public static bool Of(IReadOnlyForeignKey foreignKey, IReadOnlyList<IReadOnlyProperty> before)
        => Of(foreignKey.DeclaringEntityType, foreignKey.Properties, before);

    public static bool Of(IReadOnlyKey? key, IReadOnlyKey? before)
        => key is not null && before is not null && Of(key.DeclaringEntityType, key.Properties, before.Properties);

    private static bool Of(IReadOnlyEntityType entityType, IReadOnlyList<IReadOnlyProperty> now, IReadOnlyList<IReadOnlyProperty> before)
        => now.Count == before.Count + 1
            && entityType.FindTenantProperty() is { } tenant
            && now.Contains(tenant)
            && before.All(p => p != tenant && now.Contains(p));
}
