using EfTenancy.Metadata;
using EfTenancy.Metadata.Builders;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Operations;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Migrations.Operations.Builders;

namespace Microsoft.EntityFrameworkCore.Migrations;

/// <summary>Tenant steps of a migration: what <c>dotnet ef migrations add</c> writes, and what can be written by hand.</summary>
public static class TenancyMigrationBuilderExtensions
{
    /// <summary>Makes the new table a partitioned one: <c>PARTITION BY</c> at the end of <c>CREATE TABLE</c>.</summary>
    /// <param name="operationBuilder">The result of <c>CreateTable</c>.</param>
    /// <param name="strategy">The strategy.</param>
    /// <param name="column">The tenant column, which must be part of the primary key.</param>
    public static OperationBuilder<CreateTableOperation> PartitionByTenant(
        this OperationBuilder<CreateTableOperation> operationBuilder,
        TenantPartitionStrategy strategy,
        string column)
    {
        ArgumentNullException.ThrowIfNull(operationBuilder);

        return operationBuilder
            .Annotation(TenancyAnnotationNames.PartitionStrategy, strategy)
            .Annotation(TenancyAnnotationNames.PartitionColumn, column);
    }

    /// <summary>Creates a partition that holds the rows of the listed tenants.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="suffix">The suffix; the partition is named <c>{table}_{suffix}</c>.</param>
    /// <param name="values">The tenants' ids.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<CreateTenantPartitionOperation> CreateTenantPartition(
        this MigrationBuilder migrationBuilder,
        string table,
        string suffix,
        string[] values,
        string? schema = null)
        => Create(migrationBuilder, table, schema, new TenantPartition(suffix) { Values = values });

    /// <summary>Creates a partition of a table that is partitioned by hash.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="suffix">The suffix; the partition is named <c>{table}_{suffix}</c>.</param>
    /// <param name="modulus">The number of partitions of the table.</param>
    /// <param name="remainder">Which of them this is, counted from zero.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<CreateTenantPartitionOperation> CreateTenantPartition(
        this MigrationBuilder migrationBuilder,
        string table,
        string suffix,
        int modulus,
        int remainder,
        string? schema = null)
        => Create(migrationBuilder, table, schema, new TenantPartition(suffix) { Modulus = modulus, Remainder = remainder });

    /// <summary>Creates a partition that holds the rows of the tenants between two bounds.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="suffix">The suffix; the partition is named <c>{table}_{suffix}</c>.</param>
    /// <param name="from">The inclusive lower bound.</param>
    /// <param name="to">The exclusive upper bound.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<CreateTenantPartitionOperation> CreateTenantPartition(
        this MigrationBuilder migrationBuilder,
        string table,
        string suffix,
        string from,
        string to,
        string? schema = null)
        => Create(migrationBuilder, table, schema, new TenantPartition(suffix) { From = from, To = to });

    /// <summary>Creates the DEFAULT partition, which holds the rows of all tenants that have no other one.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="suffix">The suffix; the partition is named <c>{table}_{suffix}</c>.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<CreateTenantPartitionOperation> CreateDefaultTenantPartition(
        this MigrationBuilder migrationBuilder,
        string table,
        string suffix,
        string? schema = null)
        => Create(migrationBuilder, table, schema, new TenantPartition(suffix));

    /// <summary>Drops a partition that is empty. The migration fails, and nothing is lost, if it holds rows.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="suffix">The suffix of the partition.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<DropTenantPartitionOperation> DropTenantPartition(
        this MigrationBuilder migrationBuilder,
        string table,
        string suffix,
        string? schema = null)
        => Add(migrationBuilder, new DropTenantPartitionOperation { Table = table, Schema = schema, Suffix = suffix });

    /// <summary>Creates the registry of tenants and its schema, unless they are there.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="schema">The schema of the registry.</param>
    public static OperationBuilder<EnsureTenantRegistryOperation> EnsureTenantRegistry(
        this MigrationBuilder migrationBuilder,
        string schema)
        => Add(migrationBuilder, new EnsureTenantRegistryOperation { Schema = schema });

    /// <summary>Drops the registry of tenants if no tenant is registered. One with tenants stays, and so does its schema.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="schema">The schema of the registry.</param>
    public static OperationBuilder<DropTenantRegistryOperation> DropTenantRegistry(
        this MigrationBuilder migrationBuilder,
        string schema)
        => Add(migrationBuilder, new DropTenantRegistryOperation { Schema = schema });

    /// <summary>Creates the partitions of a table for all tenants that are registered when the migration is applied.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The partitioned table.</param>
    /// <param name="registrySchema">The schema of the registry.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<CreateRegisteredTenantPartitionsOperation> CreateRegisteredTenantPartitions(
        this MigrationBuilder migrationBuilder,
        string table,
        string registrySchema,
        string? schema = null)
        => Add(
            migrationBuilder,
            new CreateRegisteredTenantPartitionsOperation { Table = table, RegistrySchema = registrySchema, Schema = schema });

    /// <summary>
    ///     Registers the tenants of the list partitions that a table has, so that they follow the registry from now on. The suffix is what the
    ///     partition's name has behind the table's. The partitions stay as they are; who is registered already keeps his suffix.
    /// </summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The table, partitioned by list.</param>
    /// <param name="registrySchema">The schema of the registry.</param>
    /// <param name="partitioning">What the model said of the partitions, for suffixes that names do not tell; null if it said nothing.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    /// <param name="formerRegistrySchema">
    ///     The schema of the registry that the partitions followed before: its tenants are registered with their suffixes, and who is disabled there
    ///     is disabled. The former registry stays as it is.
    /// </param>
    public static OperationBuilder<RegisterTenantPartitionsOperation> RegisterTenantPartitions(
        this MigrationBuilder migrationBuilder,
        string table,
        string registrySchema,
        Action<TenantPartitioningBuilder>? partitioning = null,
        string? schema = null,
        string? formerRegistrySchema = null)
        => Add(
            migrationBuilder,
            new RegisterTenantPartitionsOperation
            {
                FormerRegistrySchema = formerRegistrySchema,
                Table = table,
                Schema = schema,
                RegistrySchema = registrySchema,
                Partitioning = partitioning is null ? null : TenantPartitioningBuilder.Build(partitioning),
            });

    /// <summary>Keeps the list partitions that a table has, whoever made them, and creates those of a list for tenants that have none.</summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The table, partitioned by list.</param>
    /// <param name="partitioning">List partitions.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    /// <exception cref="ArgumentException">The partitioning is none by list.</exception>
    public static OperationBuilder<KeepTenantPartitionsOperation> KeepTenantPartitions(
        this MigrationBuilder migrationBuilder,
        string table,
        Action<TenantPartitioningBuilder> partitioning,
        string? schema = null)
        => Add(
            migrationBuilder,
            new KeepTenantPartitionsOperation
            {
                Table = table,
                Schema = schema,
                Partitioning = TenantPartitioningBuilder.Build(partitioning) is { Strategy: TenantPartitionStrategy.List } list
                    ? list
                    : throw new ArgumentException(TenancyStrings.AttachingNeedsList(table), nameof(partitioning)),
            });

    /// <summary>
    ///     Makes a partitioned table of a plain one without copying. The old table becomes the first partition, for the tenants whose rows
    ///     it holds; the new one takes its name, keys, indexes, references, identity, grants, triggers, views and comments. Statements that read
    ///     the rows run outside of the transaction and keep nobody from them; the switch takes an exclusive lock for milliseconds, waits for
    ///     it 200 ms at a time, and tries again.
    /// </summary>
    /// <remarks>
    ///     A row of a tenant that has none yet, and is not registered, is refused while this runs, and after it unless the tenant has a partition. Whatever
    ///     cuts it off, applying the migration again finishes it; so give it a migration of its own.
    /// </remarks>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The table, whose keys hold the tenant.</param>
    /// <param name="column">The tenant column.</param>
    /// <param name="partitioning">
    ///     List partitions, made for those of their tenants that have no rows yet; or partitions that follow the registry of tenants, which is
    ///     there already: the tenants whose rows the tables of the migration hold are registered, and share the first partition until
    ///     <see cref="EfTenancy.Administration.ITenantAdministration" /> splits them off.
    /// </param>
    /// <param name="firstPartition">The suffix of the partition that the old table becomes.</param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    /// <exception cref="ArgumentException">The partitioning is none by list, or tenants cannot be registered with the suffix.</exception>
    public static OperationBuilder<PartitionExistingTableOperation> PartitionExistingTable(
        this MigrationBuilder migrationBuilder,
        string table,
        string column,
        Action<TenantPartitioningBuilder> partitioning,
        string firstPartition = "initial",
        string? schema = null)
        => Add(
            migrationBuilder,
            new PartitionExistingTableOperation
            {
                Table = table,
                Schema = schema,
                Column = column,
                FirstPartition = firstPartition,
                Partitioning = TenantPartitioningBuilder.Build(partitioning) is not { Strategy: TenantPartitionStrategy.List } list
                    ? throw new ArgumentException(TenancyStrings.AttachingNeedsList(table), nameof(partitioning))
                    : list.IsManaged && !TenantPartitionNaming.IsGivenSuffix(firstPartition, firstPartition)
                        ? throw new ArgumentException(TenancyStrings.FirstPartitionIsNotPlain(table, firstPartition), nameof(firstPartition))
                        : list,
            });

    /// <summary>
    ///     Copies the rows of a table into one that is partitioned in another way, or not at all, which takes its name, keys, indexes,
    ///     references, identity, grants, triggers, views and comments. All in the transaction of the migration, with an exclusive lock: it takes as
    ///     long as copying the rows takes. A row that no new partition takes makes it fail, and nothing is lost.
    /// </summary>
    /// <param name="migrationBuilder">The migration.</param>
    /// <param name="table">The table.</param>
    /// <param name="column">The tenant column.</param>
    /// <param name="collation">The collation that the tenant column has afterwards; null for the database's default. Ranges want <c>C</c>.</param>
    /// <param name="partitioning">
    ///     The new partitions; null for a plain table. Where they follow the registry of tenants, which is there already, the tenants whose rows the
    ///     tables of the migration hold are registered: those that shared a partition share one afterwards, of the same suffix (<c>initial</c> for
    ///     those of a plain table and of a DEFAULT partition), or several where there are too many for one.
    /// </param>
    /// <param name="schema">The schema of the table; null for the default one.</param>
    public static OperationBuilder<RebuildTableByCopyingOperation> RebuildTableByCopying(
        this MigrationBuilder migrationBuilder,
        string table,
        string column,
        string? collation = null,
        Action<TenantPartitioningBuilder>? partitioning = null,
        string? schema = null)
        => Add(
            migrationBuilder,
            new RebuildTableByCopyingOperation
            {
                Table = table,
                Schema = schema,
                Column = column,
                Collation = collation,
                Partitioning = partitioning is null ? null : TenantPartitioningBuilder.Build(partitioning),
            });

    private static OperationBuilder<CreateTenantPartitionOperation> Create(
        MigrationBuilder migrationBuilder,
        string table,
        string? schema,
        TenantPartition partition)
        => Add(migrationBuilder, new CreateTenantPartitionOperation { Table = table, Schema = schema, Partition = partition });

    private static OperationBuilder<TOperation> Add<TOperation>(MigrationBuilder migrationBuilder, TOperation operation)
        where TOperation : MigrationOperation
    {
        ArgumentNullException.ThrowIfNull(migrationBuilder);

        migrationBuilder.Operations.Add(operation);
        return new OperationBuilder<TOperation>(operation);
    }
}
