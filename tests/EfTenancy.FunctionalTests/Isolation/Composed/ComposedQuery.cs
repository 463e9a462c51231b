using System.Collections;
using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using static EfTenancy.FunctionalTests.Isolation.Composed.QueryExpressions;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>A composed query with its end: rows, one row, a number.</summary>
public sealed class ComposedQuery : IComposedOperation
{
    private readonly Expression _query;
    private readonly bool _isSequence;
    private readonly bool _isOrdered;

    public ComposedQuery(QueryComposer composer, Random random)
    {
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

    public string Run(BazaarContext db, SetReplacement sets, QueryAnswer answer)
    {
        var query = sets.Visit(_query);
        var provider = ((IQueryable)db.Set<Note>()).Provider;
        return _isSequence
            ? answer.Of(((IEnumerable)provider.CreateQuery(query)).Cast<object?>().ToList(), _isOrdered)
            : answer.Of(provider.Execute(query), true);
    }

    public override string ToString()
        => _query.ToString();
}
