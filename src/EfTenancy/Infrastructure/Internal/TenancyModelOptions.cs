using EfTenancy.Metadata;

namespace EfTenancy.Infrastructure.Internal;

/// <summary>The settings that shape the model: contexts that differ in them cannot share one.</summary>
public sealed record TenancyModelOptions(
    bool AllEntitiesMultiTenanted,
    TenantPartitioning? Partitioning,
    TenantIdStyle TenantIdStyle,
    string TenantPropertyName,
    int? TenantColumnLength,
    string? TenantPropertyType,
    TenantKeyStyle TenantKeyStyle);
