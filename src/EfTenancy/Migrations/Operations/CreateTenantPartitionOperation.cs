using System.Diagnostics;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Creates a partition of a table that is partitioned by tenant.</summary>
[DebuggerDisplay("CREATE PARTITION {Partition.Suffix} OF {Table}")]
public class CreateTenantPartitionOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The partitioned table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of the partition; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>The partition's suffix and bound.</summary>
    public virtual TenantPartition Partition { get; set; } = null!;
}
