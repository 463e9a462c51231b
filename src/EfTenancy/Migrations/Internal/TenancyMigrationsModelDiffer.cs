using EfTenancy.Metadata;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Operations;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Internal;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.EntityFrameworkCore.Update.Internal;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     Stage 5, diff. Receives two models with the table facts of <see cref="TenancyAnnotationProvider" />; hands on EF's
///     operations with those of tenant partitions among them.
/// </summary>
#pragma warning disable EF1001 // Nothing public takes part in the diff.
public class TenancyMigrationsModelDiffer(
    IRelationalTypeMappingSource typeMappingSource,
    IMigrationsAnnotationProvider migrationsAnnotationProvider,
    IRelationalAnnotationProvider relationalAnnotationProvider,
    IRowIdentityMapFactory rowIdentityMapFactory,
    CommandBatchPreparerDependencies commandBatchPreparerDependencies)
    : MigrationsModelDiffer(
        typeMappingSource,
        migrationsAnnotationProvider,
        relationalAnnotationProvider,
        rowIdentityMapFactory,
        commandBatchPreparerDependencies)
{
    private const string FirstPartition = "initial";

    protected override IEnumerable<MigrationOperation> Diff(
        IRelationalModel? source,
        IRelationalModel? target,
        DiffContext diffContext)
        => base.Diff(source, target, diffContext)
            .Concat(RegistriesOf(target).Except(RegistriesOf(source)).Select(s => new EnsureTenantRegistryOperation { Schema = s }))
            .Concat(
                RegistriesOf(source).Except(RegistriesOf(target))
                    .Select(s => new DropTenantRegistryOperation { Schema = s, IsDestructiveChange = true }));

    private static IEnumerable<string> RegistriesOf(IRelationalModel? model)
        => model?.Tables.Where(t => !t.IsExcludedFromMigrations).Select(t => PartitioningOf(t)?.RegistrySchema).OfType<string>() ?? [];

    protected override IEnumerable<MigrationOperation> Add(ITable target, DiffContext diffContext)
    {
        foreach (var operation in base.Add(target, diffContext))
        {
            // The partitions are operations of their own.
            operation.RemoveAnnotation(TenancyAnnotationNames.Partitions);
            yield return operation;
        }

        if (!target.IsExcludedFromMigrations)
        {
            var partitioning = PartitioningOf(target);
            if (partitioning?.RegistrySchema is { } registry)
            {
                yield return new CreateRegisteredTenantPartitionsOperation
                {
                    Table = target.Name, Schema = target.Schema, RegistrySchema = registry,
                };
            }

            foreach (var partition in partitioning?.Partitions ?? [])
            {
                yield return Create(target, partition);
            }
        }
    }

    protected override IEnumerable<MigrationOperation> Diff(ITable source, ITable target, DiffContext diffContext)
    {
        var (oldPartitioning, newPartitioning) = (PartitioningOf(source), PartitioningOf(target));
        var switches = !target.IsExcludedFromMigrations && MovesRows(oldPartitioning, newPartitioning);
        var column = (string?)(target[TenancyAnnotationNames.PartitionColumn] ?? source[TenancyAnnotationNames.PartitionColumn]);

        foreach (var operation in base.Diff(source, target, diffContext))
        {
            if (operation is not AlterTableOperation alterTable || KeepsAnyChange(alterTable))
            {
                // The switch sees to the collation of a column that partitions keep from changing.
                if (!(switches && operation is AlterColumnOperation alterColumn && alterColumn.Name == column && ChangesCollationOnly(alterColumn)))
                {
                    yield return operation;
                }
            }
        }

        if (target.IsExcludedFromMigrations)
        {
            yield break;
        }

        if (switches)
        {
            // The rows of the others say whose they are; these may have none yet.
            if (newPartitioning is { RegistrySchema: { } registry } && oldPartitioning is { Strategy: TenantPartitionStrategy.List })
            {
                yield return Register(target, oldPartitioning, registry);
            }

            yield return new SwitchOperation(target, Switch(source, target, column!));
            yield break;
        }

        var oldPartitions = oldPartitioning?.Partitions ?? [];
        var newPartitions = newPartitioning?.Partitions ?? [];

        var isAdopted = oldPartitioning?.RegistrySchema != newPartitioning?.RegistrySchema
            || (oldPartitioning is { IsExternallyManaged: true } && newPartitioning is { IsExternallyManaged: false });
        foreach (var kept in isAdopted ? oldPartitions : oldPartitions.Intersect(newPartitions))
        {
            if (Rename(source, target, kept) is { } rename)
            {
                yield return rename;
            }
        }

        if (newPartitioning is { IsExternallyManaged: true })
        {
            yield break;
        }

        if (isAdopted)
        {
            foreach (var operation in Adopt(target, oldPartitioning!, newPartitioning!))
            {
                yield return operation;
            }

            yield break;
        }

        foreach (var removed in oldPartitions.Except(newPartitions))
        {
            yield return new DropTenantPartitionOperation
            {
                Table = source.Name, Schema = source.Schema, Suffix = removed.Suffix, IsDestructiveChange = true,
            };
        }

        foreach (var added in newPartitions.Except(oldPartitions))
        {
            yield return Create(target, added);
        }
    }

    protected override IReadOnlyList<MigrationOperation> Sort(IEnumerable<MigrationOperation> operations, DiffContext diffContext)
    {
        var all = operations.ToList();
        var converts = all.OfType<SwitchOperation>().Any(
            s => s.Operation is PartitionExistingTableOperation { Partitioning.IsManaged: true } or RebuildTableByCopyingOperation { Partitioning.IsManaged: true });
        var seeded = all.OfType<InsertDataOperation>().Select(o => (o.Schema, o.Table)).ToHashSet();
        var ours = all.ToLookup(StepOf);
        var sorted = base.Sort(ours[Step.OfEF], diffContext).ToList();
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

    private static CreateTenantPartitionOperation Create(ITable table, TenantPartition partition)
        => new() { Table = table.Name, Schema = table.Schema, Partition = partition };

    private static RenameTableOperation? Rename(ITable source, ITable target, TenantPartition partition)
    {
        var (oldName, newName) = (
            TenantPartitionNaming.PartitionName(source.Name, partition.Suffix),
            TenantPartitionNaming.PartitionName(target.Name, partition.Suffix));

        return oldName == newName && source.Schema == target.Schema
            ? null
            : new RenameTableOperation { Name = oldName, Schema = source.Schema, NewName = newName, NewSchema = target.Schema };
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

    private static MigrationOperation Switch(ITable source, ITable target, string column)
    {
        var partitioning = PartitioningOf(target);

        return PartitioningOf(source) is null && partitioning is { Strategy: TenantPartitionStrategy.List }
            ? new PartitionExistingTableOperation
            {
                Table = target.Name,
                Schema = target.Schema,
                Column = column,
                Partitioning = partitioning,
                FirstPartition = partitioning.Partitions?.Any(p => p.Suffix == FirstPartition) == true ? FirstPartition + "_rows" : FirstPartition,
            }
            : new RebuildTableByCopyingOperation
            {
                Table = target.Name,
                Schema = target.Schema,
                Column = column,
                Collation = target.FindColumn(column)?.Collation,
                Partitioning = partitioning,
            };
    }

    // What there is stays; who looks after it changes.
    private static IEnumerable<MigrationOperation> Adopt(ITable table, TenantPartitioning oldPartitioning, TenantPartitioning newPartitioning)
        => newPartitioning.RegistrySchema is { } registry
            ?
            [
                Register(table, oldPartitioning, registry),
                new CreateRegisteredTenantPartitionsOperation { Table = table.Name, Schema = table.Schema, RegistrySchema = registry },
            ]
            : [new KeepTenantPartitionsOperation { Table = table.Name, Schema = table.Schema, Partitioning = newPartitioning }];

    private static RegisterTenantPartitionsOperation Register(ITable table, TenantPartitioning oldPartitioning, string registry)
        => new()
        {
            Table = table.Name,
            Schema = table.Schema,
            RegistrySchema = registry,
            Partitioning = oldPartitioning.Partitions is null ? null : oldPartitioning,
            FormerRegistrySchema = oldPartitioning.RegistrySchema,
        };

    private static bool ChangesCollationOnly(AlterColumnOperation operation)
        => operation.Collation != operation.OldColumn.Collation
            && FactsButCollation(operation).Equals(FactsButCollation(operation.OldColumn))
            && HaveSameAnnotations(operation, operation.OldColumn);

    private static object FactsButCollation(ColumnOperation column)
        => (column.ClrType, column.ColumnType, column.MaxLength, column.IsFixedLength, column.IsUnicode, column.IsNullable,
            column.DefaultValue, column.DefaultValueSql, column.ComputedColumnSql, column.Comment);

    // The bounds of hashes and ranges that somebody else made are not known here, nor whose rows a DEFAULT partition has.
    private static bool MovesRows(TenantPartitioning? oldPartitioning, TenantPartitioning? newPartitioning)
        => oldPartitioning is null || newPartitioning is null
            ? oldPartitioning != newPartitioning
            : oldPartitioning.Strategy != newPartitioning.Strategy
            || (newPartitioning.IsManaged && oldPartitioning.Partitions?.Any(p => p.IsDefault) == true)
            || (oldPartitioning != newPartitioning
                && !newPartitioning.IsExternallyManaged
                && (oldPartitioning.Strategy == TenantPartitionStrategy.Hash
                    || (oldPartitioning.Strategy == TenantPartitionStrategy.Range && oldPartitioning.IsExternallyManaged)));

    private static bool KeepsAnyChange(AlterTableOperation operation)
    {
        foreach (var annotatable in (IEnumerable<AnnotatableBase>)[operation, operation.OldTable])
        {
            foreach (var name in annotatable.GetAnnotations().Select(a => a.Name)
                         .Where(n => n.StartsWith(TenancyAnnotationNames.Prefix, StringComparison.Ordinal))
                         .ToList())
            {
                annotatable.RemoveAnnotation(name);
            }
        }

        return operation.Comment != operation.OldTable.Comment
            || !HaveSameAnnotations(operation, operation.OldTable);
    }

    private static bool HaveSameAnnotations(AnnotatableBase one, AnnotatableBase other)
        => one.GetAnnotations().Select(a => (a.Name, a.Value)).SequenceEqual(other.GetAnnotations().Select(a => (a.Name, a.Value)));

    private static TenantPartitioning? PartitioningOf(ITable table)
        => table[TenancyAnnotationNames.Partitions] is string text ? TenantPartitioning.Deserialize(text) : null;

    /// <summary>Keeps an operation and its table together until they are in order.</summary>
    private sealed class SwitchOperation(ITable table, MigrationOperation operation) : MigrationOperation
    {
        public ITable Table { get; } = table;

        public MigrationOperation Operation { get; } = operation;
    }
}
#pragma warning restore EF1001
