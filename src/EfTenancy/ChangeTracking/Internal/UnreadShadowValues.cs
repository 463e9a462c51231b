using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Discriminators of optional complex types, which EF's queries do not read. EF takes them for nulls where the entity has another shadow
///     property, as the tenant is, so that <c>Update</c> would save the nulls and lose the complex value; without one it leaves them alone.
/// </summary>
#pragma warning disable EF1001 // Only the entry keeps what is not known of it.
public static class UnreadShadowValues
{
    public static void MarkUnknown(InternalEntityEntry entry)
    {
        if (!Exist(entry.StateManager.Model))
        {
            return;
        }

        foreach (var property in ((IEntityType)entry.EntityType).GetFlattenedProperties())
        {
            if (IsUnread(property)
                && entry[property] is null
                && entry[((IComplexType)property.DeclaringType).ComplexProperty] is not null)
            {
                entry.MarkUnknown(property);
            }
        }
    }

    private static bool Exist(IModel model)
        => model.GetOrAddRuntimeAnnotationValue(
            TenancyAnnotationNames.HasUnreadShadowValues,
            static m => m!.GetEntityTypes().SelectMany(e => e.GetFlattenedProperties()).Any(IsUnread),
            model);

    private static bool IsUnread(IProperty property)
        => property.IsShadowProperty() && property.DeclaringType is IComplexType;
}
#pragma warning restore EF1001
