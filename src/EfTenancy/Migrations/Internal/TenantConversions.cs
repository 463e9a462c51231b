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
        var copies = operations.OfType<RebuildTableByCopyingOperation>().ToList();
        var rebuilds = copies.Where(o => o.Partitioning is { IsManaged: true }).ToList();

        return
        [
            .. operations.SelectMany(
                o =>
                {
                    List<MigrationOperation> withLooks = [o];
                    if (copies.Count > 0 && o == copies[0])
                    {
                        withLooks.Insert(0, new CloseRebuiltTablesOperation(copies));
                    }

                    if (conversions.Count > 0 && o == operations.First(IsAny))
                    {
                        withLooks.Insert(0, new LookAtTenantsOperation(conversions, rebuilds));
                    }

                    return withLooks;
                }),
        ];

        bool IsAny(MigrationOperation operation)
            => conversions.Contains(operation) || rebuilds.Contains(operation);
    }

    /// <summary>Registers the tenants of all tables, and then closes to others those that are not copied.</summary>
    public sealed class LookAtTenantsOperation(
        IReadOnlyList<PartitionExistingTableOperation> conversions,
        IReadOnlyList<RebuildTableByCopyingOperation> rebuilds)
        : MigrationOperation
    {
        public IReadOnlyList<PartitionExistingTableOperation> Conversions { get; } = conversions;

        public IReadOnlyList<RebuildTableByCopyingOperation> Rebuilds { get; } = rebuilds;
    }

    /// <summary>Closes the tables that are copied, and registers the tenants of those that are to follow the registry.</summary>
    public sealed class CloseRebuiltTablesOperation(IReadOnlyList<RebuildTableByCopyingOperation> rebuilds) : MigrationOperation
    {
        public IReadOnlyList<RebuildTableByCopyingOperation> Rebuilds { get; } = rebuilds;
    }
}
