using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Receives a user's filter; hands on one in which the sets of entities whose filter reads them have their tenant predicate written
///     out: EF applies no filter, ours neither, to a set that its own filter reads.
/// </summary>
public sealed class OwnSetFilterRewriter(QueryCompilationContext queryCompilationContext) : ExpressionVisitor
{
    private readonly Dictionary<IEntityType, bool> _readsItself = [];
    private readonly CurrentTenantParameters _currentTenants = new(queryCompilationContext);

    protected override Expression VisitExtension(Expression node)
        => node is EntityQueryRootExpression { EntityType: var entityType } root
            && entityType.FindTenantProperty() is { } tenant
            && ReadsItself(entityType.GetRootType())
                ? Filtered(root, tenant)
                : base.VisitExtension(node);

    private bool ReadsItself(IEntityType rootType)
    {
        if (!_readsItself.TryGetValue(rootType, out var readsItself))
        {
            var finder = new SetFinder(rootType);
            foreach (var filter in rootType.GetDeclaredQueryFilters())
            {
                finder.Visit(filter.Expression);
            }

            _readsItself[rootType] = readsItself = finder.IsFound;
        }

        return readsItself;
    }

    private MethodCallExpression Filtered(EntityQueryRootExpression root, IProperty tenant)
    {
        var entity = Expression.Parameter(root.ElementType, "e");

        return Expression.Call(
            typeof(Queryable),
            nameof(Queryable.Where),
            [root.ElementType],
            root,
            Expression.Quote(
                Expression.Lambda(TenantFilterExpression.Predicate(root.EntityType, tenant, entity, _currentTenants.Of(tenant)), entity)));
    }

    private sealed class SetFinder(IEntityType rootType) : ExpressionVisitor
    {
        public bool IsFound { get; private set; }

        protected override Expression VisitExtension(Expression node)
        {
            IsFound |= node is EntityQueryRootExpression root && root.EntityType.GetRootType() == rootType;
            return base.VisitExtension(node);
        }
    }
}
