namespace EfTenancy.Metadata.Internal;

/// <summary>The only place with annotation strings. Everything else uses the typed accessors over them.</summary>
public static class TenancyAnnotationNames
{
    public const string Prefix = "Tenancy:";

    /// <summary>On a model: the <see cref="Infrastructure.Internal.TenancyModelOptions" /> that it was built with, as text.</summary>
    public const string ModelOptions = Prefix + "ModelOptions";

    /// <summary>On a model: whether the policy for all entities is that they are multi-tenanted (<see cref="bool" />).</summary>
    public const string AllEntitiesAreMultiTenanted = Prefix + "AllEntitiesAreMultiTenanted";

    /// <summary>On a model: whether keys are without the tenant, <see cref="TenantKeyStyle.IdOnly" /> (<see cref="bool" />).</summary>
    public const string KeysAreIdsOnly = Prefix + "KeysAreIdsOnly";

    /// <summary>On an entity type: whether its rows belong to a tenant (<see cref="bool" />).</summary>
    public const string IsMultiTenanted = Prefix + "IsMultiTenanted";

    /// <summary>On an entity type: whether every tenant reads the default tenant's rows too (<see cref="bool" />).</summary>
    public const string HasSharedRows = Prefix + "HasSharedRows";

    /// <summary>On an entity type of the finished model: the name of its tenant property.</summary>
    public const string TenantProperty = Prefix + "TenantProperty";

    /// <summary>On an entity type: a serialized <see cref="TenantPartitioning" />; an empty string means <em>do not</em>.</summary>
    public const string Partitioning = Prefix + "Partitioning";

    /// <summary>On an index: it stays unique over all tenants (<see cref="bool" />).</summary>
    public const string IsGlobal = Prefix + "IsGlobal";

    /// <summary>On a table: its <see cref="TenantPartitionStrategy" />.</summary>
    public const string PartitionStrategy = Prefix + "PartitionStrategy";

    /// <summary>On a table: the column that it is partitioned by.</summary>
    public const string PartitionColumn = Prefix + "PartitionColumn";

    /// <summary>On a table: its serialized <see cref="TenantPartitioning" />.</summary>
    public const string Partitions = Prefix + "Partitions";

    /// <summary>At run time on a model: its <see cref="Storage.Internal.TenantIdConverter" />.</summary>
    public const string TenantIdConverter = Prefix + "TenantIdConverter";

    /// <summary>At run time on a model: the schema of its registry of tenants; an empty string means that it has none.</summary>
    public const string RegistrySchema = Prefix + "RegistrySchema";

    /// <summary>At run time on a model: whether any entity type is multi-tenanted (<see cref="bool" />).</summary>
    public const string HasMultiTenantedEntities = Prefix + "HasMultiTenantedEntities";

    /// <summary>At run time on a model: whether complex types have shadow properties, which queries do not read (<see cref="bool" />).</summary>
    public const string HasUnreadShadowValues = Prefix + "HasUnreadShadowValues";

    /// <summary>At run time on a model: its <see cref="Administration.Internal.TenantTablesOfModel" />.</summary>
    public const string TablesOfTenants = Prefix + "TablesOfTenants";

    /// <summary>On a foreign key constraint of a table: the columns that <c>ON DELETE SET NULL</c> may null.</summary>
    public const string SetNullColumns = Prefix + "SetNullColumns";
}
