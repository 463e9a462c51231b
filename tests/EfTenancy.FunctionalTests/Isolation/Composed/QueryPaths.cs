using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using static EfTenancy.FunctionalTests.Isolation.Composed.QueryExpressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Where an element of a composed query leads to: an entity, a value, or an object that holds such.</summary>
public sealed class QueryPaths(IModel model, Random random)
{
    public IEntityType? EntityTypeOf(Type type)
        => model.FindEntityType(type) ?? model.FindEntityTypes(type).FirstOrDefault();

    public bool HasCollection(Type type)
        => !IsScalar(type) && EntityTypeOf(type) is null && type.GetProperties().Any(p => IsCollection(p.PropertyType) || HasCollection(p.PropertyType));

    /// <summary>What tells elements apart; those that it does not are the same.</summary>
    public IEnumerable<Expression> Identity(Expression e)
    {
        if (IsScalar(e.Type))
        {
            return [Nullable(e)];
        }

        if (EntityTypeOf(e.Type) is { } type)
        {
            return type.IsOwned()
                ? type.GetProperties().Where(p => !p.IsShadowProperty()).Select(p => Nullable(Property(e, p)))
                : (type.FindPrimaryKey()?.Properties ?? type.GetProperties()).Select(p => Nullable(Property(e, p)));
        }

        return e.Type.GetProperties().Where(p => !IsCollection(p.PropertyType)).SelectMany(p => Identity(Expression.Property(e, p)));
    }

    /// <summary>Values that an element leads to.</summary>
    public IEnumerable<Expression> Scalars(Expression e, int depth)
    {
        if (IsScalar(e.Type))
        {
            return [Nullable(e)];
        }

        if (EntityTypeOf(e.Type) is { } type)
        {
            return OfEntity(e, type, depth);
        }

        return e.Type.GetProperties().Where(p => !IsCollection(p.PropertyType)).SelectMany(p => Scalars(Expression.Property(e, p), depth));
    }

    private IEnumerable<Expression> OfEntity(Expression e, IEntityType type, int depth)
    {
        foreach (var property in type.GetProperties().Where(p => !IsHidden(p)))
        {
            yield return Nullable(Property(e, property));
        }

        foreach (var complex in type.GetComplexProperties())
        {
            foreach (var property in complex.ComplexType.GetProperties())
            {
                yield return Nullable(Expression.Property(Expression.Property(e, complex.PropertyInfo!), property.PropertyInfo!));
            }
        }

        foreach (var derived in type.GetDerivedTypes())
        {
            foreach (var property in derived.GetDeclaredProperties().Where(p => !IsHidden(p)))
            {
                yield return Nullable(Property(Expression.TypeAs(e, derived.ClrType), property));
            }
        }

        if (depth > 0)
        {
            foreach (var navigation in Navigations(e).Where(n => !IsCollection(n.Type)))
            {
                foreach (var scalar in OfEntity(navigation, EntityTypeOf(navigation.Type)!, depth - 1))
                {
                    yield return scalar;
                }
            }
        }
    }

    private static bool IsHidden(IReadOnlyProperty property)
        => property.IsShadowProperty() || (property.IsPrimaryKey() && property.DeclaringType.ClrType == typeof(Note));

    public IEnumerable<Expression> Navigations(Expression e)
    {
        if (EntityTypeOf(e.Type) is not { } type)
        {
            yield break;
        }

        foreach (var navigation in type.GetNavigations().Concat<INavigationBase>(type.GetSkipNavigations()).Where(n => n.PropertyInfo is not null))
        {
            yield return Expression.Property(e, navigation.PropertyInfo!);
        }

        foreach (var derived in type.GetDerivedTypes())
        {
            foreach (var navigation in derived.GetDeclaredNavigations().Where(n => n.PropertyInfo is not null))
            {
                yield return Expression.Property(Expression.TypeAs(e, derived.ClrType), navigation.PropertyInfo!);
            }
        }
    }

    /// <summary>Entities with keys that an element leads to.</summary>
    public IEnumerable<Expression> References(Expression e)
    {
        if (EntityTypeOf(e.Type) is { } type)
        {
            if (!type.IsOwned() && type.FindPrimaryKey() is not null)
            {
                yield return e;
            }

            foreach (var navigation in Navigations(e).Where(n => !IsCollection(n.Type) && !EntityTypeOf(n.Type)!.IsOwned()))
            {
                yield return navigation;
            }
        }
        else if (!IsScalar(e.Type))
        {
            foreach (var reference in e.Type.GetProperties().Where(p => !IsCollection(p.PropertyType)).SelectMany(p => References(Expression.Property(e, p))))
            {
                yield return reference;
            }
        }
    }

    public IEnumerable<Expression> Collections(Expression e)
    {
        if (EntityTypeOf(e.Type) is not null)
        {
            return Navigations(e).SelectMany(n => IsCollection(n.Type) ? [n] : Navigations(n).Where(m => IsCollection(m.Type)));
        }

        return IsScalar(e.Type)
            ? []
            : e.Type.GetProperties().SelectMany(p => IsCollection(p.PropertyType) ? [Expression.Property(e, p)] : Collections(Expression.Property(e, p)));
    }

    private Expression Property(Expression e, IReadOnlyProperty property)
        => property.IsShadowProperty() || property.IsIndexerProperty() || random.Next(8) == 0
            ? Expression.Call(typeof(EF), nameof(EF.Property), [property.ClrType], e, Expression.Constant(property.Name))
            : Expression.Property(e, property.PropertyInfo!);
}
