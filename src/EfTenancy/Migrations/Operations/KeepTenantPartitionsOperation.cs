using System.Diagnostics;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Keeps the list partitions that a table has, and creates those of a list for tenants that have none.</summary>
[DebuggerDisplay("KEEP PARTITIONS OF {Table}")]
public class KeepTenantPartitionsOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The partitioned table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of its partitions; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>List partitions.</summary>
    public virtual TenantPartitioning Partitioning { get; set; } = null!;
}
