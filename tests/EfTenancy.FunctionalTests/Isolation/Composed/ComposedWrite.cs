using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Xunit;
using static EfTenancy.FunctionalTests.Isolation.Composed.QueryExpressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>A bulk update, or where it has no setters a bulk delete, of rows that a composed predicate finds. It is rolled back.</summary>
public sealed class ComposedWrite : IComposedOperation
{
    private readonly Expression _rows;
    private readonly List<(LambdaExpression Property, LambdaExpression Value)> _setters = [];
    private readonly Type _element;
    private readonly bool _isOfSeveralTables;

    public ComposedWrite(QueryComposer composer, Random random)
    {
        IEntityType type;
        do
        {
            type = composer.AnyEntityType();
        }
        while (type.FindPrimaryKey() is null || type.IsAbstract());

        _element = type.ClrType;
        _isOfSeveralTables = type.GetMappingFragments().Any();
        var row = Expression.Parameter(_element, "w");
        _rows = Call("Where", composer.Set(type), [_element], Expression.Lambda(composer.Predicate(row, 3), row));
        if (random.Next(4) == 0)
        {
            _rows = Call("Take", composer.Ordered(new QueryComposer.Sequence(_rows, _element)), [_element], Expression.Constant(3));
        }

        if (random.Next(3) > 0)
        {
            var properties = type.GetProperties().Where(IsSettable).ToList();
            _setters.AddRange(properties.Where(_ => random.Next(2) == 0).Take(2).DefaultIfEmpty(properties[0]).Select(p => Setter(p, composer)));
        }
    }

    public string Run(BazaarContext db, SetReplacement sets, QueryAnswer answer)
    {
        using var transaction = db.Database.BeginTransaction();
        var others = OthersRows(db, answer);
        var written = (int)new Func<BazaarContext, SetReplacement, int>(Execute<object>).Method.GetGenericMethodDefinition()
            .MakeGenericMethod(_element).Invoke(this, [db, sets])!;

        Assert.Equal(others, OthersRows(db, answer));

        // Plain EF writes all rows of a table that the update reads nothing of.
        return _isOfSeveralTables ? "" : written + Rows(db, _ => true, answer);
    }

    public override string ToString()
        => _rows + string.Concat(_setters.Select(s => $" SET {s.Property} = {s.Value}"));

    private static string? OthersRows(BazaarContext db, QueryAnswer answer)
    {
        if (db.Model.FindEntityType(typeof(Note))!.FindProperty(TenancyDefaults.TenantPropertyName) is null)
        {
            return null;
        }

        // Shared rows have the last number.
        var own = db.Set<Party>().Min(p => p.Origin);
        using (db.Tenancy().AcrossTenants("to see that no other tenant's rows are written"))
        {
            return Rows(db, r => r.Origin != own, answer);
        }
    }

    private static string Rows(BazaarContext db, Expression<Func<Item, bool>> predicate, QueryAnswer answer)
    {
        return string.Concat(
            Of<Party>(), Of<Passport>(), Of<Vehicle>(), Of<Order>(), Of<OrderLine>(), Of<Product>(), Of<Shelf>(), Of<Review>(), Of<Note>());

        string Of<T>()
            where T : Item
            => answer.Of(db.Set<T>().AsNoTracking().Cast<Item>().Where(predicate).ToList(), false);
    }

    private static (LambdaExpression, LambdaExpression) Setter(IProperty property, QueryComposer composer)
    {
        var row = Expression.Parameter(property.DeclaringType.ClrType, "s");
        Expression target = property.IsIndexerProperty()
            ? Expression.Call(typeof(EF), nameof(EF.Property), [property.ClrType], row, Expression.Constant(property.Name))
            : Expression.Property(row, property.PropertyInfo!);
        var (type, otherwise) = property.ClrType == typeof(int) ? (typeof(int?), Expression.Constant(7)) : (typeof(string), Expression.Constant("none"));

        Expression value = Expression.Constant(null, type);
        for (var i = 0; i < 20 && (value is ConstantExpression || value.Type != type); i++)
        {
            value = composer.Scalar(row, 2);
        }

        return (
            Expression.Lambda(target, row),
            Expression.Lambda(value.Type == type ? Expression.Coalesce(value, otherwise) : otherwise, row));
    }

    // The tenant's number tells whose rows they are, to the end.
    private static bool IsSettable(IProperty property)
        => !property.IsShadowProperty()
            && !property.IsKey()
            && !property.IsForeignKey()
            && property.Name != nameof(Item.Origin)
            && (property.ClrType == typeof(int) || property.ClrType == typeof(string));

    private int Execute<T>(BazaarContext db, SetReplacement sets)
        where T : class
    {
        var rows = (IQueryable<T>)((IQueryable)db.Set<Note>()).Provider.CreateQuery(sets.Visit(_rows));
        rows = sets.Writer is { } writer ? rows.Where(r => EF.Property<int>(r, nameof(Item.Origin)) == writer) : rows;
        return _setters.Count == 0
            ? rows.ExecuteDelete()
            : rows.ExecuteUpdate(
                builder =>
                {
                    foreach (var (property, value) in _setters)
                    {
                        typeof(UpdateSettersBuilder<T>).GetMethods()
                            .Single(m => m.Name == nameof(builder.SetProperty) && m.GetParameters()[1].ParameterType.IsGenericType)
                            .MakeGenericMethod(property.ReturnType)
                            .Invoke(builder, [property, sets.Visit(value)]);
                    }
                });
    }
}
