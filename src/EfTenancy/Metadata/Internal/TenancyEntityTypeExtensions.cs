using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Metadata.Internal;

/// <summary>Typed reading and writing of the tenancy facts of models, entity types and indexes.</summary>
public static class TenancyEntityTypeExtensions
{
    private const string DoNotPartition = "";

    /// <summary>Whether foreign keys do not bind rows to their tenant, <see cref="TenantKeyStyle.IdOnly" />.</summary>
    public static bool KeysAreIdsOnly(this IReadOnlyModel model)
        => model[TenancyAnnotationNames.KeysAreIdsOnly] is true;

    public static void SetKeysAreIdsOnly(this IMutableModel model)
        => model.SetAnnotation(TenancyAnnotationNames.KeysAreIdsOnly, true);

    /// <summary>Whether entities are multi-tenanted of which nothing was said; null for a model that tenancy did not shape.</summary>
    public static bool? GetAllEntitiesAreMultiTenanted(this IReadOnlyModel model)
        => (bool?)model[TenancyAnnotationNames.AllEntitiesAreMultiTenanted];

    public static void SetAllEntitiesAreMultiTenanted(this IMutableModel model, bool allEntitiesAreMultiTenanted)
        => model.SetAnnotation(TenancyAnnotationNames.AllEntitiesAreMultiTenanted, allEntitiesAreMultiTenanted);

    /// <summary>Whether any table tells tenants apart by a column.</summary>
    public static bool HasMultiTenantedEntities(this IModel model)
        => model.GetOrAddRuntimeAnnotationValue(
            TenancyAnnotationNames.HasMultiTenantedEntities,
            static m => m!.GetEntityTypes().Any(e => e.FindTenantProperty() is not null),
            model);

    /// <summary>What was said about this very type, fluently or by attribute; null if nothing was.</summary>
    public static bool? GetIsMultiTenanted(this IReadOnlyEntityType entityType)
        => (bool?)entityType[TenancyAnnotationNames.IsMultiTenanted];

    public static void SetIsMultiTenanted(this IMutableEntityType entityType, bool isMultiTenanted)
        => entityType.SetOrRemoveAnnotation(TenancyAnnotationNames.IsMultiTenanted, isMultiTenanted);

    public static void SetIsMultiTenanted(this IConventionEntityType entityType, bool isMultiTenanted, bool fromDataAnnotation)
        => entityType.Builder.HasAnnotation(TenancyAnnotationNames.IsMultiTenanted, isMultiTenanted, fromDataAnnotation);

    /// <summary>The tenant property of a multi-tenanted type, declared by it or by its base; null for a single-tenanted one.</summary>
    public static IReadOnlyProperty? FindTenantProperty(this IReadOnlyEntityType entityType)
        => entityType.GetRootType()[TenancyAnnotationNames.TenantProperty] is string name
            ? entityType.FindProperty(name)
            : null;

    /// <inheritdoc cref="FindTenantProperty(IReadOnlyEntityType)" />
    public static IMutableProperty? FindTenantProperty(this IMutableEntityType entityType)
        => (IMutableProperty?)FindTenantProperty((IReadOnlyEntityType)entityType);

    /// <inheritdoc cref="FindTenantProperty(IReadOnlyEntityType)" />
    public static IProperty? FindTenantProperty(this IEntityType entityType)
        => (IProperty?)FindTenantProperty((IReadOnlyEntityType)entityType);

    /// <summary>The tenant property of a type that has a filter for it: EF has filters on roots, through which derived and owned types are reached.</summary>
    public static IReadOnlyProperty? FindFilteredTenantProperty(this IReadOnlyEntityType entityType)
        => entityType.BaseType is null && !entityType.IsOwned() ? entityType.FindTenantProperty() : null;

    public static void SetTenantProperty(this IMutableEntityType entityType, IMutableProperty property)
        => entityType.SetAnnotation(TenancyAnnotationNames.TenantProperty, property.Name);

    /// <summary>Whether every tenant reads the default tenant's rows beside its own.</summary>
    public static bool HasSharedRows(this IReadOnlyEntityType entityType)
        => entityType.GetRootType() is var root && root.FindOwnership() is { } ownership
            ? ownership.PrincipalEntityType.HasSharedRows()
            : root.AsksForSharedRows();

    /// <summary>Whether this very type asks for shared rows, which only a root can have.</summary>
    public static bool AsksForSharedRows(this IReadOnlyEntityType entityType)
        => entityType[TenancyAnnotationNames.HasSharedRows] is true;

    public static void SetHasSharedRows(this IMutableEntityType entityType, bool hasSharedRows)
        => entityType.SetOrRemoveAnnotation(TenancyAnnotationNames.HasSharedRows, hasSharedRows ? true : null);

    /// <summary>The partitioning of the type's table; null if it is a plain table.</summary>
    public static TenantPartitioning? GetTenantPartitioning(this IReadOnlyEntityType entityType)
        => entityType[TenancyAnnotationNames.Partitioning] is string { Length: > 0 } text
            ? TenantPartitioning.Deserialize(text)
            : null;

    /// <summary>Whether the type itself says how, or that it does not want, to be partitioned.</summary>
    public static bool HasOwnPartitioning(this IReadOnlyEntityType entityType)
        => entityType[TenancyAnnotationNames.Partitioning] is not null;

    public static void SetTenantPartitioning(this IMutableEntityType entityType, TenantPartitioning? partitioning)
        => entityType.SetAnnotation(TenancyAnnotationNames.Partitioning, partitioning?.Serialize() ?? DoNotPartition);

    public static void SetDoNotPartition(this IConventionEntityType entityType, bool fromDataAnnotation)
        => entityType.Builder.HasAnnotation(TenancyAnnotationNames.Partitioning, DoNotPartition, fromDataAnnotation);

    public static bool IsGlobal(this IReadOnlyIndex index)
        => index[TenancyAnnotationNames.IsGlobal] is true;

    public static void SetIsGlobal(this IMutableIndex index, bool isGlobal)
        => index.SetOrRemoveAnnotation(TenancyAnnotationNames.IsGlobal, isGlobal ? true : null);
}
