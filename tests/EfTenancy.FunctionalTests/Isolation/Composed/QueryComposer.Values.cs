using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using static EfTenancy.FunctionalTests.Isolation.Composed.QueryExpressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <content>Predicates and values of an element.</content>
public sealed partial class QueryComposer
{
    public Expression Predicate(Expression e, int depth)
    {
        while (true)
        {
            if (TryPredicate(e, depth) is { } predicate)
            {
                return predicate;
            }
        }
    }

    private Expression? TryPredicate(Expression e, int depth)
    {
        switch (random.Next(depth > 0 ? 18 : 5))
        {
            case 0 or 1 or 2:
                var scalar = Scalar(e, depth);
                return Comparison(scalar, Value(scalar.Type));
            case 3:
                var all = _paths.Scalars(e, 1).ToList();
                var left = One(all);
                return left is null ? null : Comparison(left, One(all.Where(s => s.Type == left.Type).ToList()));
            case 4:
                var item = Scalar(e, 0);
                var list = Array.CreateInstance(item.Type, random.Next(4));
                for (var i = 0; i < list.Length; i++)
                {
                    list.SetValue(Any(item.Type), i);
                }

                return Expression.Call(typeof(Enumerable), "Contains", [item.Type], Boxed(list, list.GetType()), item);
            case 5:
                return _paths.References(e).ToList() is { Count: > 0 } r && One(r) is var reference
                    ? Not(Expression.Equal(reference, Expression.Constant(null, reference.Type)))
                    : null;
            case 6 or 7:
                return SubSequence(e, depth - 1) is { } any
                    ? random.Next(3) switch
                    {
                        0 => Not(Call("Any", any.Source, [any.Element])),
                        1 => Not(Call("Any", any.Source, [any.Element], Lambda(any.Element, x => Predicate(x, depth - 1)))),
                        _ => Call("All", any.Source, [any.Element], Lambda(any.Element, x => Predicate(x, depth - 1))),
                    }
                    : null;
            case 8:
                return SubSequence(e, depth - 1) is { } counted
                    ? Comparison(Nullable(Call("Count", counted.Source, [counted.Element])), Value(typeof(int?)))
                    : null;
            case 9:
                return EntityPair(e) is var (a, b) ? Not(Expression.Equal(a, b)) : null;
            case 10:
                return EntitySequence(e, depth - 1) is { } many
                    && _paths.References(e).Where(x => many.Element.IsAssignableFrom(x.Type)).ToList() is { Count: > 0 } items
                        ? Not(Call("Contains", many.Source, [many.Element], One(items)))
                        : null;
            case 11:
                return _paths.References(e).Where(x => _paths.EntityTypeOf(x.Type)!.GetDerivedTypes().Any()).ToList() is { Count: > 0 } bases
                    && One(bases) is var based
                        ? Not(Expression.TypeIs(based, One(_paths.EntityTypeOf(based.Type)!.GetDerivedTypes().ToList()).ClrType))
                        : null;
            case 12 or 13:
                return random.Next(2) == 0
                    ? Expression.AndAlso(Predicate(e, depth - 1), Predicate(e, depth - 1))
                    : Expression.OrElse(Predicate(e, depth - 1), Predicate(e, depth - 1));
            case 14:
                return EntitySequence(e, depth - 1) is { } firsts && FirstOf(firsts) is var first
                    ? Not(Expression.Equal(
                        first,
                        random.Next(3) switch
                        {
                            0 => Expression.Constant(null, first.Type),
                            1 when Given(first.Type) is { } given => given,
                            _ => _paths.References(e).Where(x => x.Type == first.Type).FirstOrDefault() ?? Expression.Constant(null, first.Type),
                        }))
                    : null;
            case 15:
                return _paths.References(e).ToList() is { Count: > 0 } rs && One(rs) is var compared && Given(compared.Type) is { } object1
                    ? Not(Expression.Equal(compared, object1))
                    : null;
            case 16:
                var value = Scalar(e, 1);
                var set = Root();
                var selector = Lambda(set.Element, x => _paths.Scalars(x, 1).Where(s => s.Type == value.Type).ToList() is { Count: > 0 } s ? One(s) : null);
                return selector is null ? null
                    : Not(Call("Contains", Call("Select", set.Source, [set.Element, value.Type], selector), [value.Type], value));
            default:
                return _paths.References(e).ToList() is { Count: > 0 } given2 && One(given2) is var member && GivenList(member.Type) is { } objects
                    ? Not(Expression.Call(typeof(Enumerable), "Contains", [member.Type], objects, member))
                    : null;
        }
    }

    private (Expression, Expression)? EntityPair(Expression e)
    {
        var references = _paths.References(e).ToList();
        var pairs = (from a in references from b in references where a != b && SameRoot(a.Type, b.Type) select (a, b)).ToList();
        return pairs.Count == 0 ? null : pairs[random.Next(pairs.Count)];
    }

    private Sequence? EntitySequence(Expression e, int depth)
        => (random.Next(3) == 0 ? Where(Root()) : SubSequence(e, depth)) is { } sub && _paths.EntityTypeOf(sub.Element) is { } type && !type.IsOwned() && type.FindPrimaryKey() is not null
            ? sub
            : null;

    private Expression FirstOf(Sequence q)
        => Call("FirstOrDefault", Ordered(q), [q.Element]);

    private Expression? Given(Type type)
        => MadeObject(type) is { } made ? Boxed(made, type) : null;

    private Expression? GivenList(Type type)
    {
        if (MadeObject(type) is null)
        {
            return null;
        }

        var list = Array.CreateInstance(type, random.Next(3));
        for (var i = 0; i < list.Length; i++)
        {
            list.SetValue(MadeObject(type), i);
        }

        return Boxed(list, list.GetType());
    }

    private object? MadeObject(Type type)
    {
        if (!IsOfOneTenant || _paths.EntityTypeOf(type) is not { } entityType || entityType.IsOwned() || entityType.HasSharedClrType || entityType.FindPrimaryKey() is not { } key
            || key.Properties.Any(p => p.ValueGenerated != ValueGenerated.Never && p.ClrType == typeof(int) && type == typeof(Note)))
        {
            return null;
        }

        var concrete = entityType.GetDerivedTypesInclusive().Where(t => !t.IsAbstract()).ToList();
        var made = RuntimeHelpers.GetUninitializedObject(One(concrete).ClrType);
        foreach (var property in key.Properties)
        {
            property.PropertyInfo!.SetValue(made, Any(property.ClrType));
        }

        return made;
    }

    private BinaryExpression Comparison(Expression left, Expression right)
        => left.Type == typeof(int?)
            ? random.Next(4) switch
            {
                0 => Expression.LessThan(left, right),
                1 => Expression.GreaterThanOrEqual(left, right),
                2 => Expression.NotEqual(left, right),
                _ => Expression.Equal(left, right),
            }
            : left.Type == typeof(string) && random.Next(3) == 0
                ? Expression.GreaterThan(
                    Expression.Call(typeof(string), "Compare", null, left, right), Expression.Constant(0))
                : random.Next(3) == 0 ? Expression.NotEqual(left, right) : Expression.Equal(left, right);

    private Expression Not(Expression predicate)
        => random.Next(3) == 0 ? Expression.Not(predicate) : predicate;

    /// <summary>A value of an element.</summary>
    public Expression Scalar(Expression e, int depth)
    {
        if (depth > 0)
        {
            switch (random.Next(10))
            {
                case 0 when SubSequence(e, depth - 1) is { } sub:
                    return Aggregate(sub, depth - 1);
                case 1 when SubSequence(e, depth - 1) is { } list && !_paths.HasCollection(list.Element):
                    // the value of the first one
                    var selector = Lambda(list.Element, x => Scalar(x, depth - 1));
                    return Call(
                        "FirstOrDefault",
                        Call("Select", Ordered(list), [list.Element, selector.ReturnType], selector),
                        [selector.ReturnType]);
                case 2 when EntitySequence(e, depth - 1) is { } entities:
                    return One(_paths.Scalars(FirstOf(entities), 1).ToList());
                case 3:
                    var then = Scalar(e, depth - 1);
                    return Expression.Condition(Predicate(e, depth - 1), then, _paths.Scalars(e, 1).Where(s => s.Type == then.Type).FirstOrDefault() ?? then);
            }
        }

        var scalars = _paths.Scalars(e, depth).ToList();
        return scalars.Count > 0 ? One(scalars) : Expression.Constant(1, typeof(int?));
    }

    private Expression Aggregate(Sequence q, int depth)
    {
        switch (random.Next(5))
        {
            case 0:
                return Nullable(Call("Count", q.Source, [q.Element]));
            case 1:
                return Nullable(Call("Count", q.Source, [q.Element], Lambda(q.Element, x => Predicate(x, depth))));
            case 2:
                var distinct = Lambda(q.Element, x => Scalar(x, depth));
                return Nullable(Call("Count", Call("Distinct", Call("Select", q.Source, [q.Element, distinct.ReturnType], distinct), [distinct.ReturnType]), [distinct.ReturnType]));
            default:
                var selector = Lambda(q.Element, x => _paths.Scalars(x, depth).Where(s => s.Type == typeof(int?)).ToList() is { Count: > 0 } s ? One(s) : Expression.Constant(1, typeof(int?)));
                if (q.IsQueryable)
                {
                    // Queryable has Max and Min for any type, and no others.
                    q = new Sequence(Call("Select", q.Source, [q.Element, typeof(int?)], selector), typeof(int?));
                    return random.Next(3) switch
                    {
                        0 => Call("Max", q.Source, [typeof(int?)]),
                        1 => Call("Min", q.Source, [typeof(int?)]),
                        _ => Call("Sum", q.Source, []),
                    };
                }


                string[] names = ["Sum", "Max", "Min"];
                return Call(names[random.Next(3)], q.Source, [q.Element], selector);
        }
    }

    private object? Any(Type type)
        => (System.Nullable.GetUnderlyingType(type) ?? type) switch
        {
            var t when t == typeof(int) => random.Next(2) == 0 ? random.Next(12) : Key(),
            var t when t == typeof(PartyId) => new PartyId(Key()),
            var t when t == typeof(string) => random.Next(4) switch { 0 => $"sku {Key()}", 1 => $"setting {Key()}", _ => Words[random.Next(4)] },
            var t when t == typeof(bool) => random.Next(2) == 0,
            var t => throw new InvalidOperationException(t.Name),
        };

    private int Key()
        => firstKey + random.Next(8);

    private Expression Value(Type type)
    {
        var value = random.Next(12) == 0 ? null : Any(type);
        return random.Next(2) == 0 ? Expression.Constant(value, type) : Boxed(value, type);
    }

    private Expression Value(int value)
        => random.Next(2) == 0 ? Expression.Constant(value) : Boxed(value, typeof(int));
}
