namespace EfTenancy;

/// <summary>
///     Keeps the table of this multi-tenanted entity a plain table, whatever <c>PartitionMultiTenantedEntities</c> says:
///     for small tables that partitions would only slow down. As Marten's attribute of the same name.
/// </summary>
[AttributeUsage(AttributeTargets.Class)]
public sealed class DoNotPartitionAttribute : Attribute;
