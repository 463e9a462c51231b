using System.Linq.Expressions;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Whose rows a composed query is to read, and how it says so with tenancy and without.</summary>
public enum Reach
{
    /// <summary>Those of the context's tenant.</summary>
    OneTenant,

    /// <summary>Those of the context's tenant, and those that all tenants share.</summary>
    Shared,

    /// <summary>Those of a context that works for two tenants.</summary>
    Group,

    /// <summary>Those of all tenants, by a predicate on each set.</summary>
    AnyTenant,

    /// <summary>Those of all tenants, in a scope.</summary>
    AcrossTenants,

    /// <summary>Those of all tenants, by leaving the filters of the query.</summary>
    IgnoredFilters,

    /// <summary>Those of two tenants, by a predicate on some of the sets.</summary>
    SomeSets,
}

/// <summary>Finds the sets of one composed query.</summary>
/// <param name="reach">Whose rows are read.</param>
/// <param name="own">The context's tenant.</param>
/// <param name="choice">Which of the sets have a predicate.</param>
/// <param name="haveSharedRows">Whether tenants read rows of the default tenant beside their own.</param>
public sealed class ReachedSets(Reach reach, int own, int choice, bool haveSharedRows)
{
    private readonly int[] _two = [own, (own + 1) % BazaarSeed.Tenants];
    private int _count;

    public void Use(DbContext db, Func<int, string> tenants)
    {
        if (reach == Reach.Group)
        {
            db.Tenancy().Use(_two.Select(tenants));
        }
        else
        {
            db.Tenancy().Use(tenants(own));
        }

        if (reach == Reach.AcrossTenants)
        {
            // It ends with the context.
            _ = db.Tenancy().AcrossTenants("a composed query");
        }
    }

    public SetReplacement WithTenancy(DbContext db, Func<int, string> tenants)
        => reach == Reach.IgnoredFilters ? new SetReplacement(set => Unfiltered(set.In(db), set.EntityType.ClrType)) : Sets(
            db,
            isPlain: false,
            (set, element) => reach switch
            {
                Reach.AnyTenant => Expression.Call(
                    typeof(TenancyQueryableExtensions), nameof(TenancyQueryableExtensions.AnyTenant), [element.Type], element),
                Reach.SomeSets when ReachesTwo() => Expression.Call(
                    typeof(TenancyQueryableExtensions),
                    nameof(TenancyQueryableExtensions.TenantIsOneOf),
                    [element.Type],
                    element,
                    Expression.Constant(_two.Select(tenants).ToArray())),
                _ => null,
            });

    public SetReplacement WithoutTenancy(DbContext db)
        => Sets(
            db,
            isPlain: true,
            (set, element) => reach switch
            {
                Reach.Group => IsOf([.. _two, .. Shared(set)], element),
                Reach.SomeSets => IsOf(ReachesTwo() ? _two : [own, .. Shared(set)], element),
                _ => null,
            });

    private int[] Shared(SetExpression set)
        => haveSharedRows && SharingContext.IsShared(set.EntityType.ShortName()) ? [BazaarSeed.Shared] : [];

    private bool ReachesTwo()
        => (choice >> (_count++ % 30) & 1) == 0;

    private SetReplacement Sets(DbContext db, bool isPlain, Func<SetExpression, ParameterExpression, Expression?> predicate)
    {
        _count = 0;
        return new SetReplacement(
            set =>
            {
                var element = Expression.Parameter(set.EntityType.ClrType, "t");
                return predicate(set, element) is { } condition
                    ? QueryExpressions.Call("Where", set.In(db), [element.Type], Expression.Lambda(condition, element))
                    : set.In(db);
            })
        {
            Writer = isPlain && reach == Reach.Shared ? own : null,
            SwapsRightJoins = isPlain && reach is (Reach.Group or Reach.SomeSets),
        };
    }

    private static MethodCallExpression Unfiltered(Expression set, Type element)
        => Expression.Call(
            typeof(EntityFrameworkQueryableExtensions), nameof(EntityFrameworkQueryableExtensions.IgnoreQueryFilters), [element], set);

    private static MethodCallExpression IsOf(int[] origins, ParameterExpression element)
        => Expression.Call(
            typeof(Enumerable),
            nameof(Enumerable.Contains),
            [typeof(int)],
            Expression.Constant(origins),
            Expression.Call(typeof(EF), nameof(EF.Property), [typeof(int)], element, Expression.Constant(nameof(Item.Origin))));
}
