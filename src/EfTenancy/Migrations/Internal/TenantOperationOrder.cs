using EfTenancy.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Internal;

/// <summary>Puts the operations of tenant partitions among those that EF has put in order.</summary>
public static class TenantOperationOrder
{
    public static IReadOnlyList<MigrationOperation> Sort(
        IReadOnlyList<MigrationOperation> all,
        Func<IEnumerable<MigrationOperation>, IReadOnlyList<MigrationOperation>> sortOfEF)
    {
        var converts = all.OfType<SwitchOperation>().Any(
            s => s.Operation is PartitionExistingTableOperation { Partitioning.IsManaged: true } or RebuildTableByCopyingOperation { Partitioning.IsManaged: true });
        var seeded = all.OfType<InsertDataOperation>().Select(o => (o.Schema, o.Table)).ToHashSet();
        var ours = all.ToLookup(StepOf);
        var sorted = sortOfEF(ours[Step.OfEF]).ToList();
        var creates = ours[Step.Create].Cast<ITableMigrationOperation>().ToLookup(
            c => converts && c is CreateRegisteredTenantPartitionsOperation && !seeded.Contains((c.Schema, c.Table)));

        // Drops under the old names of tables and before anything may take a dropped partition's tenants; creations when
        // all tables stand, parents first, and before seed data needs them.
        sorted.InsertRange(0, ours[Step.Registry].Concat(ours[Step.Drop]));
        sorted.InsertRange(FirstAfterTables(sorted), ours[Step.Register].Concat(InTableOrder(creates[false], sorted)));
        sorted.AddRange(PrincipalsFirst(ours[Step.Switch].Cast<SwitchOperation>()));
        // A table that is converted tells tenants that a new table is for too.
        sorted.AddRange(InTableOrder(creates[true], sorted));
        sorted.AddRange(ours[Step.DropRegistry]);
        return sorted;
    }

    private static Step StepOf(MigrationOperation operation)
        => operation switch
        {
            EnsureTenantRegistryOperation => Step.Registry,
            DropTenantPartitionOperation => Step.Drop,
            RegisterTenantPartitionsOperation => Step.Register,
            CreateTenantPartitionOperation or CreateRegisteredTenantPartitionsOperation or KeepTenantPartitionsOperation => Step.Create,
            SwitchOperation => Step.Switch,
            DropTenantRegistryOperation => Step.DropRegistry,
            _ => Step.OfEF,
        };

    private enum Step
    {
        OfEF,
        Registry,
        Drop,
        Register,
        Create,
        Switch,
        DropRegistry,
    }

    private static int FirstAfterTables(List<MigrationOperation> sorted)
    {
        var data = sorted.FindIndex(o => o is InsertDataOperation or UpdateDataOperation);
        var constraints = sorted.FindIndex(o => o is CreateIndexOperation or AddForeignKeyOperation or AddCheckConstraintOperation);
        return Math.Min(data < 0 ? sorted.Count : data, constraints < 0 ? sorted.Count : constraints);
    }

    private static IEnumerable<MigrationOperation> InTableOrder(
        IEnumerable<ITableMigrationOperation> creates,
        List<MigrationOperation> sorted)
    {
        var tables = sorted.OfType<CreateTableOperation>().Select((t, i) => ((t.Schema, t.Name), i)).ToDictionary();
        return creates.OrderBy(c => tables.GetValueOrDefault((c.Schema, c.Table), -1)).Cast<MigrationOperation>();
    }

    // A reference from a plain table to a partitioned one can be added without looking at the rows; the other way round it cannot.
    private static IEnumerable<MigrationOperation> PrincipalsFirst(IEnumerable<SwitchOperation> switches)
    {
        var left = switches.ToList();
        while (left.Count > 0)
        {
            var tables = left.Select(s => s.Table).ToHashSet();
            var next = left.Find(s => s.Table.ForeignKeyConstraints.All(f => f.PrincipalTable == f.Table || !tables.Contains(f.PrincipalTable)))
                ?? left[0];
            left.Remove(next);
            yield return next.Operation;
        }
    }

    /// <summary>Keeps an operation and its table together until they are in order.</summary>
    public sealed class SwitchOperation(ITable table, MigrationOperation operation) : MigrationOperation
    {
        public ITable Table { get; } = table;

        public MigrationOperation Operation { get; } = operation;
    }
}
