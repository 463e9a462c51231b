using System.Collections;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>Writes owned entities and complex values of a JSON column as EF's update pipeline does, which has entries where this has objects.</summary>
public static class BulkInsertJson
{
    /// <summary>The document; null for no object, which is NULL in the column.</summary>
    public static string? Serialize(IPropertyBase member, object? value)
    {
        if (value is null)
        {
            return null;
        }

        using var stream = new MemoryStream();
        using (var writer = new Utf8JsonWriter(stream))
        {
            Write(writer, member, value);
        }

        return Encoding.UTF8.GetString(stream.GetBuffer(), 0, (int)stream.Length);
    }

    private static void Write(Utf8JsonWriter writer, IPropertyBase member, object? value)
    {
        var type = member is INavigation navigation ? (ITypeBase)navigation.TargetEntityType : ((IComplexProperty)member).ComplexType;
        if (value is not null && member.IsCollection)
        {
            writer.WriteStartArray();
            foreach (var element in (IEnumerable)value)
            {
                WriteObject(writer, type, element);
            }

            writer.WriteEndArray();
        }
        else
        {
            WriteObject(writer, type, value);
        }
    }

    private static void WriteObject(Utf8JsonWriter writer, ITypeBase type, object? value)
    {
        if (value is null)
        {
            writer.WriteNullValue();
            return;
        }

        writer.WriteStartObject();
        foreach (var property in type.GetProperties().Where(p => !p.IsKey()))
        {
            writer.WritePropertyName(property.GetJsonPropertyName()!);
            WriteValue(writer, property, ValueOf(property, type, value));
        }

        foreach (var complex in type.GetComplexProperties())
        {
            writer.WritePropertyName(complex.GetJsonPropertyName()!);
            Write(writer, complex, complex.GetGetter().GetClrValue(value));
        }

        foreach (var navigation in (type as IEntityType)?.GetNavigations().Where(n => !n.IsOnDependent) ?? [])
        {
            writer.WritePropertyName(navigation.TargetEntityType.GetJsonPropertyName()!);
            Write(writer, navigation, navigation.GetGetter().GetClrValue(value));
        }

        writer.WriteEndObject();
    }

    private static object? ValueOf(IProperty property, ITypeBase type, object value)
        => !property.IsShadowProperty() ? property.GetGetter().GetClrValue(value)
            : property == type.FindDiscriminatorProperty() ? type.GetDiscriminatorValue()
            : property.Sentinel;

    private static void WriteValue(Utf8JsonWriter writer, IProperty property, object? value)
    {
        if (value is null)
        {
            writer.WriteNullValue();
        }
        else
        {
            (property.GetJsonValueReaderWriter() ?? property.GetTypeMapping().JsonValueReaderWriter)!.ToJson(writer, value);
        }
    }
}
