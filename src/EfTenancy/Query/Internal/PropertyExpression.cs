using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Query.Internal;

/// <summary>What queries of our own are made of: mapped properties, shadow ones among them, and values to compare them with.</summary>
public static class PropertyExpression
{
    private static readonly MethodInfo Method
        = typeof(EF).GetMethod(nameof(EF.Property))!;

    public static MethodCallExpression Of(Expression entity, IReadOnlyProperty property)
        => Of(entity, property, property.ClrType);

    public static MethodCallExpression Of(Expression entity, IReadOnlyPropertyBase property, Type type)
        => Expression.Call(Method.MakeGenericMethod(type), entity, Expression.Constant(property.Name));

    public static BinaryExpression EqualTo(Expression entity, IReadOnlyProperty property, object value)
        => Expression.Equal(Of(entity, property), Variable(value, property.ClrType));

    // A field, so that EF takes the value for a variable and caches the query.
    public static UnaryExpression Variable(object value, Type type)
        => Expression.Convert(
            Expression.Field(Expression.Constant(new StrongBox<object>(value)), nameof(StrongBox<>.Value)), type);
}
