using System.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Drops the registry of tenants if no tenant is registered; one with tenants stays, and so does its schema.</summary>
[DebuggerDisplay("DROP TENANT REGISTRY {Schema}")]
public class DropTenantRegistryOperation : MigrationOperation
{
    /// <summary>The schema of the registry.</summary>
    public virtual string Schema { get; set; } = null!;
}
