using EfTenancy.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     Tables that one migration makes follow the registry are looked at together before the first of them is switched: a tenant
///     that has rows in one of them only has its place in all of them.
/// </summary>
public static class TenantConversions
{
    public static IReadOnlyList<MigrationOperation> Of(IReadOnlyList<MigrationOperation> operations)
    {
        var conversions = operations.OfType<PartitionExistingTableOperation>().Where(o => o.Partitioning.IsManaged).ToList();
        if (conversions.Count == 0)
        {
            return operations;
        }

        var first = operations.TakeWhile(o => o != conversions[0]).Count();
        return [.. operations.Take(first), new LookAtTenantsOperation(conversions), .. operations.Skip(first)];
    }

    /// <summary>Registers the tenants of all tables, and then closes the tables to others.</summary>
    public sealed class LookAtTenantsOperation(IReadOnlyList<PartitionExistingTableOperation> conversions) : MigrationOperation
    {
        public IReadOnlyList<PartitionExistingTableOperation> Conversions { get; } = conversions;
    }
}
