using EfTenancy.Migrations.Operations;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;

namespace EfTenancy.Migrations.Internal;

/// <summary>
///     Where tenants have schemas, a migration has two parts: what it does to tables without a schema is done in each tenant's, and what it
///     does to those with one, which tenants share, is done once. The tables of one tenant need no partitions.
/// </summary>
public static class TenantSchemaOperations
{
    public static IReadOnlyList<MigrationOperation> Of(IReadOnlyList<MigrationOperation> operations, IModel? model, TenantPlace? place)
        // Without a model, or with that of its own, it is the table of the migrations' history.
        => place is not { NeedsSearchPath: true } || model is null || model.FindEntityType(typeof(HistoryRow)) is not null ? operations
            : place.IsSharedPart ? [.. operations.Where(IsShared)]
            : [.. operations.Where(o => !IsShared(o) && !IsAboutPartitions(o))];

    private static bool IsShared(MigrationOperation operation)
        => operation switch
        {
            EnsureSchemaOperation or DropSchemaOperation or AlterDatabaseOperation => true,
            EnsureTenantRegistryOperation or DropTenantRegistryOperation => true,
            ITableMigrationOperation { Schema: var schema } => schema is not null,
            CreateSequenceOperation { Schema: var schema } => schema is not null,
            AlterSequenceOperation { Schema: var schema } => schema is not null,
            RenameSequenceOperation { Schema: var schema } => schema is not null,
            RestartSequenceOperation { Schema: var schema } => schema is not null,
            DropSequenceOperation { Schema: var schema } => schema is not null,
            _ => false,
        };

    private static bool IsAboutPartitions(MigrationOperation operation)
        => operation is CreateTenantPartitionOperation or DropTenantPartitionOperation or CreateRegisteredTenantPartitionsOperation
            or RegisterTenantPartitionsOperation or KeepTenantPartitionsOperation or PartitionExistingTableOperation or RebuildTableByCopyingOperation;
}
