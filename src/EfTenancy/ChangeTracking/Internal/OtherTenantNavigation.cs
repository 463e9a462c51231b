using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.ChangeTracking.Internal;

/// <summary>
///     Navigations of a row whose tenant the context's filter does not let through: they lead to the rows of that tenant where the unit of
///     work has opened it, and otherwise nowhere. The filter would find nothing, and EF would take that for all there is.
/// </summary>
#pragma warning disable EF1001 // See TenancyEntityFinderSource.
public static class OtherTenantNavigation
{
    private static readonly MethodInfo NarrowMethod
        = new Func<IQueryable<object>, string, IQueryable<object>>(Narrow).Method.GetGenericMethodDefinition();

    /// <summary>The opened tenant that a navigation is to be loaded for; null where the context's filter is right for it.</summary>
    /// <exception cref="InvalidOperationException">The row's tenant was not opened in this unit of work.</exception>
    public static string? TenantOf(INavigationBase navigation, InternalEntityEntry entry)
    {
        var entityType = entry.EntityType;
        if (entityType.FindTenantProperty() is not { } property || !ReadsTenants(navigation))
        {
            return null;
        }

        var tenant = ((TenancyStateManager)entry.StateManager).Tenant;
        var value = entry[property];

        // An object that is not tracked may have no tenant yet.
        var tenantId = entry.EntityState == EntityState.Detached ? tenant.IdConverter.NamedBy(value) : tenant.IdConverter.ToTenantIdOf(value);
        return tenantId is null || tenant.IsRead(value, entityType.HasSharedRows()) || !DetachedNavigationLoader.HasKey(navigation, entry) ? null
            : tenant.IsOpen(value) ? tenantId
            : throw new InvalidOperationException(
                TenancyStrings.NavigationOfOtherTenant(
                    entityType.DisplayName(), entityType.GetSchemaQualifiedTableName(), navigation.Name, tenantId, tenant.TenantIds));
    }

    /// <summary>EF's query for a navigation, from the rows of one tenant.</summary>
    public static IQueryable<TRelated> Of<TRelated>(string tenantId, IQueryable<TRelated> query)
        => query.Provider.CreateQuery<TRelated>(new RootNarrower(tenantId, query.Provider).Visit(query.Expression));

    // The rows of an owned type and of a many-to-many navigation are read from the set of the entity at hand.
    private static bool ReadsTenants(INavigationBase navigation)
        => navigation is ISkipNavigation || navigation.TargetEntityType is var target && (target.IsOwned() || target.FindTenantProperty() is not null);

    private static IQueryable<TEntity> Narrow<TEntity>(IQueryable<TEntity> rows, string tenantId)
        where TEntity : class
        => rows.Where(e => e.TenantIsOneOf(tenantId));

    private sealed class RootNarrower(string tenantId, IQueryProvider provider) : ExpressionVisitor
    {
        protected override Expression VisitExtension(Expression node)
            => node is EntityQueryRootExpression root
                ? ((IQueryable)NarrowMethod.MakeGenericMethod(root.ElementType).Invoke(null, [provider.CreateQuery(root), tenantId])!).Expression
                : base.VisitExtension(node);
    }
}
#pragma warning restore EF1001
