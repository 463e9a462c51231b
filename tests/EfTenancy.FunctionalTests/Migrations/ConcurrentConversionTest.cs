using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Several processes partition the same tables with rows at the same moment: each step looks for what another did while it waited.</summary>
public class ConcurrentConversionTest(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Rounds = 4;

    private TestDatabase _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _plain = await postgres.CreateDatabaseAsync();
        var connectionString = new NpgsqlConnectionStringBuilder(_plain.ConnectionString) { Pooling = false }.ConnectionString;
        await using var context = new ConversionContext(connectionString);
        await context.GetService<IMigrator>().MigrateAsync("PlainTables");
    }

    public ValueTask DisposeAsync()
        => _plain.DisposeAsync();

    [Theory]
    [InlineData(false, 0)]
    [InlineData(false, 2000)]
    [InlineData(true, 0)]
    [InlineData(true, 2000)]
    public async Task Scripts_that_run_at_once_all_come_to_their_end(bool isManaged, int rows)
    {
        await FillAsync(rows);
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await _plain.CloneAsync("scripts");
            var before = await ChecksumsAsync(database);
            await using var context = ConversionContext.Create(database.ConnectionString, isManaged);
            Migration migration = isManaged ? new ManageTables() : new PartitionTables();
            migration.ActiveProvider = context.Database.ProviderName!;
            var commands = context.GetService<IMigrationsSqlGenerator>()
                .Generate(migration.UpOperations, options: MigrationsSqlGenerationOptions.Script | MigrationsSqlGenerationOptions.Idempotent);

            await Task.WhenAll(
                Enumerable.Range(0, 4).Select(
                    _ => Task.Run(
                        async () =>
                        {
                            foreach (var command in commands)
                            {
                                await database.ExecuteAsync($"DO $EF$ BEGIN\n{command.CommandText}\nEND $EF$;");
                            }
                        })));

            await AssertConvertedAsync(database, before, isManaged, rows);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Those_who_migrate_at_once_all_come_to_their_end(bool isManaged)
    {
        await FillAsync(2000);
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await _plain.CloneAsync("migrate");
            var before = await ChecksumsAsync(database);

            await Task.WhenAll(
                Enumerable.Range(0, 4).Select(
                    _ => Task.Run(
                        async () =>
                        {
                            await using var context = ConversionContext.Create(database.ConnectionString, isManaged);
                            await context.Database.MigrateAsync();
                        })));

            await AssertConvertedAsync(database, before, isManaged, 2000);
        }
    }

    private Task FillAsync(int rows)
        => _plain.ExecuteAsync(
            $"""
            INSERT INTO "Shops" ("TenantId", "Name") SELECT 't' || 1 + i % 2, 'shop ' || i FROM generate_series(1, {rows}) i;
            INSERT INTO "Sales" ("TenantId", "ShopId") SELECT "TenantId", "Id" FROM "Shops";
            INSERT INTO "Receipts" ("TenantId", "SaleId") SELECT "TenantId", "Id" FROM "Sales";
            """);

    private static async Task AssertConvertedAsync(TestDatabase database, List<string> before, bool isManaged, int rows)
    {
        Assert.Equal(before, await ChecksumsAsync(database));
        Assert.Equal(
            (isManaged, rows) switch
            {
                (true, 0) => [],
                (true, _) => ["_initial"],
                (false, 0) => ["_t1", "_t2", "_t9"],
                (false, _) => ["_initial", "_t9"],
            },
            (await database.ColumnAsync("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname LIKE 'Shops%' ORDER BY 1"))
            .Select(t => t["Shops".Length..]));
        Assert.Equal("Receipts,Sales,Shops", string.Join(',', await database.ColumnAsync("SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1")));
        Assert.Empty(await database.ColumnAsync("SELECT conname FROM pg_constraint WHERE NOT convalidated OR conname LIKE 'tenancy%'"));
        Assert.Equal(2, await database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0"));
        if (isManaged)
        {
            await using var context = ConversionContext.Create(database.ConnectionString, isManaged);
            Assert.Empty(await context.Tenancy().Administration.RepairAsync());
        }
    }

    private static Task<List<string>> ChecksumsAsync(TestDatabase database)
        => database.ColumnAsync(
            """
            SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "Shops" t
            UNION ALL SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "Sales" t
            UNION ALL SELECT count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "Receipts" t
            """);
}
