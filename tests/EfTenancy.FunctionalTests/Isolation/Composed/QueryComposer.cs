using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;
using Npgsql;
using static EfTenancy.FunctionalTests.Isolation.Composed.QueryExpressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Stacks operators of LINQ at random. What it makes says only which sets it reads, so that it can be run in any context.</summary>
/// <param name="random">Draws operators and values.</param>
/// <param name="model">That of plain EF.</param>
/// <param name="firstKey">The first of the keys that queries look for.</param>
public sealed partial class QueryComposer(Random random, IModel model, int firstKey)
{
    private static readonly string[] Words = ["alpha", "beta", "gamma", "delta"];

    private readonly QueryPaths _paths = new(model, random);
    private int _depth;
    private int _names;

    /// <summary>Elements that a query has after some operators.</summary>
    public sealed record Sequence(Expression Source, Type Element, bool IsOrdered = false)
    {
        public bool IsQueryable
            => Source.Type.IsAssignableTo(typeof(IQueryable));
    }

    /// <summary>
    ///     Whether all entities are of one tenant. Else EF takes two references to nobody for equal where it makes a join of a comparison,
    ///     and an application's object is a stub of the context's tenant.
    /// </summary>
    public bool IsOfOneTenant { get; init; } = true;

    public Sequence Query(int steps)
    {
        var query = Root();
        for (; steps > 0; steps--)
        {
            query = Step(query);
        }

        return query;
    }

    /// <summary>SQL that nothing is composed over, which EF runs as it is.</summary>
    public Sequence SqlAlone()
    {
        var type = One(model.GetEntityTypes().Where(SetExpression.IsOfOneTable).ToList());
        var rows = new Sequence(Sql(type), type.ClrType);
        return random.Next(2) == 0 ? rows : Hint(rows)!;
    }

    public IEntityType AnyEntityType()
    {
        var types = model.GetEntityTypes().Where(e => !e.IsOwned()).ToList();
        return types[random.Next(types.Count)];
    }

    private Sequence Root()
    {
        var type = AnyEntityType();
        return new Sequence(Set(type), type.ClrType);
    }

    /// <summary>The rows of a type, out of SQL now and then.</summary>
    public SetExpression Set(IEntityType type)
        => SetExpression.IsOfOneTable(type) && random.Next(6) == 0 ? Sql(type) : new SetExpression(type);

    private SetExpression Sql(IEntityType type)
    {
        var sql = $"SELECT * FROM \"{type.GetTableName()}\"";
        var number = type.GetProperties().FirstOrDefault(p => p.ClrType == typeof(int) && p.Name != nameof(Item.Origin) && !p.IsKey() && !p.IsForeignKey());
        var column = $"\"{number?.GetColumnName() ?? nameof(Item.Origin)}\"";
        var (less, more, name) = (random.Next(12), random.Next(12), "less" + Name());
        return random.Next(5) switch
        {
            0 => new SetExpression(type, sql),
            1 => new SetExpression(type, $"{sql} WHERE {column} < {{0}}", less),
            2 => new SetExpression(type, $"{sql} WHERE {column} > {{1}} OR {column} < {{0}}", less, more),
            3 => new SetExpression(type, $"{sql} WHERE {column} < @{name}", new NpgsqlParameter(name, less)),
            _ => new SetExpression(type, $"{sql} WHERE {column} < {{0}} OR {column} > {{1}}", new NpgsqlParameter { Value = less }, more),
        };
    }

    private Sequence RootOf(Type element)
        => new(new SetExpression(_paths.EntityTypeOf(element)!), element);

    private Sequence Step(Sequence q)
    {
        while (true)
        {
            var next = random.Next(24) switch
            {
                0 or 1 or 2 or 3 => Where(q),
                4 or 5 => Page(q),
                6 or 7 => Project(q),
                8 => ProjectReference(q),
                9 or 10 => Flatten(q),
                11 or 12 => Join(q),
                13 or 14 => Group(q),
                15 or 16 => Combine(q),
                17 => Distinct(q),
                18 => Apply("DefaultIfEmpty", q),
                19 => Derived(q),
                20 or 21 => Included(q),
                22 => Hint(q),
                _ => FirstOfEach(q),
            };
            if (next is not null)
            {
                return next;
            }
        }
    }

    private Sequence Where(Sequence q)
        => q with { Source = Call("Where", q.Source, [q.Element], Lambda(q.Element, e => Predicate(e, 2))) };

    private static Sequence Apply(string name, Sequence q)
        => new(Call(name, q.Source, [q.Element]), q.Element);

    private Sequence? Distinct(Sequence q)
        => _paths.HasCollection(q.Element) ? null : Apply("Distinct", q);

    private Sequence? Page(Sequence q)
    {
        if (_paths.HasCollection(q.Element))
        {
            return null;
        }

        var source = Ordered(q);
        if (random.Next(3) == 0)
        {
            source = Call("Skip", source, [q.Element], Value(random.Next(3)));
        }

        if (random.Next(3) > 0)
        {
            source = Call("Take", source, [q.Element], Value(random.Next(1, 6)));
        }

        return new Sequence(source, q.Element, IsOrdered: true);
    }

    /// <summary>Whether an order tells all elements apart: one that holds a collection is more than its values.</summary>
    public bool CanBeOrdered(Sequence q)
        => !_paths.HasCollection(q.Element);

    public Expression Ordered(Sequence q)
    {
        var source = q.Source;
        var then = false;
        if (random.Next(2) == 0)
        {
            Add(e => Scalar(e, 1));
        }

        var element = Expression.Parameter(q.Element, "k");
        foreach (var key in _paths.Identity(element).ToList())
        {
            Add(e => ReplacingExpressionVisitor.Replace(element, e, key));
        }

        return source;

        void Add(Func<Expression, Expression> by)
        {
            var lambda = Lambda(q.Element, by);
            source = Call((then ? "ThenBy" : "OrderBy") + (random.Next(4) == 0 ? "Descending" : ""), source, [q.Element, lambda.ReturnType], lambda);
            then = true;
        }
    }

    private Sequence? Project(Sequence q)
    {
        var lambda = Lambda(
            q.Element,
            e => random.Next(3) == 0 ? Scalar(e, 2) : Pair(Projected(e, q), Projected(e, q)));
        return lambda.Body.Type == q.Element && !IsScalar(q.Element)
            ? null
            : new Sequence(Call("Select", q.Source, [q.Element, lambda.ReturnType], lambda), lambda.ReturnType, q.IsOrdered);
    }

    private Expression Projected(Expression e, Sequence q)
        => random.Next(q.IsQueryable ? 6 : 3) switch
        {
            0 or 1 => Scalar(e, 2),
            2 or 3 when _paths.References(e).ToList() is { Count: > 0 } references => One(references),
            4 or 5 when SubSequence(e, 2) is { } sub => Expression.Call(typeof(Enumerable), "ToList", [sub.Element], sub.Source),
            _ => Scalar(e, 2),
        };

    private Sequence? ProjectReference(Sequence q)
    {
        var lambda = Lambda(q.Element, e => One(_paths.References(e).Where(r => r != e).ToList()));
        return lambda is null ? null : new Sequence(Call("Select", q.Source, [q.Element, lambda.ReturnType], lambda), lambda.ReturnType, q.IsOrdered);
    }

    private Sequence? Flatten(Sequence q)
    {
        Type? element = null;
        var lambda = Lambda(
            q.Element,
            e =>
            {
                if (SubSequence(e, 1) is not { } sub || _paths.HasCollection(sub.Element))
                {
                    return null;
                }

                element = sub.Element;
                var source = random.Next(3) == 0 ? Call("DefaultIfEmpty", sub.Source, [sub.Element]) : sub.Source;
                return Expression.Convert(source, typeof(IEnumerable<>).MakeGenericType(sub.Element));
            });
        if (lambda is null)
        {
            return null;
        }

        lambda = Expression.Lambda(
            typeof(Func<,>).MakeGenericType(q.Element, typeof(IEnumerable<>).MakeGenericType(element!)),
            ((UnaryExpression)lambda.Body).Operand,
            lambda.Parameters);
        if (random.Next(2) == 0)
        {
            return new Sequence(Call("SelectMany", q.Source, [q.Element, element!], lambda), element!);
        }

        var result = Lambda(q.Element, element!, (a, b) => Pair(Member(a), Member(b)));
        return new Sequence(Call("SelectMany", q.Source, [q.Element, element!, result.ReturnType], lambda, result), result.ReturnType);
    }

    private Expression Member(Expression e)
        => random.Next(3) > 0 && !_paths.HasCollection(e.Type) ? e : Scalar(e, 1);

    private Sequence? Join(Sequence q)
    {
        var inner = Root();
        while (random.Next(3) == 0)
        {
            inner = Where(inner);
        }

        if (random.Next(6) == 0)
        {
            inner = Page(inner)!;
        }

        var keys = KeyPair(q.Element, inner.Element);
        if (keys is not var (outerKey, innerKey))
        {
            return null;
        }

        var kind = random.Next(IsFiltered(q.Source) ? 4 : 5);
        if (kind == 3)
        {
            // group join, left join of old
            var many = typeof(IEnumerable<>).MakeGenericType(inner.Element);
            var group = Lambda(q.Element, many, (a, b) => Pair(a, b));
            var joined = Call("GroupJoin", q.Source, [q.Element, inner.Element, outerKey.ReturnType, group.ReturnType], inner.Source, outerKey, innerKey, group);
            var flat = Expression.Parameter(group.ReturnType, Name());
            var collection = Expression.Lambda(
                typeof(Func<,>).MakeGenericType(group.ReturnType, many),
                Call("DefaultIfEmpty", Expression.Property(flat, "Second"), [inner.Element]),
                flat);
            var final = Lambda(group.ReturnType, inner.Element, (a, b) => Pair(Member(Expression.Property(a, "First")), Member(b)));
            return new Sequence(
                Call("SelectMany", joined, [group.ReturnType, inner.Element, final.ReturnType], collection, final), final.ReturnType);
        }

        var result = Lambda(q.Element, inner.Element, (a, b) => Pair(Member(a), Member(b)));
        return new Sequence(
            Call(
                kind switch { 0 or 1 => "Join", 2 => "LeftJoin", _ => "RightJoin" },
                q.Source,
                [q.Element, inner.Element, outerKey.ReturnType, result.ReturnType],
                inner.Source,
                outerKey,
                innerKey,
                result),
            result.ReturnType);
    }

    // EF drops rows of a right join whose first side has a filter.
    private static bool IsFiltered(Expression source)
        => source switch
        {
            SetExpression set => set.EntityType.BaseType is not null,
            MethodCallExpression { Method.Name: "Where" or "OfType" or "SelectMany" } => true,
            MethodCallExpression call => IsFiltered(call.Arguments[0]),
            _ => true,
        };

    private (LambdaExpression, LambdaExpression)? KeyPair(Type outer, Type inner)
    {
        var o = Expression.Parameter(outer, Name());
        var i = Expression.Parameter(inner, Name());

        // By entity, now and then.
        if (random.Next(3) == 0)
        {
            var pairs = (from a in _paths.References(o) from b in _paths.References(i) where SameRoot(a.Type, b.Type) select (a, b)).ToList();
            if (pairs.Count > 0)
            {
                var (a, b) = pairs[random.Next(pairs.Count)];
                var type = a.Type.IsAssignableFrom(b.Type) ? a.Type : b.Type.IsAssignableFrom(a.Type) ? b.Type : null;
                if (type is not null)
                {
                    return (Typed(outer, type, a, o), Typed(inner, type, b, i));
                }
            }
        }

        var scalars = (from a in _paths.Scalars(o, 1) from b in _paths.Scalars(i, 0) where a.Type == b.Type select (a, b)).ToList();
        if (scalars.Count == 0)
        {
            return null;
        }

        var (x, y) = scalars[random.Next(scalars.Count)];
        return random.Next(4) == 0 && scalars[random.Next(scalars.Count)] is var (x2, y2)
            ? (Expression.Lambda(Pair(x, x2), o), Expression.Lambda(Pair(y, y2), i))
            : (Expression.Lambda(x, o), Expression.Lambda(y, i));

        static LambdaExpression Typed(Type from, Type to, Expression body, ParameterExpression parameter)
            => Expression.Lambda(typeof(Func<,>).MakeGenericType(from, to), body, parameter);
    }

    private static bool SameRoot(Type a, Type b)
        => a.IsAssignableFrom(b) || b.IsAssignableFrom(a);

    private Sequence? Group(Sequence q)
    {
        if (_paths.HasCollection(q.Element))
        {
            return null;
        }

        var key = Lambda(
            q.Element,
            e => random.Next(6) switch
            {
                0 => Pair(Scalar(e, 1), Scalar(e, 1)),
                1 when _paths.References(e).Where(r => _paths.EntityTypeOf(r.Type)?.IsOwned() == false).ToList() is { Count: > 0 } references => One(references),
                _ => Scalar(e, 1),
            });
        var grouped = Call("GroupBy", q.Source, [q.Element, key.ReturnType], key);
        var grouping = typeof(IGrouping<,>).MakeGenericType(key.ReturnType, q.Element);
        var select = Lambda(
            grouping,
            g => Pair(Expression.Property(g, "Key"), random.Next(5) switch
            {
                0 or 1 => Aggregate(new Sequence(g, q.Element), 1),
                2 => Pair(Aggregate(new Sequence(g, q.Element), 1), Aggregate(new Sequence(g, q.Element), 1)),
                3 => Aggregate(Where(new Sequence(g, q.Element)), 1),
                _ when q.IsQueryable => Call("FirstOrDefault", Ordered(new Sequence(g, q.Element)), [q.Element]),
                _ => Aggregate(new Sequence(g, q.Element), 1),
            }));
        return new Sequence(Call("Select", grouped, [grouping, select.ReturnType], select), select.ReturnType);
    }

    private Sequence? FirstOfEach(Sequence q)
    {
        if (_paths.HasCollection(q.Element))
        {
            return null;
        }

        var key = Lambda(q.Element, e => Scalar(e, 1));
        var grouped = Call("GroupBy", q.Source, [q.Element, key.ReturnType], key);
        var grouping = typeof(IGrouping<,>).MakeGenericType(key.ReturnType, q.Element);
        var select = Lambda(grouping, g => Call("First", Ordered(new Sequence(g, q.Element)), [q.Element]));
        return new Sequence(Call("Select", grouped, [grouping, select.ReturnType], select), select.ReturnType);
    }

    private Sequence? Combine(Sequence q)
    {
        if (_paths.HasCollection(q.Element))
        {
            return null;
        }

        var other = _paths.EntityTypeOf(q.Element) is { } type && !type.IsOwned() && random.Next(2) == 0 ? RootOf(q.Element) : q;
        string[] names = ["Union", "Concat", "Intersect", "Except"];
        return new Sequence(Call(names[random.Next(4)], q.Source, [q.Element], Where(other).Source), q.Element);
    }

    private Sequence? Derived(Sequence q)
        => _paths.EntityTypeOf(q.Element)?.GetDerivedTypes().ToList() is { Count: > 0 } derived && derived[random.Next(derived.Count)].ClrType is var type
            ? new Sequence(Call("OfType", q.Source, [type]), type, q.IsOrdered)
            : null;

    private Sequence? Included(Sequence q)
    {
        if (!q.IsQueryable || _depth > 0 || _paths.EntityTypeOf(q.Element) is not { } type || type.IsOwned())
        {
            return null;
        }

        var path = new List<LambdaExpression>();
        var current = q.Element;
        var element = current;
        var source = q.Source;
        var kind = "Include";
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            Type? next = null;
            var lambda = Lambda(
                element,
                e =>
                {
                    var navigations = _paths.Navigations(e).ToList();
                    if (navigations.Count == 0)
                    {
                        return null;
                    }

                    var navigation = navigations[random.Next(navigations.Count)];
                    next = IsCollection(navigation.Type) ? ElementOf(navigation.Type) : navigation.Type;
                    if (!IsCollection(navigation.Type) || random.Next(2) == 0)
                    {
                        return navigation;
                    }

                    var sub = Where(new Sequence(navigation, next));
                    return random.Next(2) == 0 ? Call("Take", Ordered(sub), [next], Value(2)) : sub.Source;
                });
            if (lambda is null)
            {
                break;
            }

            source = kind == "Include"
                ? Expression.Call(typeof(EntityFrameworkQueryableExtensions), kind, [q.Element, lambda.ReturnType], source, Expression.Quote(lambda))
                : Expression.Call(typeof(EntityFrameworkQueryableExtensions), kind, [q.Element, element, lambda.ReturnType], source, Expression.Quote(lambda));
            kind = "ThenInclude";
            element = next!;
        }

        return q with { Source = source };
    }

    private Sequence? Hint(Sequence q)
    {
        if (!q.IsQueryable || _depth > 0 || q.Element.IsValueType || q.Element == typeof(string))
        {
            return null;
        }

        string[] names = ["AsSplitQuery", "AsNoTracking", "AsNoTrackingWithIdentityResolution", "AsTracking"];
        return q with { Source = Expression.Call(
            names[random.Next(4)] is var name && name == "AsSplitQuery" ? typeof(RelationalQueryableExtensions) : typeof(EntityFrameworkQueryableExtensions), name, [q.Element], q.Source) };
    }

    private Sequence? SubSequence(Expression e, int depth)
    {
        var collections = _paths.Collections(e).ToList();
        Sequence sub;
        if (collections.Count > 0 && random.Next(3) > 0)
        {
            var collection = One(collections);
            sub = new Sequence(collection, ElementOf(collection.Type));
        }
        else if (depth > 0)
        {
            var root = Root();
            var correlated = Lambda(
                root.Element,
                x => Correlation(e, x) is { } correlation
                    ? random.Next(3) == 0 ? Expression.AndAlso(correlation, Predicate(x, depth - 1)) : correlation
                    : null);
            if (correlated is null)
            {
                return null;
            }

            sub = root with { Source = Call("Where", root.Source, [root.Element], correlated) };
        }
        else
        {
            return null;
        }

        for (var i = random.Next(3); i > 0 && depth > 0; i--)
        {
            sub = random.Next(8) switch
            {
                0 or 1 => Where(sub),
                2 or 3 => Page(sub),
                4 => Distinct(sub),
                5 => depth > 1 ? Flatten(sub) : sub,
                6 => Derived(sub),
                _ => depth > 1 ? Project(sub) : sub,
            } ?? sub;
        }

        return sub;
    }

    private BinaryExpression? Correlation(Expression outer, Expression inner)
    {
        if (IsOfOneTenant && random.Next(3) == 0)
        {
            var entities = (from a in _paths.References(outer) from b in _paths.References(inner) where SameRoot(a.Type, b.Type) select (a, b)).ToList();
            if (entities.Count > 0)
            {
                var (a, b) = entities[random.Next(entities.Count)];
                return Expression.Equal(a, b);
            }
        }

        var pairs = (from a in _paths.Scalars(outer, 0) from b in _paths.Scalars(inner, 0) where a.Type == b.Type select (a, b)).ToList();
        return pairs.Count == 0 ? null : pairs[random.Next(pairs.Count)] is var (x, y) ? Expression.Equal(x, y) : null;
    }

    private string Name()
        => "p" + _names++;

    private LambdaExpression Lambda(Type element, Func<Expression, Expression?> body)
    {
        var parameter = Expression.Parameter(element, Name());
        _depth++;
        try
        {
            return body(parameter) is { } made ? Expression.Lambda(made, parameter) : null!;
        }
        finally
        {
            _depth--;
        }
    }

    private LambdaExpression Lambda(Type first, Type second, Func<Expression, Expression, Expression> body)
    {
        var (a, b) = (Expression.Parameter(first, Name()), Expression.Parameter(second, Name()));
        _depth++;
        try
        {
            return Expression.Lambda(body(a, b), a, b);
        }
        finally
        {
            _depth--;
        }
    }

    public T One<T>(IReadOnlyList<T> list)
        => list.Count == 0 ? default! : list[random.Next(list.Count)];

}
