using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives a query with <c>TenantIsOneOf</c> or <c>AnyTenant</c>; hands on one in which the set under the predicate has no
///     tenant filter but the predicate's tenants, and every other multi-tenanted set its tenant predicate, written out.
/// </summary>
/// <remarks>
///     EF drops a named filter for a whole query, so the others need theirs back. Navigations need none: foreign keys hold the
///     tenant, so they lead to rows of the same tenant; those that start at a single-tenanted entity do not, and are refused, as are
///     those from shared rows to rows of the default tenant that are not shared.
/// </remarks>
public sealed class CrossTenantPredicateRewriter(QueryCompilationContext queryCompilationContext, CurrentTenant tenant, bool isBulkWrite)
{
    private const string TenantParameterName = "ef_tenancy__tenant";

    private static readonly MethodInfo ContainsMethod
        = new Func<IEnumerable<object>, object, bool>(Enumerable.Contains).Method.GetGenericMethodDefinition();

    private static readonly MethodInfo NormalizeOneMethod
        = new Func<DbContext, string, bool, object>(NormalizeOne<object>).Method.GetGenericMethodDefinition();

    private static readonly MethodInfo NormalizeAllMethod
        = new Func<DbContext, string[], bool, object[]>(NormalizeAll<object>).Method.GetGenericMethodDefinition();

    private int _tenantParameters;
    private readonly CurrentTenantParameters _currentTenants = new(queryCompilationContext);

    public Expression Rewrite(Expression query)
    {
        query = new RootSeparator(queryCompilationContext.Model).Visit(query);

        var predicates = new PredicateRemover();
        query = predicates.Visit(query);

        queryCompilationContext.Logger.CrossTenantQuery(tenant.Context, predicates.MethodName!);

        var filtersAreIgnored = IgnoredTenancyFinder.IgnoresTenancy(query);
        if (!filtersAreIgnored)
        {
            TenantEscapeGuard.Refuse(query, queryCompilationContext.Model, predicates.MethodName!, isBulkWrite);
        }

        return new RootWriter(this, filtersAreIgnored).Visit(query);
    }

    private Expression Write(TenantQueryRootExpression occurrence, bool filtersAreIgnored)
    {
        if (occurrence.EntityType.FindTenantProperty() is not { } property)
        {
            return occurrence.Source;
        }

        if (occurrence.IsCrossTenant)
        {
            return occurrence.TenantLists.Aggregate(
                TenantFilterExpression.IgnoreTenancy(occurrence.Source, occurrence.EntityType.ClrType),
                (source, tenants) => Where(
                    occurrence, source, e => Expression.Call(
                        ContainsMethod.MakeGenericMethod(property.ClrType),
                        Parameterize(tenants, property.ClrType),
                        PropertyExpression.Of(e, property))));
        }

        return filtersAreIgnored
            ? occurrence.Source
            : Where(
                occurrence,
                occurrence.Source,
                // Shared rows are not written, and may be in what is.
                e => isBulkWrite
                    ? Expression.Equal(PropertyExpression.Of(e, property), _currentTenants.Of(property))
                    : TenantFilterExpression.Predicate(occurrence.EntityType, property, e, _currentTenants.Of(property)));
    }

    private static MethodCallExpression Where(
        TenantQueryRootExpression occurrence,
        Expression source,
        Func<ParameterExpression, Expression> predicate)
    {
        var entity = Expression.Parameter(occurrence.EntityType.ClrType, "e");

        return Expression.Call(
            typeof(Queryable),
            nameof(Queryable.Where),
            [occurrence.EntityType.ClrType],
            source,
            Expression.Quote(Expression.Lambda(predicate(entity), entity)));
    }

    // Scalar parameters: an array parameter keeps PostgreSQL from pruning partitions in a generic plan.
    private Expression Parameterize(Expression tenants, Type type)
        => tenants switch
        {
            ConstantExpression { Value: IEnumerable<string> values } => Expression.NewArrayInit(
                type, values.Select(value => Parameter(Normalized(Expression.Constant(value, typeof(string)), type)))),
            NewArrayExpression array => Expression.NewArrayInit(
                type, array.Expressions.Select(e => Parameter(Normalized(ValueOf(e), type)))),
            _ => new QueryParameterExpression(
                Parameter(Normalized(ValueOf(tenants), type)).Name, type.MakeArrayType(), ParameterTranslationMode.MultipleParameters),
        };

    private QueryParameterExpression Parameter(Expression value)
        => queryCompilationContext.RegisterRuntimeParameter(
            TenantParameterName + _tenantParameters++,
            Expression.Lambda(value, QueryCompilationContext.QueryContextParameter));

    private static Expression ValueOf(Expression constantOrParameter)
        => constantOrParameter is QueryParameterExpression parameter
            ? Expression.Convert(
                Expression.Property(
                    Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Parameters)),
                    "Item",
                    Expression.Constant(parameter.Name)),
                parameter.Type)
            : constantOrParameter;

    private MethodCallExpression Normalized(Expression tenants, Type type)
        => Expression.Call(
            (tenants.Type == typeof(string) ? NormalizeOneMethod : NormalizeAllMethod).MakeGenericMethod(type),
            Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Context)),
            tenants,
            Expression.Constant(isBulkWrite));

    private static T NormalizeOne<T>(DbContext context, string tenantId, bool isWritten)
    {
        var tenant = TenantFilterExpression.CurrentTenantOf(context);
        tenantId = tenant.Normalize(tenantId, "tenantIds");
        tenant.Place?.RefuseToReach(tenantId, isWritten);
        return (T)tenant.IdConverter.ToValue(tenantId);
    }

    private static T[] NormalizeAll<T>(DbContext context, string[] tenantIds, bool isWritten)
    {
        ArgumentNullException.ThrowIfNull(tenantIds);
        return [.. tenantIds.Select(t => NormalizeOne<T>(context, t, isWritten))];
    }

    private sealed class RootSeparator(IModel model) : ExpressionVisitor
    {
        protected override Expression VisitMethodCall(MethodCallExpression node)
            => model.FindEntityTypeOfFunction(node) is { } entityType
                ? new TenantQueryRootExpression(base.VisitMethodCall(node), entityType)
                : base.VisitMethodCall(node);

        protected override Expression VisitExtension(Expression node)
            => node is EntityQueryRootExpression root ? new TenantQueryRootExpression(root) : base.VisitExtension(node);
    }

    private sealed class RootWriter(CrossTenantPredicateRewriter rewriter, bool filtersAreIgnored) : ExpressionVisitor
    {
        protected override Expression VisitExtension(Expression node)
            => base.VisitExtension(node) switch
            {
                TenantQueryRootExpression occurrence => rewriter.Write(occurrence, filtersAreIgnored),
                var visited => visited,
            };
    }

    /// <summary>Moves each predicate from its place to the occurrence of the set that it stands on.</summary>
    private sealed class PredicateRemover : ExpressionVisitor
    {
        private readonly QueryElementOrigins _origins = new();

        public string? MethodName { get; private set; }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            if (CrossTenantPredicateFinder.IsCrossTenantPredicate(node))
            {
                MethodName = node.Method.Name;
                Move(node);
                return Expression.Constant(true);
            }

            if (node.Arguments.Count == 0)
            {
                return base.VisitMethodCall(node);
            }

            // The source first: one lambda may stand in it and in this operator, and means the elements of each in turn.
            var instance = Visit(node.Object);
            var source = Visit(node.Arguments[0]);
            _origins.Bind(node);
            return node.Update(instance, [source, .. node.Arguments.Skip(1).Select(a => Visit(a)!)]);
        }

        private void Move(MethodCallExpression predicate)
        {
            var origin = _origins.Of(predicate.Arguments[0]);
            if (origin?.Root is not { } occurrence || origin.IsNavigation)
            {
                throw new InvalidOperationException(TenancyStrings.FilterTargetNotFound(predicate.Method.Name));
            }

            if (occurrence.EntityType.FindTenantProperty() is null)
            {
                throw new InvalidOperationException(
                    TenancyStrings.EntityIsNotMultiTenanted(occurrence.EntityType.DisplayName()));
            }

            occurrence.IsCrossTenant = true;
            if (predicate.Arguments.Count > 1)
            {
                var tenants = WithoutHint(predicate.Arguments[1]);
                occurrence.TenantLists.Add(
                    tenants is ConstantExpression or QueryParameterExpression
                    || tenants is NewArrayExpression array
                        && array.Expressions.All(e => e is ConstantExpression or QueryParameterExpression)
                        ? tenants
                        : throw new InvalidOperationException(TenancyStrings.FilterTenantsNotFixed(predicate.Method.Name)));
            }
        }

        // EF.Constant(...) and its like, about how values are sent: tenants are always sent so that partitions can be pruned.
        private static Expression WithoutHint(Expression tenants)
            => tenants is MethodCallExpression { Arguments: [var hinted] } call && call.Method.DeclaringType == typeof(EF) ? hinted : tenants;
    }
}
