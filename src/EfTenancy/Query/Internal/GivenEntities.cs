using System.Collections;
using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Query;

namespace EfTenancy.Query.Internal;

/// <summary>Parameters of a query that hold key values of the application's objects, tenants in shadow properties among them.</summary>
public sealed class GivenEntities(QueryCompilationContext queryCompilationContext)
{
    private const string ParameterName = "ef_tenancy__entity";

    private readonly List<(string Name, LambdaExpression Value)> _parameters = [];

    public QueryParameterExpression Value(Expression given, IProperty property, Type type)
        => Parameter(nameof(ValueOf), given, property, type);

    /// <summary>Those of the given entities that are of one of the tenants that the context reads.</summary>
    public QueryParameterExpression Values(Expression given, IProperty property, int tenantIndex)
        => Parameter(nameof(ValuesOf), given, property, property.ClrType.MakeArrayType(), Expression.Constant(tenantIndex));

    public QueryParameterExpression IsOfCurrentTenant(Expression given, IProperty tenant)
        => Parameter(nameof(IsNullOrOfCurrentTenant), given, tenant, typeof(bool));

    public QueryParameterExpression TenantAt(IProperty tenant, int index)
        => Later(Expression.Call(
            typeof(GivenEntities),
            nameof(ReadableTenantAt),
            null,
            QueryCompilationContext.QueryContextParameter,
            Expression.Constant(index)), tenant.ClrType);

    private QueryParameterExpression Parameter(
        string extractor,
        Expression given,
        IProperty property,
        Type type,
        params Expression[] more)
        => Later(Expression.Call(
            typeof(GivenEntities),
            extractor,
            null,
            [QueryCompilationContext.QueryContextParameter, ObjectOf(given), Expression.Constant(property, typeof(IProperty)), .. more]), type);

    /// <summary>To be called when the parameters of filters are there: EF works them out one after the other, and these look into those.</summary>
    public void Register()
    {
        foreach (var (name, value) in _parameters)
        {
            queryCompilationContext.RegisterRuntimeParameter(name, value);
        }
    }

    private QueryParameterExpression Later(Expression value, Type type)
    {
        var name = ParameterName + _parameters.Count;
        _parameters.Add((name, Expression.Lambda(Expression.Convert(value, type), QueryCompilationContext.QueryContextParameter)));
        return new QueryParameterExpression(name, type);
    }

    private static Expression ObjectOf(Expression given)
        => given is QueryParameterExpression parameter
            ? Expression.Property(
                Expression.Property(QueryCompilationContext.QueryContextParameter, nameof(QueryContext.Parameters)),
                "Item",
                Expression.Constant(parameter.Name))
            : Expression.Convert(given, typeof(object));

    private static object? ValueOf(QueryContext context, object? entity, IProperty property)
        => entity is null ? null : ValueOf(context.Context, entity, property);

    private static bool IsNullOrOfCurrentTenant(QueryContext context, object? entity, IProperty tenant)
        => TenantFilterExpression.CurrentTenantOf(context.Context) is var current
            && (entity is null || IsOf(context.Context, entity, tenant, current.IdConverter.ToStored(current.Value)));

    private static object ReadableTenantAt(QueryContext context, int index)
        => TenantFilterExpression.CurrentTenantOf(context.Context).ReadableAt(index);

    private static Array ValuesOf(QueryContext context, object? entities, IProperty property, int tenantIndex)
    {
        var tenantProperty = property.DeclaringType is IEntityType entityType ? entityType.FindTenantProperty()! : null!;
        var current = TenantFilterExpression.CurrentTenantOf(context.Context);
        var tenant = current.IdConverter.ToStored(current.ReadableAt(tenantIndex));
        var values = ((IEnumerable?)entities)?.Cast<object?>()
            .Where(e => e is not null && IsOf(context.Context, e, tenantProperty, tenant))
            .Select(e => ValueOf(context.Context, e!, property))
            .ToList() ?? [];

        var array = Array.CreateInstance(property.ClrType, values.Count);
        ((IList)values).CopyTo(array, 0);
        return array;
    }

    private static bool IsOf(DbContext context, object entity, IProperty tenantProperty, object? storedTenant)
        => Equals(
            TenantFilterExpression.CurrentTenantOf(context).IdConverter.ToStored(ValueOf(context, entity, tenantProperty)), storedTenant);

    // EF cannot tell the entry of an object whose class several entity types share.
    private static object? ValueOf(DbContext context, object entity, IProperty property)
        => !property.IsShadowProperty() ? property.GetGetter().GetClrValue(entity)
            : property.DeclaringType is IEntityType { HasSharedClrType: true } entityType
            && TenantFilterExpression.CurrentTenantOf(context) is var current
            && current.HasReadOnlyOwn(entityType) ? current.Value
            : context.Entry(entity).Property(property).CurrentValue;
}
