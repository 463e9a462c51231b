using System.Transactions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;

namespace EfTenancy.Migrations.Internal;

/// <summary>Migrates while nobody else migrates the same, and finds done what another did before.</summary>
#pragma warning disable EF1001 // The only way to give the lock back after the last transaction.
public class TenancyMigrator(
    IMigrationsAssembly migrationsAssembly,
    TenancyHistoryRepository history,
    IDatabaseCreator databaseCreator,
    IMigrationsSqlGenerator migrationsSqlGenerator,
    IRawSqlCommandBuilder rawSqlCommandBuilder,
    IMigrationCommandExecutor migrationCommandExecutor,
    IRelationalConnection connection,
    ISqlGenerationHelper sqlGenerationHelper,
    ICurrentDbContext currentContext,
    IModelRuntimeInitializer modelRuntimeInitializer,
    IDiagnosticsLogger<DbLoggerCategory.Migrations> logger,
    IRelationalCommandDiagnosticsLogger commandLogger,
    IDatabaseProvider databaseProvider,
    IMigrationsModelDiffer migrationsModelDiffer,
    IDesignTimeModel designTimeModel,
    IDbContextOptions contextOptions,
    IExecutionStrategy executionStrategy)
    : NpgsqlMigrator(
        migrationsAssembly, history, databaseCreator, migrationsSqlGenerator, rawSqlCommandBuilder, migrationCommandExecutor, connection,
        sqlGenerationHelper, currentContext, modelRuntimeInitializer, logger, commandLogger, databaseProvider, migrationsModelDiffer,
        designTimeModel, contextOptions, executionStrategy)
{
    private readonly IRelationalConnection _connection = connection;

    public override void Migrate(string? targetMigration)
    {
        if (_connection.CurrentTransaction is not null)
        {
            history.LockUntilCommitted();
        }

        try
        {
            base.Migrate(targetMigration);
        }
        catch (PostgresException exception) when (IsDatabaseCreatedByOther(exception))
        {
            base.Migrate(targetMigration);
        }
        finally
        {
            using var _ = WithoutAmbientTransaction();
            history.Release();
        }
    }

    public override async Task MigrateAsync(string? targetMigration, CancellationToken cancellationToken = default)
    {
        if (_connection.CurrentTransaction is not null)
        {
            await history.LockUntilCommittedAsync(cancellationToken).ConfigureAwait(false);
        }

        try
        {
            await base.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
        }
        catch (PostgresException exception) when (IsDatabaseCreatedByOther(exception))
        {
            await base.MigrateAsync(targetMigration, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            using var _ = WithoutAmbientTransaction();
            await history.ReleaseAsync().ConfigureAwait(false);
        }
    }

    /// <summary>PostgreSQL says one or the other, by the moment.</summary>
    public static bool IsDatabaseCreatedByOther(PostgresException exception)
        => exception.SqlState == PostgresErrorCodes.DuplicateDatabase
            || exception is { SqlState: PostgresErrorCodes.UniqueViolation, ConstraintName: "pg_database_datname_index" };

    // As EF migrates.
    private static TransactionScope WithoutAmbientTransaction()
        => new(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
}
#pragma warning restore EF1001
