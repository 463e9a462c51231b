using System.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Creates the partitions of a new table for all tenants that the registry holds when the migration is applied.</summary>
[DebuggerDisplay("CREATE REGISTERED PARTITIONS OF {Table}")]
public class CreateRegisteredTenantPartitionsOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The partitioned table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of its partitions; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>The schema of the registry.</summary>
    public virtual string RegistrySchema { get; set; } = null!;
}
