using System.Collections;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>What a context tracks, without the tenant and without the ids that the database gives.</summary>
public static class TrackerText
{
    public static List<string> Of(BazaarContext db)
        => [.. Entries(db).Select(e => e.Text)];

    /// <summary>The entries in the order of their texts, without a look for changes, which would be one more step.</summary>
    public static List<(EntityEntry Entry, string Text)> Entries(BazaarContext db)
    {
        var detects = db.ChangeTracker.AutoDetectChangesEnabled;
        db.ChangeTracker.AutoDetectChangesEnabled = false;
        try
        {
            return [.. db.ChangeTracker.Entries().Select(e => (Entry: e, Text: Of(e))).OrderBy(e => e.Text, StringComparer.Ordinal)];
        }
        finally
        {
            db.ChangeTracker.AutoDetectChangesEnabled = detects;
        }
    }

    private static string Of(EntityEntry entry)
    {
        var modified = entry.Properties.Where(p => p.IsModified && IsShown(p.Metadata)).Select(p => p.Metadata.Name).Order(StringComparer.Ordinal);
        var navigations = entry.Navigations.Where(n => n.Metadata.PropertyInfo is not null)
            .Select(n => $"{n.Metadata.Name}{(n.IsLoaded ? "*" : "")}={Related(n.CurrentValue, n.Metadata.TargetEntityType)}");
        return $"{KeyOf(entry.Metadata, entry.Entity)} {entry.State}({string.Join(',', modified)}) {Values(entry.Metadata, entry.Entity)} {string.Join(' ', navigations)}";
    }

    private static string Related(object? value, IEntityType type)
        => value switch
        {
            null => "-",
            IEnumerable many and not IDictionary => $"[{string.Join(';', many.Cast<object>().Select(e => KeyOf(type, e)).Order(StringComparer.Ordinal))}]",
            _ => KeyOf(type, value),
        };

    public static string KeyOf(IEntityType type, object entity)
        => type.ShortName() + (type.IsOwned() || entity is Note
            ? "(" + Values(type, entity) + ")"
            : string.Concat(type.FindPrimaryKey()!.Properties.Where(IsShown).Select(p => " " + Text(Value(p, entity)))));

    private static string Values(ITypeBase type, object entity)
    {
        if (type is IEntityType entityType)
        {
            type = entityType.Model.FindEntityType(entity.GetType()) ?? entityType;
        }

        return string.Join(
            ',',
            type.GetProperties().Where(IsShown).OrderBy(p => p.Name, StringComparer.Ordinal).Select(p => Text(Value(p, entity)))
                .Concat(type.GetComplexProperties().Select(c => "{" + Values(c.ComplexType, c.PropertyInfo!.GetValue(entity)!) + "}")));
    }

    private static object? Value(IProperty property, object entity)
        => entity is Dictionary<string, object> row ? row[property.Name] : property.PropertyInfo!.GetValue(entity);

    private static bool IsShown(IProperty property)
        => (property.PropertyInfo is not null || property.IsIndexerProperty())
            && property.Name != TenancyDefaults.TenantPropertyName
            && !(property.IsPrimaryKey() && property.DeclaringType.ClrType == typeof(Note));

    private static string Text(object? value)
        => value switch
        {
            null => "-",
            PartyId id => "#" + id.Value,
            _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
        };
}
