using System.Diagnostics;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Registers the tenants of the list partitions that a table has, with their suffixes; the partitions stay as they are.</summary>
[DebuggerDisplay("REGISTER PARTITIONS OF {Table}")]
public class RegisterTenantPartitionsOperation : MigrationOperation, ITableMigrationOperation
{
    /// <summary>The partitioned table.</summary>
    public virtual string Table { get; set; } = null!;

    /// <summary>The schema of the table and of its partitions; null for the default one.</summary>
    public virtual string? Schema { get; set; }

    /// <summary>The schema of the registry.</summary>
    public virtual string RegistrySchema { get; set; } = null!;

    /// <summary>The partitions as the model had them, for the suffixes of those whose names do not tell; null if it had none.</summary>
    public virtual TenantPartitioning? Partitioning { get; set; }

    /// <summary>The schema of the registry that the partitions followed before, whose tenants are registered as they are there; null if there was none.</summary>
    public virtual string? FormerRegistrySchema { get; set; }
}
