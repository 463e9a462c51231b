using EfTenancy.Diagnostics.Internal;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata;
using EfTenancy.Metadata.Internal;
using EfTenancy.Migrations.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata.Internal;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations;

namespace EfTenancy.Migrations.Internal;

/// <summary>Stage 6, SQL. Receives the operations of stage 5; dispatches them to <see cref="TenantPartitionSql" />, which writes the DDL.</summary>
#pragma warning disable EF1001 // The provider's generator asks for its internal options.
public class TenancyMigrationsSqlGenerator(
    MigrationsSqlGeneratorDependencies dependencies,
    INpgsqlSingletonOptions npgsqlSingletonOptions,
    CurrentTenant tenant,
    IDiagnosticsLogger<DbLoggerCategory.Migrations> logger)
    : NpgsqlMigrationsSqlGenerator(dependencies, npgsqlSingletonOptions)
#pragma warning restore EF1001
{
    private readonly TenantTableSwitchSql _switchSql = new(
        dependencies.SqlGenerationHelper, dependencies.TypeMappingSource, new TenantIdSql(dependencies.TypeMappingSource, tenant));
    private readonly TenantTableCopySql _copySql = new(dependencies.SqlGenerationHelper, dependencies.TypeMappingSource);
    private readonly TenantAdoptionSql _adoptionSql = new(
        dependencies.SqlGenerationHelper, dependencies.TypeMappingSource, new TenantIdSql(dependencies.TypeMappingSource, tenant));
    private readonly TenantRegroupingSql _regroupingSql = new(
        dependencies.SqlGenerationHelper, dependencies.TypeMappingSource, new TenantIdSql(dependencies.TypeMappingSource, tenant));
    private readonly TenantPartitionSql _partitionSql = new(dependencies.SqlGenerationHelper, dependencies.TypeMappingSource);
    private readonly HashSet<(string Table, string? Schema)> _createdTables = [];

    public override IReadOnlyList<MigrationCommand> Generate(
        IReadOnlyList<MigrationOperation> operations,
        IModel? model = null,
        MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
    {
        _createdTables.Clear();
        return base.Generate(TenantConversions.Of(TenantSchemaOperations.Of(operations, model, tenant.Place?.FindOrNull())), model, options);
    }

    protected override void Generate(MigrationOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        switch (operation)
        {
            case CreateTenantPartitionOperation create:
                Append(builder, _partitionSql.CreatePartition(create.Table, create.Schema, create.Partition));
                break;

            case DropTenantPartitionOperation drop:
                Append(builder, _partitionSql.DropEmptyPartition(drop.Table, drop.Schema, drop.Suffix));
                break;

            case EnsureTenantRegistryOperation ensure:
                Append(builder, RegistrySql(ensure.Schema).CreateRegistry());
                break;

            case DropTenantRegistryOperation drop:
                Append(builder, RegistrySql(drop.Schema).DropEmptyRegistry());
                break;

            case CreateRegisteredTenantPartitionsOperation create:
                Append(builder, RegistrySql(create.RegistrySchema).CreateRegisteredPartitions(create.Table, create.Schema));
                break;

            case RegisterTenantPartitionsOperation register:
                Append(
                    builder,
                    _adoptionSql.Register(
                        register.Table,
                        register.Schema,
                        RegistrySql(register.RegistrySchema),
                        register.Partitioning,
                        register.FormerRegistrySchema is { } former ? RegistrySql(former) : null));
                break;

            case KeepTenantPartitionsOperation keep:
                Append(builder, _adoptionSql.Keep(keep.Table, keep.Schema, keep.Partitioning));
                break;

            case TenantConversions.LookAtTenantsOperation look:
                AppendEach(
                    builder,
                    look.Conversions.Select(
                            o => _switchSql.RegisterTenants(o.Table, o.Schema, o.Column, o.Partitioning, o.FirstPartition))
                        .Concat(look.Rebuilds.Select(o => _regroupingSql.Register(o.Table, o.Schema, o.Column, o.Partitioning!.RegistrySchema!)))
                        .Concat(look.Conversions.SelectMany(
                            o => _switchSql.CloseToOthers(o.Table, o.Schema, o.Column, o.Partitioning, o.FirstPartition))));
                break;

            case TenantConversions.CloseRebuiltTablesOperation close:
                Append(
                    builder,
                    close.Rebuilds.Where(o => o.Partitioning is { IsManaged: true })
                        .Select(o => _regroupingSql.Register(o.Table, o.Schema, o.Column, o.Partitioning!.RegistrySchema!))
                        .Prepend(_copySql.Close([.. close.Rebuilds.Select(o => (o.Table, o.Schema, o.Partitioning))])));
                break;

            case PartitionExistingTableOperation partition:
                AppendEach(
                    builder,
                    _switchSql.PartitionExistingTable(
                        partition.Table, partition.Schema, partition.Column, partition.Partitioning, partition.FirstPartition));
                break;

            case RebuildTableByCopyingOperation rebuild:
                Append(builder, _copySql.Rebuild(
                    rebuild.Table, rebuild.Schema, rebuild.Column, rebuild.Collation, rebuild.Partitioning));
                break;

            default:
                base.Generate(operation, model, builder);
                break;
        }
    }

    protected override void Generate(
        CreateTableOperation operation,
        IModel? model,
        MigrationCommandListBuilder builder,
        bool terminate = true)
    {
        _createdTables.Add((operation.Name, operation.Schema));
        if (operation[TenancyAnnotationNames.PartitionStrategy] is not TenantPartitionStrategy strategy || IsTenantsOwn(operation.Schema))
        {
            base.Generate(operation, model, builder, terminate);
            return;
        }

        // The provider ends CREATE TABLE itself when there are comments, so those come after it here.
        var (tableComment, columnComments) = TakeComments(operation);

        base.Generate(operation, model, builder, terminate: false);
        builder
            .AppendLine()
            .Append(_partitionSql.PartitionBy(strategy, (string)operation[TenancyAnnotationNames.PartitionColumn]!));

        if (terminate)
        {
            builder.AppendLine(";");
            EndStatement(builder);
        }

        AppendComments(operation, tableComment, columnComments, builder);
    }

#pragma warning disable EF1001 // The provider keeps the name of its annotation to itself.
    protected override void Generate(CreateIndexOperation operation, IModel? model, MigrationCommandListBuilder builder, bool terminate = true)
    {
        var concurrently = operation.FindAnnotation(NpgsqlAnnotationNames.CreatedConcurrently);
        if (concurrently is not { Value: true }
            || IsTenantsOwn(operation.Schema)
            || model?.GetRelationalModel().FindTable(operation.Table, operation.Schema)?[TenancyAnnotationNames.PartitionStrategy] is null)
        {
            base.Generate(operation, model, builder, terminate);
            return;
        }

        if (!_createdTables.Contains((operation.Table, operation.Schema)))
        {
            logger.IndexNotCreatedConcurrently(tenant.Context, operation.Name, operation.Table);
        }

        operation.RemoveAnnotation(concurrently.Name);
        base.Generate(operation, model, builder, terminate);
        operation.SetAnnotation(concurrently.Name, concurrently.Value);
    }
#pragma warning restore EF1001

    // A tenant's own tables are not partitioned.
    private bool IsTenantsOwn(string? schema)
        => schema is null && tenant.Place?.FindOrNull()?.Schema is not null;

    protected override void ForeignKeyConstraint(AddForeignKeyOperation operation, IModel? model, MigrationCommandListBuilder builder)
    {
        base.ForeignKeyConstraint(operation, model, builder);

        if (operation.OnDelete == ReferentialAction.SetNull
            && operation[TenancyAnnotationNames.SetNullColumns] is string[] columns)
        {
            builder.Append(" (").Append(ColumnList(columns)).Append(")");
        }
    }

    private TenantRegistrySql RegistrySql(string registrySchema)
        => new(Dependencies.SqlGenerationHelper, Dependencies.TypeMappingSource, registrySchema);

    private void Append(MigrationCommandListBuilder builder, IEnumerable<string> statements)
    {
        foreach (var statement in statements)
        {
            builder.AppendLines(statement);
        }

        EndStatement(builder);
    }

    // Each a transaction of its own.
    private void AppendEach(MigrationCommandListBuilder builder, IEnumerable<string> statements)
    {
        foreach (var statement in statements)
        {
            builder.AppendLines(statement);
            EndStatement(builder, suppressTransaction: true);
        }
    }

    private static (string? Table, List<(string Column, string Comment)> Columns) TakeComments(CreateTableOperation operation)
    {
        var comments = (
            operation.Comment,
            operation.Columns.Where(c => c.Comment is not null).Select(c => (c.Name, c.Comment!)).ToList());

        operation.Comment = null;
        operation.Columns.ForEach(c => c.Comment = null);
        return comments;
    }

    private void AppendComments(
        CreateTableOperation operation,
        string? tableComment,
        List<(string Column, string Comment)> columnComments,
        MigrationCommandListBuilder builder)
    {
        var table = Dependencies.SqlGenerationHelper.DelimitIdentifier(operation.Name, operation.Schema);
        var text = Dependencies.TypeMappingSource.FindMapping(typeof(string))!;

        if (tableComment is not null)
        {
            builder.AppendLine($"COMMENT ON TABLE {table} IS {text.GenerateSqlLiteral(tableComment)};");
            EndStatement(builder);
            operation.Comment = tableComment;
        }

        foreach (var (column, comment) in columnComments)
        {
            builder.AppendLine(
                $"COMMENT ON COLUMN {table}.{Dependencies.SqlGenerationHelper.DelimitIdentifier(column)} IS {text.GenerateSqlLiteral(comment)};");
            EndStatement(builder);
            operation.Columns.Single(c => c.Name == column).Comment = comment;
        }
    }
}
