using System.Collections;
using System.Globalization;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>The text of an answer: values, entities with what is loaded of them, and objects that hold such.</summary>
/// <param name="model">Knows what an entity is; that of plain EF, so that the tenant is in no answer.</param>
public sealed class QueryAnswer(IModel model)
{
    private const int Depth = 3;

    public string Of(object? answer, bool isOrdered)
        => answer is IEnumerable rows and not string and not Dictionary<string, object> ? Rows(rows, isOrdered, Depth, []) : Text(answer, Depth, []);

    private string Rows(IEnumerable rows, bool isOrdered, int depth, List<object> path)
    {
        var texts = rows.Cast<object?>().Select(r => Text(r, depth, path)).ToList();
        if (!isOrdered)
        {
            texts.Sort(string.CompareOrdinal);
        }

        return "[" + string.Join("; ", texts) + "]";
    }

    private string Text(object? value, int depth, List<object> path)
        => value switch
        {
            null => "-",
            string or bool => value.ToString()!,
            PartyId id => "#" + id.Value,
            IDictionary<string, object> row => "{" + string.Join(",", row.Where(v => v.Key != "TenantId").OrderBy(v => v.Key).Select(v => v.Value)) + "}",
            IFormattable number => number.ToString(null, CultureInfo.InvariantCulture),
            IEnumerable rows => Rows(rows, false, depth, path),
            _ when model.FindEntityType(value.GetType()) is { } type => Entity(value, type, depth, path),
            _ when model.FindEntityTypes(value.GetType()).FirstOrDefault() is { } type => Entity(value, type, depth, path),
            _ => "{" + string.Join(", ", value.GetType().GetProperties().Select(p => Text(p.GetValue(value), depth, path))) + "}",
        };

    private string Entity(object entity, IEntityType type, int depth, List<object> path)
    {
        var key = string.Join(
            ",", type.GetProperties().Where(p => !p.IsShadowProperty() && !(p.IsPrimaryKey() && type.ClrType == typeof(Note))).Select(p => Text(p.PropertyInfo!.GetValue(entity), 0, [])));
        if (depth == 0 || path.Contains(entity))
        {
            return $"{type.ShortName()}({key})";
        }

        path = [.. path, entity];
        var complex = type.GetComplexProperties().Select(c => Text(c.PropertyInfo!.GetValue(entity), 0, path));
        var loaded = type.GetNavigations().Concat<INavigationBase>(type.GetSkipNavigations()).Where(n => n.PropertyInfo is not null)
            .Select(n => (n.Name, Value: n.PropertyInfo!.GetValue(entity)))
            .Where(n => n.Value is not null and not ICollection { Count: 0 })
            .Select(n => n.Name + "=" + Text(n.Value, depth - 1, path));
        return $"{type.ShortName()}({key} {string.Join(" ", complex.Concat(loaded))})";
    }
}
