using System.Diagnostics;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>
///     Copies the rows of a table into one that is partitioned in another way, or not at all, which takes its name and everything that stands on
///     it. Nobody reads or writes the table meanwhile.
/// </summary>
[DebuggerDisplay("REBUILD {Table} BY COPYING")]
public class RebuildTableByCopyingOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of its partitions; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>The tenant column.</summary>
    public virtual string Column { get; set; } = null!;

    /// <summary>The collation that the tenant column has afterwards; null for the database's default.</summary>
    public virtual string? Collation { get; set; }

    /// <summary>The new partitions; null for a plain table.</summary>
    public virtual TenantPartitioning? Partitioning { get; set; }
}
