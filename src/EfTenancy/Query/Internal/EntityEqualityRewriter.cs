using System.Linq.Expressions;
using System.Reflection;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>
///     Compares entities by key where the tenant that came into the key would stop EF: a shadow tenant is not on the application's
///     objects, and EF compares no subquery, and joins no missing row, by a key of several properties.
/// </summary>
/// <param name="queryCompilationContext">Of the query.</param>
/// <param name="currentTenant">Of the context that compiles the query.</param>
/// <param name="keepsFilter">
///     Whether no part of the query leaves the tenant filter. Where that is one tenant's, its entities, but those of types with shared rows,
///     are all of one tenant and their ids tell them apart.
/// </param>
public sealed class EntityEqualityRewriter(
    QueryCompilationContext queryCompilationContext,
    CurrentTenant currentTenant,
    bool keepsFilter) : ExpressionVisitor
{
    private static readonly MethodInfo EnumerableContains = typeof(Enumerable).GetMethods()
        .Single(m => m.Name == nameof(Enumerable.Contains) && m.GetParameters().Length == 2);

    private readonly GivenEntities _given = new(queryCompilationContext);
    private readonly TenantKeys _keys = new(queryCompilationContext.Model);
    private readonly bool _isOfOneTenant = keepsFilter && !currentTenant.IsGroup;

    /// <summary>Ends the rewriting of a query and of the filters that EF applied to it.</summary>
    public void RegisterParameters()
        => _given.Register();

    protected override Expression VisitBinary(BinaryExpression node)
        => node.NodeType is ExpressionType.Equal or ExpressionType.NotEqual
            && Comparison(node.Left, node.Right) is { } comparison
                ? node.NodeType == ExpressionType.Equal ? comparison : Expression.Not(comparison)
                : base.VisitBinary(node);

    protected override Expression VisitMethodCall(MethodCallExpression node)
        => node switch
        {
            { Method.Name: nameof(Equals), Object: { } left, Arguments: [var right] } => Comparison(left, right),
            { Method.Name: nameof(Equals), Object: null, Arguments: [var left, var right] } => Comparison(left, right),
            { Method.Name: nameof(Enumerable.Contains), Object: { } list, Arguments: [var item] } => Membership(list, item),
            { Method.Name: nameof(Enumerable.Contains), Object: null, Arguments: [var list, var item] } => Membership(list, item),
            { Method.DeclaringType: var type, Arguments: [_, _, UnaryExpression, UnaryExpression, _] } when type == typeof(Queryable)
                => Join(node),
            _ => null,
        } ?? base.VisitMethodCall(node);

    private Expression? Comparison(Expression left, Expression right)
        => (Unwrap(left), Unwrap(right)) switch
        {
            var (given, entity) when IsObject(given) && KeyBeyondEf(given, entity) is { } key => EqualToObject(entity, given, key),
            var (entity, given) when IsObject(given) && KeyBeyondEf(given, entity) is { } key => EqualToObject(entity, given, key),
            (NewExpression or MemberInitExpression, _) and var (made, entity) => EqualToMade(entity, made),
            (_, NewExpression or MemberInitExpression) and var (entity, made) => EqualToMade(entity, made),
            (ConstantExpression { Value: null }, var entity) => EqualToNull(entity),
            (var entity, ConstantExpression { Value: null }) => EqualToNull(entity),
            var (a, b) => EqualById(a, b),
        };

    private IKey? KeyBeyondEf(Expression given, Expression entity)
        => (_keys.OfShadowTenant(given.Type) ?? (IsSubquery(entity) ? _keys.Of(given.Type) : null)) is { } key && IsOneRow(entity, key) ? key : null;

    // Each property of a subquery is a subquery by itself, and two of them may find different rows. EF refuses it.
    private bool IsOneRow(Expression entity, IKey key)
        => !IsSubquery(entity) || (IsOfOneTenant(key) && TenantKeys.IdOf(key) is not null);

    private Expression EqualToObject(Expression entity, Expression given, IKey key)
    {
        var tenant = key.DeclaringEntityType.FindTenantProperty()!;
        var isSubquery = IsSubquery(entity);
        entity = Visit(entity);

        return key.Properties
            .Select(
                Expression (property) => isSubquery && property == tenant
                    ? _given.IsOfCurrentTenant(given, tenant)
                    : Expression.Equal(
                        PropertyExpression.Of(entity, property, Nullable(property.ClrType)),
                        _given.Value(given, property, Nullable(property.ClrType))))
            .Aggregate(Expression.AndAlso);
    }

    // What a query makes itself is of the context's tenant. EF would make an object of it only when it comes to SQL.
    private Expression? EqualToMade(Expression entity, Expression made)
    {
        if (_keys.OfShadowTenant(made.Type) is not { } key
            || currentTenant.IsGroup
            || key.DeclaringEntityType.HasSharedRows()
            || !IsOneRow(entity, key)
            || MadeEntity.Of(made) is not { } values)
        {
            return null;
        }

        var tenant = key.DeclaringEntityType.FindTenantProperty()!;
        var properties = key.Properties.Where(p => p != tenant || !_isOfOneTenant).ToList();
        var keyValues = properties.Select(p => p == tenant ? _given.TenantAt(tenant, 0) : Visit(values.Value(p))).ToList();
        entity = Visit(entity);

        return keyValues.Contains(null) ? null
            : properties.Zip(keyValues)
                .Select(
                    Expression (p) => Expression.Equal(
                        PropertyExpression.Of(entity, p.First, Nullable(p.First.ClrType)),
                        Convert(p.Second!, Nullable(p.First.ClrType))))
                .Aggregate(Expression.AndAlso);
    }

    private BinaryExpression? EqualToNull(Expression entity)
        => _isOfOneTenant
            && IsSubquery(entity)
            && TenantKeys.IdOf(_keys.Of(entity.Type)) is { } id
            // Whether such an entity is there, EF finds out by its other columns.
            && id.DeclaringType.GetTableMappings().All(m => m.Table.IsOptional(id.DeclaringType) is false)
                ? Expression.Equal(
                    PropertyExpression.Of(Visit(entity), id, Nullable(id.ClrType)),
                    Expression.Constant(null, Nullable(id.ClrType)))
                : null;

    private BinaryExpression? EqualById(Expression left, Expression right)
        => !IsObject(left)
            && !IsObject(right)
            && _keys.Of(left.Type) is { } key
            && IsOfOneTenant(key)
            && key == _keys.Of(right.Type)
            && TenantKeys.IdOf(key) is { } id
                ? Expression.Equal(
                    PropertyExpression.Of(Visit(left), id, Nullable(id.ClrType)),
                    PropertyExpression.Of(Visit(right), id, Nullable(id.ClrType)))
                : null;

    private Expression? Membership(Expression list, Expression item)
        => _keys.Of(item.Type) is null ? null
            : Unwrap(list) switch
            {
                var given when IsObject(given) => MembershipOfObjects(given, item),
                NewArrayExpression inline => MembershipOfAny(inline.Expressions, item),
                ListInitExpression inline => MembershipOfAny([.. inline.Initializers.SelectMany(i => i.Arguments)], item),
                _ => MembershipOfQuery(list, item),
            };

    private BinaryExpression? MembershipOfObjects(Expression given, Expression item)
    {
        // Which tenants' entities come together in a query that leaves its filter is not known when it is compiled.
        if (!keepsFilter || _keys.Of(item.Type) is not { } key || TenantKeys.IdOf(key) is not { } id)
        {
            return null;
        }

        var tenant = key.DeclaringEntityType.FindTenantProperty()!;
        var entity = Visit(item);

        // Tenant by tenant: pairs of tenant and id have no SQL that prunes partitions.
        return Enumerable.Range(0, currentTenant.ReadableCount(key.DeclaringEntityType))
            .Select(
                i => Expression.AndAlso(
                    Expression.Call(
                        EnumerableContains.MakeGenericMethod(id.ClrType),
                        _given.Values(given, id, i),
                        PropertyExpression.Of(entity, id, id.ClrType)),
                    Expression.Equal(
                        PropertyExpression.Of(entity, tenant, tenant.ClrType),
                        _given.TenantAt(tenant, i))))
            .Aggregate(Expression.OrElse);
    }

    private Expression? MembershipOfAny(IReadOnlyList<Expression> elements, Expression item)
    {
        var comparisons = elements.Select(e => Comparison(e, item)).ToList();
        return comparisons.Count > 0 && comparisons.All(c => c is not null) ? comparisons.Aggregate(Expression.OrElse!) : null;
    }

    private MethodCallExpression? MembershipOfQuery(Expression query, Expression item)
    {
        var element = Expression.Parameter(item.Type, "e");
        if (!query.Type.IsAssignableTo(typeof(IEnumerable<>).MakeGenericType(item.Type))
            || Comparison(element, item) is not { } comparison)
        {
            return null;
        }

        var predicate = Expression.Lambda(comparison, element);
        return query.Type.IsAssignableTo(typeof(IQueryable))
            ? Expression.Call(typeof(Queryable), nameof(Queryable.Any), [item.Type], Visit(query), Expression.Quote(predicate))
            : Expression.Call(typeof(Enumerable), nameof(Enumerable.Any), [item.Type], Visit(query), predicate);
    }

    // A missing row equals no other one, but EF takes two keys of nulls for equal where a key has several properties.
    private MethodCallExpression? Join(MethodCallExpression join)
    {
        if (join.Method.GetGenericArguments() is not [var outerType, var innerType, _, var resultType]
            || Key(join.Arguments[2]) is not { } outerKey
            || Key(join.Arguments[3]) is not { } innerKey
            || _keys.Of(outerKey.Body.Type) is not { } key
            || key != _keys.Of(innerKey.Body.Type)
            || TenantKeys.IdOf(key) is not { } id)
        {
            return null;
        }

        if (!IsOfOneTenant(key))
        {
            var isRight = join.Method.Name == nameof(Queryable.RightJoin);
            var outer = isRight ? WithKey(join.Arguments[0], outerKey) : join.Arguments[0];
            var inner = isRight ? join.Arguments[1] : WithKey(join.Arguments[1], innerKey);
            return join.Update(null, [Visit(outer), Visit(inner), .. join.Arguments.Skip(2).Select(a => Visit(a)!)]);
        }

        var type = Nullable(id.ClrType);
        return Expression.Call(
            join.Method.GetGenericMethodDefinition().MakeGenericMethod(outerType, innerType, type, resultType),
            Visit(join.Arguments[0]),
            Visit(join.Arguments[1]),
            ById(outerKey),
            ById(innerKey),
            Visit(join.Arguments[4]));

        static LambdaExpression? Key(Expression argument)
            => argument is UnaryExpression { Operand: LambdaExpression lambda } ? lambda : null;

        UnaryExpression ById(LambdaExpression selector)
            => Expression.Quote(Expression.Lambda(PropertyExpression.Of(Visit(selector.Body), id, type), selector.Parameters));
    }

    private static MethodCallExpression WithKey(Expression source, LambdaExpression selector)
        => Expression.Call(
            typeof(Queryable),
            nameof(Queryable.Where),
            [selector.Parameters[0].Type],
            source,
            Expression.Quote(
                Expression.Lambda(
                    Expression.NotEqual(selector.Body, Expression.Constant(null, selector.Body.Type)), selector.Parameters)));

    private bool IsOfOneTenant(IKey key)
        => _isOfOneTenant && !key.DeclaringEntityType.HasSharedRows();

    private static bool IsObject(Expression expression)
        => expression is QueryParameterExpression or ConstantExpression { Value: not null };

    private static bool IsSubquery(Expression expression)
        => expression switch
        {
            UnaryExpression unary => IsSubquery(unary.Operand),
            MemberExpression { Expression: { } instance } => IsSubquery(instance),
            MethodCallExpression { Method: var method, Arguments: [var instance, ..] } when method.DeclaringType == typeof(EF)
                => IsSubquery(instance),
            MethodCallExpression { Method.DeclaringType: var type } => type == typeof(Queryable) || type == typeof(Enumerable),
            _ => false,
        };

    private static Expression Convert(Expression value, Type type)
        => value.Type == type ? value : Expression.Convert(value, type);

    private static Type Nullable(Type type)
        => type.IsValueType && System.Nullable.GetUnderlyingType(type) is null ? typeof(Nullable<>).MakeGenericType(type) : type;

    private static Expression Unwrap(Expression expression)
        => expression is UnaryExpression { NodeType: ExpressionType.Convert or ExpressionType.TypeAs } unary
            ? Unwrap(unary.Operand)
            : expression;
}
