using System.Diagnostics;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>
///     Makes a partitioned table of a plain one without copying: the old table becomes the first partition, for the tenants whose rows it
///     holds, and the new one takes its name, keys, indexes, references, grants, triggers, views and comments.
/// </summary>
[DebuggerDisplay("PARTITION {Table} BY {Column}")]
public class PartitionExistingTableOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of its partitions; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>The tenant column.</summary>
    public virtual string Column { get; set; } = null!;

    /// <summary>List partitions. Of their tenants, those that have rows stay in the first partition until they are split off.</summary>
    public virtual TenantPartitioning Partitioning { get; set; } = null!;

    /// <summary>The suffix of the partition that the old table becomes.</summary>
    public virtual string FirstPartition { get; set; } = null!;
}
