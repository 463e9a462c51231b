using EfTenancy.Metadata.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.Administration.Internal;

/// <summary>What a model says about its tables: which hold rows of tenants, in which column, and whether the registry rules their partitions.</summary>
public sealed class TenantTablesOfModel
{
    private TenantTablesOfModel(IModel model)
    {
        Tables = [.. model.GetRelationalModel().Tables.Select(Describe)];
        RegistrySchema = RegistrySchemaOf(model);
    }

    public IReadOnlyList<(string? Schema, string Name, string? TenantColumn, bool IsManaged)> Tables { get; }

    public string? RegistrySchema { get; }

    public static TenantTablesOfModel Of(IModel model)
        => model.GetOrAddRuntimeAnnotationValue(
            TenancyAnnotationNames.TablesOfTenants, m => new TenantTablesOfModel(m!), model);

    /// <summary>The schema of the registry that the model's partitions follow; null if none are managed.</summary>
    public static string? RegistrySchemaOf(IModel model)
        // Each context asks.
        => model.GetOrAddRuntimeAnnotationValue(
            TenancyAnnotationNames.RegistrySchema,
            m => m!.GetEntityTypes().Select(e => e.GetTenantPartitioning()?.RegistrySchema).FirstOrDefault(s => s is not null) ?? "",
            model) is { Length: > 0 } schema
            ? schema
            : null;

    private static (string?, string, string?, bool) Describe(ITable table)
    {
        var tenant = table.EntityTypeMappings
            .Select(m => m.TypeBase is IEntityType entityType && entityType.FindTenantProperty() is { } property
                ? m.ColumnMappings.FirstOrDefault(c => c.Property == property)?.Column.Name
                : null)
            .FirstOrDefault(c => c is not null);

        return (
            table.Schema, table.Name, tenant,
            table.EntityTypeMappings.Any(m => m.TypeBase is IEntityType e && e.GetRootType().GetTenantPartitioning()?.IsManaged == true));
    }
}
