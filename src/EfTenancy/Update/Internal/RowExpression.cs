using System.Linq.Expressions;
using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>The small expressions that reading a row is made of.</summary>
public static class RowExpression
{
    public static readonly MethodInfo GetClrValueMethod = typeof(IClrPropertyGetter).GetMethod(nameof(IClrPropertyGetter.GetClrValue))!;

    public static bool CanBeNull(Type type)
        => !type.IsValueType || Nullable.GetUnderlyingType(type) is not null;

    public static Expression IsNotNull(Expression value)
        => !value.Type.IsValueType ? Expression.ReferenceNotEqual(value, Expression.Constant(null, value.Type))
            : CanBeNull(value.Type) ? Expression.Property(value, nameof(Nullable<>.HasValue))
            : Expression.Constant(true);

    /// <summary>The member that EF reads: by default the field, so that nothing is loaded lazily.</summary>
    public static Expression Read(Expression instance, IPropertyBase property)
    {
        if (Nullable.GetUnderlyingType(instance.Type) is { } underlying)
        {
            instance = Expression.Convert(instance, underlying);
        }

        if (property.IsIndexerProperty())
        {
            var value = Expression.Call(
                Expression.Constant(property.GetGetter()), GetClrValueMethod, Expression.Convert(instance, typeof(object)));
            return As(Expression.Coalesce(value, Expression.Convert(Expression.Default(property.ClrType), typeof(object))), property.ClrType);
        }

        var member = property.GetMemberInfo(forMaterialization: false, forSet: false);
        return Expression.MakeMemberAccess(As(instance, member.DeclaringType!), member);
    }

    /// <summary>The value as another type; of a nullable one that is not to be null, its default.</summary>
    public static Expression As(Expression value, Type type)
        => value.Type == type ? value
            : Nullable.GetUnderlyingType(value.Type) == type
                ? Expression.Call(value, value.Type.GetMethod(nameof(Nullable<>.GetValueOrDefault), [])!)
            : Expression.Convert(value, type);

    /// <summary>Whether EF takes the value, as the member holds it, for one that the application set.</summary>
    public static Expression IsNotSentinel(Expression value, IProperty property)
    {
        var comparer = typeof(EqualityComparer<>).MakeGenericType(value.Type);
        return property.Sentinel is null
            ? IsNotNull(value)
            : Expression.Not(
                Expression.Call(
                    Expression.Property(null, comparer, nameof(EqualityComparer<>.Default)),
                    comparer.GetMethod(nameof(EqualityComparer<>.Equals), [value.Type, value.Type])!,
                    value,
                    As(Expression.Constant(property.Sentinel), value.Type)));
    }

    public static Expression Throw(string message, Type type)
        => Expression.Throw(
            Expression.New(
                typeof(InvalidOperationException).GetConstructor([typeof(string)])!, Expression.Constant(message)),
            type);
}
