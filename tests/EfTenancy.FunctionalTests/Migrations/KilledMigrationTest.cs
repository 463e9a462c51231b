using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>A process that partitions tables with rows is killed at some moment; applying the migration again finishes it.</summary>
public class KilledMigrationTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Rows = 40_000;

    private TestDatabase _plain = null!;

    public async ValueTask InitializeAsync()
    {
        _plain = await postgres.CreateDatabaseAsync();
        var connectionString = new NpgsqlConnectionStringBuilder(_plain.ConnectionString) { Pooling = false }.ConnectionString;
        await using var context = new ConversionContext(connectionString);
        await context.GetService<IMigrator>().MigrateAsync("PlainTables");
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(
            $"""
            INSERT INTO "Shops" ("TenantId", "Name") SELECT 't' || 1 + i % 2, 'shop ' || i FROM generate_series(1, {Rows}) i;
            INSERT INTO "Sales" ("TenantId", "ShopId") SELECT "TenantId", "Id" FROM "Shops";
            INSERT INTO "Receipts" ("TenantId", "SaleId") SELECT "TenantId", "Id" FROM "Sales";
            """,
            connection);
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync()
        => _plain.DisposeAsync();

    [Theory]
    [InlineData("convert")]
    [InlineData("manage")]
    public async Task Applying_the_migration_again_finishes_what_a_killed_process_began(string command)
    {
        var isManaged = command == "manage";
        var random = new Random(7);
        var moments = new List<string>();
        var longest = await LongestAsync(isManaged);
        for (var round = 0; round < Scale.KillRounds; round++)
        {
            await using var database = await _plain.CloneAsync("killed");
            var before = await ChecksumsAsync(database);

            var finished = await KilledProcess.RunAsync(
                database.ConnectionString, command, "-", longest * random.NextDouble());
            var partitioned = await database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'p'");
            var bounds = await database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE conname LIKE 'tenancy%'");
            moments.Add(finished ? "had finished" : $"{partitioned} tables partitioned, {bounds} on their way");
            Assert.Equal(before, await ChecksumsAsync(database));

            await using (var context = ConversionContext.Create(database.ConnectionString, isManaged))
            {
                await context.Database.MigrateAsync();
                await context.Database.MigrateAsync();
                if (isManaged)
                {
                    Assert.Empty(await context.Tenancy().Administration.RepairAsync());
                    Assert.Equal(
                        [("t1", "initial", TenantState.Active, 3), ("t2", "initial", TenantState.Active, 3)],
                        (await context.Tenancy().Administration.ListAsync()).Select(t => (t.TenantId, t.Suffix, t.State, t.Partitions)));
                    await context.Tenancy().Administration.AddAsync(["t9"]);
                }
            }

            Assert.Equal(before, await ChecksumsAsync(database));
            Assert.Equal(
                ["Receipts_initial", "Receipts_t9", "Sales_initial", "Sales_t9", "Shops_initial", "Shops_t9"],
                await database.ColumnAsync(
                    """SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> '__EFMigrationsHistory' ORDER BY relname COLLATE "C" """));
            Assert.Equal(
                [
                    "FK_Receipts_Sales_TenantId_SaleId \"Receipts\" \"Sales\" true", "FK_Sales_Shops_TenantId_ShopId \"Sales\" \"Shops\" true",
                ],
                await database.ColumnAsync(
                    "SELECT concat_ws(' ', conname, conrelid::regclass, confrelid::regclass, convalidated::text) FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1"));
            Assert.Equal(0, await database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE NOT convalidated OR conname LIKE 'tenancy%'"));
            Assert.Equal(0, await database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname LIKE 'tenancy%'"));

            foreach (var tenant in (string[])["t1", "t9"])
            {
                await using var context = ConversionContext.Create(database.ConnectionString, isManaged);
                context.Tenancy().Use(tenant);
                context.Add(new Shop { Name = "new", Sales = { new Sale { Receipts = { new Receipt() } } } });
                await context.SaveChangesAsync();
                Assert.True(await context.Shops.Where(s => s.Name == "new").Select(s => s.Id).SingleAsync() > Rows);
            }
        }

        foreach (var moment in moments.GroupBy(m => m).OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{moment.Count()} × {moment.Key}");
        }
    }

    // A new process has more to do first than one that has run for a while.
    private async Task<TimeSpan> LongestAsync(bool isManaged)
    {
        await using var database = await _plain.CloneAsync("timed");
        await using var context = ConversionContext.Create(database.ConnectionString, isManaged);
        var started = Stopwatch.GetTimestamp();
        await context.Database.MigrateAsync();
        return TimeSpan.FromMilliseconds(300) + 2 * Stopwatch.GetElapsedTime(started);
    }

    private static Task<List<string>> ChecksumsAsync(TestDatabase database)
        => database.ColumnAsync(
            """
            SELECT 'Shops ' || count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "Shops" t
            UNION ALL SELECT 'Sales ' || count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "Sales" t
            UNION ALL SELECT 'Receipts ' || count(*) || ' ' || sum(hashtextextended(t::text, 0)) FROM "Receipts" t
            ORDER BY 1
            """);
}
