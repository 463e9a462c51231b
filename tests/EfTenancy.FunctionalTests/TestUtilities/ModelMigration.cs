using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>From the model of one context to that of another, as `dotnet ef migrations add` and `database update` do it, without files.</summary>
public static class ModelMigration
{
    /// <summary>What leads from one model to the other; null is a model without anything.</summary>
    public static IReadOnlyList<MigrationOperation> Differences(DbContext? before, DbContext? after)
        => (after ?? before)!.GetService<IMigrationsModelDiffer>().GetDifferences(ModelOf(before), ModelOf(after));

    /// <summary>The steps of a migration that was written by hand.</summary>
    public static IReadOnlyList<MigrationOperation> Operations(Action<MigrationBuilder> steps)
    {
        var migration = new MigrationBuilder("Npgsql.EntityFrameworkCore.PostgreSQL");
        steps(migration);
        return migration.Operations;
    }

    public static IReadOnlyList<MigrationCommand> CommandsOf(
        this DbContext context,
        IReadOnlyList<MigrationOperation> operations,
        MigrationsSqlGenerationOptions options = MigrationsSqlGenerationOptions.Default)
        => context.GetService<IMigrationsSqlGenerator>().Generate(operations, context.GetService<IDesignTimeModel>().Model, options);

    public static Task ExecuteAsync(this DbContext context, IReadOnlyList<MigrationOperation> operations)
        => context.GetService<IMigrationCommandExecutor>().ExecuteNonQueryAsync(
            context.CommandsOf(operations), context.GetService<IRelationalConnection>());

    /// <returns>What was done.</returns>
    public static async Task<IReadOnlyList<MigrationOperation>> MigrateAsync(DbContext? before, DbContext after)
    {
        var operations = Differences(before, after);
        await after.ExecuteAsync(operations);
        return operations;
    }

    /// <summary>The commands in a script that applies a migration once.</summary>
    public static string IdempotentScript(this DbContext context, IReadOnlyList<MigrationOperation> operations)
        => string.Concat(
            context.CommandsOf(operations, MigrationsSqlGenerationOptions.Script | MigrationsSqlGenerationOptions.Idempotent).Select(
                c => $"""
                DO $EF$ BEGIN
                    IF NOT EXISTS (SELECT FROM pg_class WHERE relname = 'applied') THEN
                {c.CommandText}
                    END IF;
                END $EF$;

                """)) + "CREATE TABLE IF NOT EXISTS applied ();";

    private static IRelationalModel? ModelOf(DbContext? context)
        => context?.GetService<IDesignTimeModel>().Model.GetRelationalModel();
}
