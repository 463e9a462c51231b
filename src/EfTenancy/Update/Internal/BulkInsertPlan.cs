using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Conventions.Infrastructure;

namespace EfTenancy.Update.Internal;

/// <summary>What a bulk insert of one entity type writes, worked out once for each model.</summary>
public sealed class BulkInsertPlan<TEntity>
    where TEntity : class
{
    private const string RuntimePlan = TenancyAnnotationNames.Prefix + "RuntimeBulkInsertPlan";

    private BulkInsertPlan(IEntityType entityType)
    {
        if (ReasonAgainst(entityType) is { } reason)
        {
            throw new NotSupportedException(TenancyStrings.BulkInsertNotSupported(entityType.DisplayName(), reason));
        }

        EntityType = entityType;
        Table = entityType.GetTableMappings().Single().Table;
        Tenant = entityType.FindTenantProperty();
        TenantColumn = Tenant is null ? null : Table.FindColumn(Tenant)!.Name;
        Columns =
        [
            .. entityType.GetProperties()
                .Where(p => p != Tenant && p.ValueGenerated != ValueGenerated.OnAddOrUpdate)
                .Select(p => new BulkInsertColumn<TEntity>(p, Table.FindColumn(p)!)),
        ];
    }

    public IEntityType EntityType { get; }

    public ITable Table { get; }

    public IProperty? Tenant { get; }

    public string? TenantColumn { get; }

    public IReadOnlyList<BulkInsertColumn<TEntity>> Columns { get; }

    public static BulkInsertPlan<TEntity> For(DbContext context)
    {
        var entityType = context.Model.FindEntityType(typeof(TEntity))
            ?? throw new InvalidOperationException(TenancyStrings.EntityNotInModel(typeof(TEntity).Name, context.GetType().Name));

        return entityType.GetOrAddRuntimeAnnotationValue(
            RuntimePlan, static t => new BulkInsertPlan<TEntity>(t!), entityType);
    }

    private static string? ReasonAgainst(IEntityType entityType)
        => entityType.BaseType is not null || entityType.GetDirectlyDerivedTypes().Any() ? "it is part of a hierarchy"
            : entityType.IsOwned() ? "it is owned by another entity"
            : entityType.GetNavigations().Any(n => n.ForeignKey.IsOwnership) ? "it owns other entities"
            : entityType.GetComplexProperties().Any() ? "it has complex properties"
            : entityType.GetTableMappings().Count() != 1 ? "it is not mapped to exactly one table"
            : entityType.GetProperties().FirstOrDefault(p => p.IsShadowProperty() && p != entityType.FindTenantProperty()) is { } shadow
                ? $"its shadow property '{shadow.Name}' has no value outside a context"
            : null;
}
