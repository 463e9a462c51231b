using System.Linq.Expressions;
using System.Runtime.CompilerServices;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>What composed queries are made of, whatever they read.</summary>
public static class QueryExpressions
{
    public static Expression Nullable(Expression e)
        => e.Type.IsValueType && System.Nullable.GetUnderlyingType(e.Type) is null
            ? Expression.Convert(e, typeof(Nullable<>).MakeGenericType(e.Type))
            : e;

    public static Expression Boxed(object? value, Type type)
    {
        var box = Activator.CreateInstance(typeof(StrongBox<>).MakeGenericType(type))!;
        box.GetType().GetField("Value")!.SetValue(box, value);
        return Expression.Field(Expression.Constant(box), "Value");
    }

    public static Expression Pair(Expression first, Expression second)
    {
        var type = new { First = 0, Second = 0 }.GetType().GetGenericTypeDefinition().MakeGenericType(first.Type, second.Type);
        return Expression.New(
            type.GetConstructors()[0], [first, second], type.GetProperty("First")!, type.GetProperty("Second")!);
    }

    public static Expression Call(string name, Expression source, Type[] types, params Expression[] arguments)
    {
        var isQueryable = source.Type.IsAssignableTo(typeof(IQueryable));
        return Expression.Call(
            isQueryable ? typeof(Queryable) : typeof(Enumerable),
            name,
            types is [] ? null : types,
            [source, .. arguments.Select(a => isQueryable && a is LambdaExpression ? Expression.Quote(a) : a)]);
    }

    public static bool IsScalar(Type type)
        => type == typeof(string) || type.IsValueType;

    public static bool IsCollection(Type type)
        => type != typeof(string) && type != typeof(Dictionary<string, object>) && type.IsAssignableTo(typeof(System.Collections.IEnumerable));

    public static Type ElementOf(Type collection)
        => collection.GetGenericArguments()[^1];
}
