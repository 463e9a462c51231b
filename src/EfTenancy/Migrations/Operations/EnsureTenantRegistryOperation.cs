using System.Diagnostics;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Operations;

/// <summary>Creates the registry of tenants and its schema, unless they are there: several contexts may share one.</summary>
[DebuggerDisplay("CREATE TENANT REGISTRY {Schema}")]
public class EnsureTenantRegistryOperation : MigrationOperation
{
    /// <summary>The schema of the registry.</summary>
    public virtual string Schema { get; set; } = null!;
}
