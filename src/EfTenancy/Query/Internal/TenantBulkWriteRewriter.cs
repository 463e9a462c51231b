using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives an <c>ExecuteUpdate</c> or <c>ExecuteDelete</c>; hands on one that writes no shared rows. The filter of an entity with
///     shared rows lets the default tenant's through, which a tenant reads but does not write.
/// </summary>
public sealed class TenantBulkWriteRewriter(QueryCompilationContext queryCompilationContext)
{
    private const string ParameterName = "ef_tenancy__writer";

    public static bool IsBulkWrite(Expression query)
        => query is MethodCallExpression call
            && call.Method.DeclaringType == typeof(EntityFrameworkQueryableExtensions)
            && call.Method.Name is nameof(EntityFrameworkQueryableExtensions.ExecuteUpdate)
                or nameof(EntityFrameworkQueryableExtensions.ExecuteDelete);

    public Expression Rewrite(Expression query)
    {
        var write = (MethodCallExpression)query;
        var source = write.Arguments[0];

        foreach (var (element, target, tenant) in Targets(write))
        {
            source = Expression.Call(
                typeof(Queryable),
                nameof(Queryable.Where),
                [element.Type],
                source,
                Expression.Quote(
                    Expression.Lambda(Expression.Equal(PropertyExpression.Of(target, tenant), Writer(tenant)), element)));
        }

        return source == write.Arguments[0] ? query : write.Update(write.Object, [source, .. write.Arguments.Skip(1)]);
    }

    private IEnumerable<(ParameterExpression Element, Expression Target, IReadOnlyProperty Tenant)> Targets(MethodCallExpression write)
    {
        if (write.Arguments is not [_, NewArrayExpression setters])
        {
            var element = Expression.Parameter(write.Method.GetGenericArguments()[0], "e");
            return (SharedTenantProperty(element.Type) ?? SharedTenantPropertyOfOwned(write.Arguments[0], element.Type)) is { } tenant
                ? [(element, element, tenant)]
                : [];
        }

        // Each setter starts with the property that it sets.
        var properties = setters.Expressions.OfType<NewExpression>()
            .Select(s => s.Arguments[0] is UnaryExpression quote ? (LambdaExpression)quote.Operand : (LambdaExpression)s.Arguments[0])
            .ToList();
        if (!properties.TrueForAll(p => IsOfEntity(p.Body)) && SharedSetFinder.Find(write.Arguments[0], queryCompilationContext.Model) is { } shared)
        {
            throw new InvalidOperationException(TenancyStrings.ExecuteUpdateOfProjection(shared.DisplayName()));
        }

        return properties.SelectMany(l => WithSharedRows(l.Body) is var (target, tenant) ? [(l.Parameters[0], target, tenant)] : EmptyTargets);
    }

    private static readonly (ParameterExpression, Expression, IReadOnlyProperty)[] EmptyTargets = [];

    // The property may be one of an owned or complex type inside the entity.
    private (Expression Target, IReadOnlyProperty Tenant)? WithSharedRows(Expression? expression)
        => expression switch
        {
            null => null,
            _ when SharedTenantProperty(expression.Type) is { } tenant => (expression, tenant),
            _ => WithSharedRows(Owner(expression)),
        };

    private bool IsOfEntity(Expression? expression)
        => expression is not null
            && (queryCompilationContext.Model.GetEntityTypes().Any(e => !e.IsOwned() && e.ClrType.IsAssignableTo(expression.Type))
                || IsOfEntity(Owner(expression)));

    private static Expression? Owner(Expression expression)
        => expression switch
        {
            UnaryExpression unary => unary.Operand,
            MemberExpression member => member.Expression,
            MethodCallExpression { Object: { } entity } => entity,
            MethodCallExpression { Arguments: [var entity, ..] } => entity,
            _ => null,
        };

    private IReadOnlyProperty? SharedTenantProperty(Type type)
        => queryCompilationContext.Model.GetEntityTypes()
            .FirstOrDefault(e => !e.IsOwned() && e.ClrType.IsAssignableTo(type) && e.HasSharedRows())?.FindTenantProperty();

    // A class may be owned by other entities too.
    private IReadOnlyProperty? SharedTenantPropertyOfOwned(Expression source, Type type)
        => queryCompilationContext.Model.GetEntityTypes()
            .FirstOrDefault(e => e.IsOwned() && e.ClrType.IsAssignableTo(type) && e.HasSharedRows()) is { } owned
            && SharedSetFinder.Find(source, queryCompilationContext.Model) is not null
                ? owned.FindTenantProperty()
                : null;

    private QueryParameterExpression Writer(IReadOnlyProperty tenant)
        => queryCompilationContext.RegisterRuntimeParameter(
            ParameterName,
            Expression.Lambda(
                TenantFilterExpression.CurrentTenant(
                    Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Context)), tenant),
                QueryCompilationContext.QueryContextParameter));

    private sealed class SharedSetFinder(IModel model) : ExpressionVisitor
    {
        private IReadOnlyEntityType? _found;

        public static IReadOnlyEntityType? Find(Expression query, IModel model)
        {
            var finder = new SharedSetFinder(model);
            finder.Visit(query);
            return finder._found;
        }

        protected override Expression VisitExtension(Expression node)
        {
            Note((node as EntityQueryRootExpression)?.EntityType);
            return base.VisitExtension(node);
        }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            Note(model.FindEntityTypeOfFunction(node));
            return base.VisitMethodCall(node);
        }

        private void Note(IReadOnlyEntityType? entityType)
            => _found ??= entityType?.HasSharedRows() == true ? entityType : null;
    }
}
