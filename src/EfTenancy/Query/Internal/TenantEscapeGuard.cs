using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Refuses what would show other tenants' rows once the named filter is gone and that no predicate on a set can mend:
///     navigations from global rows into tenants' rows, those from shared rows to the default tenant's own, and users' filters that
///     read multi-tenanted sets.
/// </summary>
public sealed class TenantEscapeGuard : ExpressionVisitor
{
    private readonly ILookup<string, INavigationBase> _escapes;
    private readonly string _method;

    private TenantEscapeGuard(ILookup<string, INavigationBase> escapes, string method)
    {
        _escapes = escapes;
        _method = method;
    }

    public static void Refuse(Expression query, IModel model, string method, bool isBulkWrite)
    {
        var readsSharedRows = !isBulkWrite && SharedRowsFinder.ReadsSharedRows(query);
        var escapes = model.GetEntityTypes()
            .SelectMany(e => e.GetDeclaredNavigations().Concat<INavigationBase>(e.GetDeclaredSkipNavigations()))
            .Where(n => !IsOfOneRow(n)
                && (((n.DeclaringEntityType.FindTenantProperty() is null || KeysAreIdsOnly(n)) && LeadsIntoTenants(n))
                    || (readsSharedRows && LeavesSharedRows(n))))
            .ToLookup(n => n.Name);
        if (escapes.SelectMany(n => n).FirstOrDefault(n => n.IsEagerLoaded) is { } eager)
        {
            throw Refusal(method, eager);
        }

        var guard = new TenantEscapeGuard(escapes, method);
        guard.Visit(query);

        var ignored = IgnoredTenancyFinder.Names(query);
        foreach (var entityType in model.GetEntityTypes())
        {
            foreach (var filter in entityType.GetDeclaredQueryFilters()
                         .Where(f => f.Key != TenancyDefaults.QueryFilterName && !(f.Key is { } name && ignored.Contains(name))))
            {
                guard.Visit(filter.Expression);
                if (TenantReadFinder.ReadsTenants(filter.Expression, model))
                {
                    throw new InvalidOperationException(TenancyStrings.FilterInUserFilter(method, entityType.DisplayName()));
                }
            }
        }
    }

    // Two global rows may be joined by a tenant's row.
    private static bool LeadsIntoTenants(INavigationBase navigation)
        => navigation.TargetEntityType.FindTenantProperty() is not null
            || (navigation as ISkipNavigation)?.JoinEntityType.FindTenantProperty() is not null;

    private static bool LeavesSharedRows(INavigationBase navigation)
        => navigation.DeclaringEntityType.HasSharedRows()
            && (IsOfEachTenant(navigation.TargetEntityType) || (navigation is ISkipNavigation skip && IsOfEachTenant(skip.JoinEntityType)));

    private static bool IsOfEachTenant(IEntityType entityType)
        => entityType.FindTenantProperty() is not null && !entityType.HasSharedRows();

    private static bool IsOfOneRow(INavigationBase navigation)
        => (navigation as INavigation)?.ForeignKey.IsOwnership == true;

    // Foreign keys do not hold the tenant then.
    private static bool KeysAreIdsOnly(INavigationBase navigation)
        => navigation.DeclaringEntityType.Model.KeysAreIdsOnly();

    protected override Expression VisitMember(MemberExpression node)
    {
        Check(node.Member.Name, n => n.DeclaringEntityType.ClrType.IsAssignableTo(node.Member.DeclaringType));
        return base.VisitMember(node);
    }

    // EF.Property(region, "Orders"), Include("Region.Orders").
    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.DeclaringType?.Namespace == typeof(EF).Namespace)
        {
            foreach (var name in node.Arguments.OfType<ConstantExpression>().Select(c => c.Value).OfType<string>()
                         .SelectMany(path => path.Split('.')))
            {
                Check(name, n => node.Method.DeclaringType != typeof(EF) || IsOf(n, node.Arguments[0].Type));
            }
        }

        return base.VisitMethodCall(node);
    }

    // Whatever is declared as less than the entity may be one.
    private static bool IsOf(INavigationBase navigation, Type type)
        => navigation.DeclaringEntityType.ClrType is var entity && (entity.IsAssignableTo(type) || entity.IsAssignableFrom(type));

    private void Check(string name, Func<INavigationBase, bool> isMeant)
    {
        if (_escapes[name].FirstOrDefault(isMeant) is { } navigation)
        {
            throw Refusal(_method, navigation);
        }
    }

    private static InvalidOperationException Refusal(string method, INavigationBase navigation)
    {
        var name = $"{navigation.DeclaringEntityType.DisplayName()}.{navigation.Name}";
        return new InvalidOperationException(
            navigation.DeclaringEntityType.FindTenantProperty() is null
                ? TenancyStrings.FilterCrossesGlobalEntity(method, name)
                : KeysAreIdsOnly(navigation)
                ? TenancyStrings.FilterCrossesReferenceWithoutTenant(method, name)
                : TenancyStrings.FilterLeavesSharedRows(method, name));
    }

    /// <summary>Looks for a set that has the context's tenant and shared rows, beside those that have a predicate.</summary>
    private sealed class SharedRowsFinder : ExpressionVisitor
    {
        private bool _found;

        public static bool ReadsSharedRows(Expression query)
        {
            var finder = new SharedRowsFinder();
            finder.Visit(query);
            return finder._found;
        }

        protected override Expression VisitExtension(Expression node)
        {
            _found |= node is TenantQueryRootExpression { IsCrossTenant: false } occurrence && occurrence.EntityType.HasSharedRows();
            return base.VisitExtension(node);
        }
    }

    private sealed class TenantReadFinder(IModel model) : ExpressionVisitor
    {
        private bool _found;

        public static bool ReadsTenants(LambdaExpression? filter, IModel model)
        {
            var finder = new TenantReadFinder(model);
            finder.Visit(filter);
            return finder._found;
        }

        protected override Expression VisitExtension(Expression node)
        {
            _found |= node is EntityQueryRootExpression root && root.EntityType.FindTenantProperty() is not null;
            return base.VisitExtension(node);
        }

        protected override Expression VisitMethodCall(MethodCallExpression node)
        {
            _found |= model.FindEntityTypeOfFunction(node)?.FindTenantProperty() is not null;
            return base.VisitMethodCall(node);
        }
    }
}
