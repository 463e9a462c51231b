using System.Collections;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using static EfTenancy.FunctionalTests.Isolation.Composed.QueryExpressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>A composed query with its end: rows, one row, a number.</summary>
public sealed class ComposedQuery : IComposedOperation
{
    private readonly Expression _query;
    private readonly bool _isSequence;
    private readonly bool _isOrdered;
    private readonly Dictionary<IModel, Func<BazaarContext, object?>> _compiled = [];

    public ComposedQuery(QueryComposer composer, Random random)
    {
        IsCompiled = composer.IsOfOneTenant && random.Next(5) == 0;
        if (random.Next(8) == 0)
        {
            (_query, _isSequence) = (composer.SqlAlone().Source, true);
            return;
        }

        var rows = composer.Query(random.Next(1, 6));
        var element = Expression.Parameter(rows.Element, "z");
        switch (random.Next(8))
        {
            case 0:
                _query = Call("Count", rows.Source, [rows.Element]);
                break;
            case 1:
                var name = random.Next(2) == 0 ? "Any" : "All";
                _query = Call(name, rows.Source, [rows.Element], Expression.Lambda(composer.Predicate(element, 2), element));
                break;
            case 2 when composer.CanBeOrdered(rows):
                _query = Call(random.Next(2) == 0 ? "FirstOrDefault" : "LastOrDefault", composer.Ordered(rows), [rows.Element]);
                break;
            case 3:
                var value = composer.Scalar(element, 2);
                _query = Call("Max", Call("Select", rows.Source, [rows.Element, value.Type], Expression.Lambda(value, element)), [value.Type]);
                break;
            default:
                (_query, _isSequence, _isOrdered) = (rows.Source, true, rows.IsOrdered);
                break;
        }
    }

    /// <summary>Whether it is compiled once, by <c>EF.CompileQuery</c>, and run for two tenants.</summary>
    public bool IsCompiled { get; }

    public string Run(BazaarContext db, SetReplacement sets, QueryAnswer answer)
    {
        if (IsCompiled)
        {
            if (!_compiled.TryGetValue(db.Model, out var run))
            {
                _compiled.Add(db.Model, run = Compiled());
            }

            return answer.Of(run(db), !_isSequence || _isOrdered);
        }

        var query = sets.Visit(_query);
        var provider = ((IQueryable)db.Set<Note>()).Provider;
        return _isSequence
            ? answer.Of(((IEnumerable)provider.CreateQuery(query)).Cast<object?>().ToList(), _isOrdered)
            : answer.Of(provider.Execute(query), true);
    }

    public override string ToString()
        => (IsCompiled ? "compiled " : "") + _query;

    private Func<BazaarContext, object?> Compiled()
    {
        var db = Expression.Parameter(typeof(BazaarContext), "db");
        var query = new SetReplacement(set => set.In(db)).Visit(_query);
        Func<Expression, ParameterExpression, Func<BazaarContext, object?>> compile = _isSequence ? Rows<object> : Value<object>;
        return (Func<BazaarContext, object?>)compile.Method.GetGenericMethodDefinition()
            .MakeGenericMethod(_isSequence ? QueryExpressions.ElementOf(query.Type) : query.Type).Invoke(null, [query, db])!;
    }

    private static Func<BazaarContext, object?> Rows<T>(Expression query, ParameterExpression db)
    {
        var run = EF.CompileQuery(Expression.Lambda<Func<BazaarContext, IQueryable<T>>>(query, db));
        return context => run(context).ToList();
    }

    private static Func<BazaarContext, object?> Value<T>(Expression query, ParameterExpression db)
    {
        var run = EF.CompileQuery(Expression.Lambda<Func<BazaarContext, T>>(query, db));
        return context => run(context);
    }
}
