using System.Globalization;
using System.Text;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace EfTenancy.Storage.Internal;

/// <summary>
///     Between tenant ids, which are strings wherever people write them, and the values that the tenant properties of a model hold:
///     strings, <see cref="Guid" />, <see cref="int" />, <see cref="long" />, or a type of the application's own over one of these.
/// </summary>
public sealed class TenantIdConverter
{
    private static readonly Dictionary<Type, IdFormat> Formats = new()
    {
        [typeof(string)] = new(TenancyDefaults.DefaultTenantId, id => id, value => (string)value),
        [typeof(Guid)] = new(Guid.Empty, id => Guid.TryParse(id, out var value) ? value : null, value => ((Guid)value).ToString("D")),
        [typeof(int)] = new(
            0,
            id => int.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null,
            value => ((int)value).ToString(CultureInfo.InvariantCulture)),
        [typeof(long)] = new(
            0L,
            id => long.TryParse(id, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) ? value : null,
            value => ((long)value).ToString(CultureInfo.InvariantCulture)),
    };

    private readonly Type _type;
    private readonly IdFormat _format;
    private readonly ValueConverter? _converter;
    private readonly object? _unset;
    private object? _default;

    private TenantIdConverter(Type type, Type storedType, ValueConverter? converter)
    {
        _type = type;
        StoredType = storedType;
        _format = Formats[storedType];
        _converter = converter;
        _unset = type.IsValueType ? Activator.CreateInstance(type) : null;
    }

    /// <summary>That of a model without multi-tenanted entities, too.</summary>
    public static TenantIdConverter OfStrings { get; } = new(typeof(string), typeof(string), null);

    public static TenantIdConverter Of(IModel model)
        => model.GetOrAddRuntimeAnnotationValue(
            TenancyAnnotationNames.TenantIdConverter, static m => Find(m!), model);

    /// <summary>The same without keeping it in the model: for one whose annotations may be written as code.</summary>
    public static TenantIdConverter Find(IModel model)
        => model.GetEntityTypes().Select(e => e.FindTenantProperty()).FirstOrDefault(p => p is not null) is { } property
            ? For(property)
            : OfStrings;

    public static TenantIdConverter For(IReadOnlyProperty property)
        => TryCreate(property.ClrType, property.GetValueConverter())
            ?? throw new InvalidOperationException(TenancyStrings.TenantPropertyTypeNotSupported(
                property.DeclaringType.DisplayName(), property.Name, property.ClrType.Name));

    public static TenantIdConverter? TryCreate(Type propertyType, ValueConverter? converter)
    {
        var type = Nullable.GetUnderlyingType(propertyType) ?? propertyType;
        return Formats.ContainsKey(type) ? type == typeof(string) ? OfStrings : new TenantIdConverter(type, type, null)
            : converter is not null && Formats.ContainsKey(converter.ProviderClrType)
                ? new TenantIdConverter(type, converter.ProviderClrType, converter)
                : null;
    }

    /// <summary>The type that the database gets.</summary>
    public Type StoredType { get; }

    /// <summary>The default tenant as a property holds it.</summary>
    public object Default
        => _default ??= ToValue(TenancyDefaults.DefaultTenantId);

    /// <summary>The default tenant as an SQL literal without its type, which PostgreSQL takes from the column.</summary>
    public string DefaultText
        => _format.Format(_format.Default);

    /// <summary>A tenant id as it comes in, in the one form that it has everywhere else.</summary>
    /// <exception cref="ArgumentException">The id does not fit the type of the model's tenant properties.</exception>
    public string Normalize(string tenantId, TenantIdStyle style, string parameterName)
    {
        var styled = StoredType == typeof(string) ? TenantIdRules.Normalize(tenantId, style) : tenantId;
        if (this == OfStrings || styled == TenancyDefaults.DefaultTenantId)
        {
            return styled;
        }

        var stored = _format.Parse(styled)
            ?? throw new ArgumentException(TenancyStrings.TenantIdHasOtherType(tenantId, StoredType.Name), parameterName);
        if (!Equals(ToStored(FromStored(stored)), stored))
        {
            throw new ArgumentException(TenancyStrings.TenantIdConverterChangesId(tenantId, _type.Name), parameterName);
        }

        return ToTenantId(stored);
    }

    /// <summary>The value of a property for a normalized tenant id.</summary>
    public object ToValue(string tenantId)
        => this == OfStrings ? tenantId
            : FromStored(tenantId == TenancyDefaults.DefaultTenantId ? _format.Default : _format.Parse(tenantId)!);

    /// <summary>The normalized tenant id of a property's value; null for no value.</summary>
    public string? ToTenantIdOf(object? value)
        => this == OfStrings ? (string?)value
            : ToStored(value) is { } stored ? ToTenantId(stored)
            : null;

    /// <summary>The tenant that the application gave, null if it gave none.</summary>
    public string? NamedBy(object? value)
        => IsUnset(value) ? null : ToTenantIdOf(value);

    /// <summary>What the database compares: two values are one tenant exactly if these are equal.</summary>
    public object? ToStored(object? value)
        => _converter is null ? value : _converter.ConvertToProvider(value);

    /// <summary>Whether the application gave no tenant: null, an empty string, or the zero of the type.</summary>
    public bool IsUnset(object? value)
        => value is null or "" || value.Equals(_unset);

    private object FromStored(object stored)
        => _converter is null ? stored : _converter.ConvertFromProvider(stored)!;

    private string ToTenantId(object stored)
        => stored.Equals(_format.Default) ? TenancyDefaults.DefaultTenantId : _format.Format(stored);

    /// <summary>Orders bounds of ranges as PostgreSQL orders the column: text in the collation C.</summary>
    public int Compare(string tenantId, string other)
        => StoredType == typeof(int) || StoredType == typeof(long)
            ? Comparer<object>.Default.Compare(_format.Parse(TextOf(tenantId)), _format.Parse(TextOf(other)))
            : Encoding.UTF8.GetBytes(TextOf(tenantId)).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(TextOf(other)));

    /// <summary>A normalized tenant id as the text of an SQL literal.</summary>
    public string TextOf(string tenantId)
        => tenantId == TenancyDefaults.DefaultTenantId ? DefaultText : tenantId;

    private sealed record IdFormat(object Default, Func<string, object?> Parse, Func<object, string> Format);
}
