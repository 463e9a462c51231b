using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>Refuses values that are none of a key's, as EF does, which would speak of a key with the tenant in it.</summary>
public static class KeyValueTypes
{
    /// <exception cref="ArgumentException">A value has another type than its property.</exception>
    public static void Check(Type entityType, IEnumerable<IReadOnlyProperty> key, IEnumerable<object?> values)
    {
        foreach (var (index, (property, value)) in key.Zip(values).Index())
        {
            if (!Fits(value, property))
            {
                throw new ArgumentException(
                    CoreStrings.FindValueTypeMismatch(
                        index, entityType.ShortDisplayName(), value!.GetType().ShortDisplayName(), property.ClrType.ShortDisplayName()));
            }
        }
    }

    /// <summary>Whether a property can hold a value, which every one does null.</summary>
    public static bool Fits(object? value, IReadOnlyProperty property)
        => value is null || (Nullable.GetUnderlyingType(property.ClrType) ?? property.ClrType).IsInstanceOfType(value);
}
