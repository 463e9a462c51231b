using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>A test with a database of <see cref="FirmContext" />: how it is migrated, what is written, and what is there afterwards.</summary>
public abstract class FirmTest(PostgresFixture postgres) : IAsyncLifetime
{
    protected TestDatabase Database { get; private set; } = null!;

    public async ValueTask InitializeAsync()
        => Database = await postgres.CreateDatabaseAsync(GetType().Name);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return Database.DisposeAsync();
    }

    protected async Task<IReadOnlyList<MigrationOperation>> MigrateAsync(FirmTables? before, FirmTables after)
    {
        var operations = Differences(before, after);
        await ExecuteAsync(after, operations);
        return operations;
    }

    protected async Task ExecuteAsync(FirmTables tables, IReadOnlyList<MigrationOperation> operations)
    {
        await using var context = Context(tables);
        await context.ExecuteAsync(operations);
    }

    protected IReadOnlyList<MigrationCommand> Commands(FirmTables before, FirmTables after)
    {
        using var context = Context(after);
        return context.CommandsOf(Differences(before, after));
    }

    protected IReadOnlyList<MigrationOperation> Differences(FirmTables? before, FirmTables after)
    {
        using var source = before is null ? null : Context(before);
        using var target = Context(after);
        return ModelMigration.Differences(source, target);
    }

    protected FirmContext Context(FirmTables tables)
        => new(Database.ConnectionString, tables);

    protected FirmContext ContextOf(string tenant, FirmTables tables)
        => FirmContext.For(Database.ConnectionString, tenant, tables);

    /// <summary>Rows of the tenant in all tables, among them one that references another of the same table.</summary>
    protected async Task WriteAsync(string tenant, FirmTables tables)
    {
        await using var context = ContextOf(tenant, tables);
        var parent = new Firm { Name = tenant, LandId = 1, Deals = { new Deal { Text = tenant } } };
        context.Firms.Add(parent);
        if (context.Model.FindEntityType(typeof(Memo)) is not null)
        {
            context.Memos.Add(new Memo { Text = tenant });
        }

        await context.SaveChangesAsync();
        context.Firms.Add(new Firm { Name = tenant, ParentId = parent.Id });
        await context.SaveChangesAsync();
    }

    protected Task WriteMemoAsync(string tenant, FirmTables tables)
        => WriteOneAsync(tenant, tables, new Memo { Text = tenant });

    protected Task WriteFirmAsync(string tenant, FirmTables tables)
        => WriteOneAsync(tenant, tables, new Firm { Name = tenant });

    protected Task<List<string>> RowsAsync()
        => RowsAsync(Database);

    protected static Task<List<string>> RowsAsync(TestDatabase database)
        => database.ColumnAsync(
            """
            SELECT 'Firms ' || to_jsonb(t)::text FROM "Firms" t UNION ALL SELECT 'Deals ' || to_jsonb(t)::text FROM "Deals" t
            UNION ALL SELECT 'Memos ' || to_jsonb(t)::text FROM "Memos" t ORDER BY 1
            """);

    /// <summary>The files of partitions, where copied rows would not be; without those of a table of somebody else.</summary>
    protected Task<List<string>> PartitionFilesAsync()
        => Database.ColumnAsync(
            """
            SELECT relname || ' ' || relfilenode FROM pg_class JOIN pg_inherits ON inhrelid = oid
            WHERE relkind = 'r' AND inhparent::regclass::text <> '"Notes"' ORDER BY 1
            """);

    protected Task<List<string>> ForeignKeysAsync()
        => Database.ColumnAsync(
            "SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1");

    protected Task<List<string>> BoundsAsync(string table)
        => Database.ColumnAsync(
            $"""SELECT c.relname || ' ' || pg_get_expr(relpartbound, 0) FROM pg_class c JOIN pg_inherits ON inhrelid = c.oid WHERE inhparent = '"{table}"'::regclass ORDER BY c.relname COLLATE "C" """);

    private async Task WriteOneAsync(string tenant, FirmTables tables, object row)
    {
        await using var context = ContextOf(tenant, tables);
        context.Add(row);
        await context.SaveChangesAsync();
    }
}
