using System.Linq.Expressions;
using EfTenancy.Metadata.Internal;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Update.Internal;

/// <summary>The tenant of a row as its columns have it and as its objects name it: nothing else knows the type of that property.</summary>
public static class BulkInsertTenant
{
    public static bool Is(IProperty property)
        => property.DeclaringType is IEntityType entityType && entityType.FindTenantProperty() == property;

    /// <summary>The value of the tenant property.</summary>
    public static Expression ValueOf(IProperty property, Expression row)
    {
        var tenantId = Expression.Property(row, nameof(BulkInsertRow.TenantId));
        return property.ClrType == typeof(string)
            ? tenantId
            : Expression.Convert(
                Expression.Call(Converter(property), nameof(TenantIdConverter.ToValue), null, tenantId), property.ClrType);
    }

    /// <summary>The tenant that an object names itself, as the API has it; null if it names none.</summary>
    public static Expression NamedBy(IProperty property, Expression value)
        => property.ClrType == typeof(string)
            ? value
            : Expression.Call(Converter(property), nameof(TenantIdConverter.NamedBy), null, Expression.Convert(value, typeof(object)));

    private static ConstantExpression Converter(IProperty property)
        => Expression.Constant(TenantIdConverter.For(property));
}
