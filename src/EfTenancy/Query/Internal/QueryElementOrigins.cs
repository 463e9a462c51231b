using System.Linq.Expressions;
using System.Reflection;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Follows an element of a query back to the occurrence of the set it comes from. What cannot be followed has no origin,
///     and then a cross-tenant predicate on it is refused.
/// </summary>
public sealed class QueryElementOrigins
{
    private static readonly HashSet<string> PassThrough =
    [
        nameof(Queryable.Where), nameof(Queryable.OrderBy), nameof(Queryable.OrderByDescending), nameof(Queryable.ThenBy),
        nameof(Queryable.ThenByDescending), nameof(Queryable.Order), nameof(Queryable.OrderDescending), nameof(Queryable.Reverse),
        nameof(Queryable.Take), nameof(Queryable.Skip), nameof(Queryable.TakeWhile), nameof(Queryable.SkipWhile),
        nameof(Queryable.TakeLast), nameof(Queryable.SkipLast), nameof(Queryable.Distinct), nameof(Queryable.DistinctBy),
        nameof(Queryable.DefaultIfEmpty), nameof(Queryable.OfType), nameof(Queryable.Cast), nameof(Queryable.AsQueryable),
        nameof(Enumerable.AsEnumerable), nameof(Enumerable.ToList), nameof(Enumerable.ToArray),
        "Include", "ThenInclude", "AsNoTracking", "AsNoTrackingWithIdentityResolution", "AsTracking", "AsSplitQuery",
        "AsSingleQuery", "TagWith", "TagWithCallSite", "IgnoreQueryFilters", "IgnoreAutoIncludes",
    ];

    private static readonly HashSet<string> Elements =
    [
        nameof(Queryable.First), nameof(Queryable.FirstOrDefault), nameof(Queryable.Single), nameof(Queryable.SingleOrDefault),
        nameof(Queryable.Last), nameof(Queryable.LastOrDefault), nameof(Queryable.ElementAt), nameof(Queryable.ElementAtOrDefault),
    ];

    private readonly Dictionary<ParameterExpression, Origin?> _parameters = [];

    /// <summary>An entity of a set, or one reached from it by navigation; or an object whose members have origins.</summary>
    public sealed record Origin(TenantQueryRootExpression? Root, bool IsNavigation, IReadOnlyDictionary<string, Origin?>? Members);

    /// <summary>Tells what the parameters of a query operator's lambdas stand for. Call it before looking into the lambdas.</summary>
    public void Bind(MethodCallExpression call)
    {
        if (call.Arguments.Count == 0 || !IsQueryOperator(call.Method))
        {
            return;
        }

        var outer = OfElements(call.Arguments[0]);
        var inner = call.Method.Name switch
        {
            nameof(Queryable.Join) or "LeftJoin" or "RightJoin" or nameof(Queryable.GroupJoin) => OfElements(call.Arguments[1]),
            _ => null,
        };

        foreach (var lambda in call.Arguments.Select(Lambda).OfType<LambdaExpression>())
        {
            // In other operators the first of two parameters may be anything: the key of a group, an accumulator.
            var isKnown = lambda.Parameters.Count == 1 || IsProjection(call.Method.Name);
            var isInnerKey = inner is not null && Lambda(call.Arguments[3]) == lambda;
            _parameters[lambda.Parameters[0]] = isKnown ? isInnerKey ? inner : outer : null;

            if (lambda.Parameters.Count > 1)
            {
                _parameters[lambda.Parameters[1]] = call.Method.Name == nameof(Queryable.SelectMany)
                    && Lambda(call.Arguments[1]) is { } collection
                    && collection != lambda
                        ? OfElements(collection.Body)
                        : inner;
            }
        }
    }

    /// <summary>The origin of one element, or of a sequence held by an element.</summary>
    public Origin? Of(Expression? expression)
        => expression switch
        {
            ParameterExpression parameter => _parameters.GetValueOrDefault(parameter),
            UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs } unary => Of(unary.Operand),
            MemberExpression member => OfMember(Of(member.Expression), member.Member),
            NewExpression { Members: { } members } creation => new Origin(
                null, false, members.Zip(creation.Arguments).ToDictionary(m => m.First.Name, m => OfSequenceOrElement(m.Second))),
            MemberInitExpression init => new Origin(
                null,
                false,
                init.Bindings.OfType<MemberAssignment>().ToDictionary(b => b.Member.Name, b => OfSequenceOrElement(b.Expression))),
            MethodCallExpression call when IsQueryOperator(call.Method) && Elements.Contains(call.Method.Name)
                => OfElements(call.Arguments[0]),
            _ => null,
        };

    private Origin? OfSequenceOrElement(Expression expression)
        => Of(expression) ?? OfElements(expression);

    private static Origin? OfMember(Origin? owner, MemberInfo member)
        => owner switch
        {
            { Members: { } members } => members.GetValueOrDefault(member.Name),
            { Root: { } root } => new Origin(root, IsNavigation: true, null),
            _ => null,
        };

    private Origin? OfElements(Expression sequence)
    {
        switch (sequence)
        {
            case TenantQueryRootExpression root:
                return new Origin(root, IsNavigation: false, null);

            case ParameterExpression or MemberExpression:
                return Of(sequence);

            case UnaryExpression { NodeType: ExpressionType.Convert } unary:
                return OfElements(unary.Operand);

            case MethodCallExpression call when PassThrough.Contains(call.Method.Name) && call.Arguments.Count > 0:
                return OfElements(call.Arguments[0]);

            case MethodCallExpression call when IsQueryOperator(call.Method) && IsProjection(call.Method.Name):
                Bind(call);
                return call.Arguments.Select(Lambda).OfType<LambdaExpression>().Last() is var selector
                    && call is { Method.Name: nameof(Queryable.SelectMany), Arguments.Count: 2 }
                        ? OfElements(selector.Body)
                        : Of(selector.Body);

            default:
                return null;
        }
    }

    private static bool IsProjection(string method)
        => method is nameof(Queryable.Select) or nameof(Queryable.SelectMany) or nameof(Queryable.Join) or "LeftJoin" or "RightJoin"
            or nameof(Queryable.GroupJoin);

    private static bool IsQueryOperator(MethodInfo method)
        => method.DeclaringType == typeof(Queryable)
            || method.DeclaringType == typeof(Enumerable)
            || method.DeclaringType?.Namespace == "Microsoft.EntityFrameworkCore";

    private static LambdaExpression? Lambda(Expression expression)
        => expression switch
        {
            UnaryExpression { NodeType: ExpressionType.Quote } quote => (LambdaExpression)quote.Operand,
            LambdaExpression lambda => lambda,
            _ => null,
        };
}
