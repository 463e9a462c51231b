using System.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Drops an empty partition of a table that is partitioned by tenant. One that holds rows is refused.</summary>
[DebuggerDisplay("DROP PARTITION {Suffix} OF {Table}")]
public class DropTenantPartitionOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The partitioned table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of the partition; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>The partition's suffix.</summary>
    public virtual string Suffix { get; set; } = null!;
}
