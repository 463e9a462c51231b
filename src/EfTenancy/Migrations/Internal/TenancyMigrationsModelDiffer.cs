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

            yield return new TenantOperationOrder.SwitchOperation(target, Switch(source, target, column!));
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
        => TenantOperationOrder.Sort([.. operations], o => base.Sort(o, diffContext));

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
}
#pragma warning restore EF1001
