using System.CommandLine;
using EfTenancy.Administration;
using EfTenancy.CommandLine;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;
using Xunit;

namespace EfTenancy.FunctionalTests.CommandLine;

/// <summary>The command <c>tenants</c>, against a real database.</summary>
public class TenantCommandsTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
    }

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Tenants_are_added_listed_disabled_enabled_and_removed()
    {
        Assert.Equal((0, "No tenant is registered."), await RunAsync("list"));

        var (exitCode, output) = await RunAsync("add", "acme", "Globex");
        Assert.Equal(0, exitCode);
        Assert.Contains("Added: Globex, acme.", output, StringComparison.Ordinal);
        Assert.Contains("20 partitions changed and 0 rows deleted in 10 tables.", output, StringComparison.Ordinal);
        Assert.Contains("Nothing was to be done.", (await RunAsync("add", "acme")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("add", "t1", "t2", "--suffix", "small")).ExitCode);
        Assert.Equal(
            ["Globex", "acme", "t1 small", "t2 small"],
            await _database.ColumnAsync(
                """
                SELECT partition_value || CASE partition_name WHEN 'small' THEN ' small' ELSE '' END
                FROM tenants.tenant_partitions ORDER BY partition_value COLLATE "C"
                """));

        await InsertAsync("acme");
        await _database.ExecuteAsync("ANALYZE");
        Assert.Equal(0, (await RunAsync("disable", "t1")).ExitCode);
        var (_, list) = await RunAsync("list");
        var lines = list.Split('\n').Where(l => l.Contains(" kB", StringComparison.Ordinal)).Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..6]).ToList();
        Assert.Equal(["acme", "acme", "Active", "10", "0", "11"], Assert.Single(lines, l => l[0] == "acme"));
        Assert.Equal(["t1", "small", "Disabled", "10", "0", "0"], Assert.Single(lines, l => l[0] == "t1"));
        Assert.Equal(0, (await RunAsync("enable", "t1")).ExitCode);

        (exitCode, output) = await RunAsync("delete-data", "acme", "--yes");
        Assert.Equal(0, exitCode);
        Assert.Contains("Emptied: acme.", output, StringComparison.Ordinal);
        Assert.Equal(0L, await _database.ScalarAsync<long>("""SELECT count(*) FROM "Orders" """));
        (exitCode, output) = await RunAsync("remove", "t1", "acme", "--yes");
        Assert.Equal(0, exitCode);
        Assert.Contains("Removed: acme, t1.", output, StringComparison.Ordinal);
        Assert.Equal(["Globex", "t2"], await _database.ColumnAsync("""SELECT partition_value FROM tenants.tenant_partitions ORDER BY 1"""));
        Assert.Equal((0, "All is well."), await RunAsync("repair"));
    }

    [Theory]
    [InlineData("schemas")]
    [InlineData("single server")]
    public async Task Tenants_with_places_are_told_to_be_added_emptied_and_removed_though_no_partition_changes(string style)
    {
        await using var home = await postgres.CreateDatabaseAsync();
        await using var services = DepotContext.Services(
            x => _ = style == "schemas"
                ? x.MultiTenantedSchemas(home.ConnectionString)
                : x.MultiTenantedWithSingleServer(home.ConnectionString, s => s.UsePrefix(home.Name)));

        Assert.Equal((0, "Added: Globex, acme."), await Run("add", "acme", "Globex"));
        Assert.Equal((0, "Nothing was to be done."), await Run("add", "acme", "Globex"));
        Assert.Equal((0, "Added: other."), await Run("add", "acme", "other"));
        Assert.Equal((0, "Emptied: acme."), await Run("delete-data", "acme", "--yes"));
        Assert.Equal((0, "Removed: Globex, acme, other."), await Run("remove", "acme", "Globex", "other", "--yes"));
        Assert.Empty(await home.ColumnAsync("SELECT tenant_id FROM tenants.tenant_destinations"));

        Task<(int ExitCode, string Output)> Run(params string[] args)
            => RunAsync(console => TenantCommands.Create<DepotContext>(services, console), args);
    }

    [Fact]
    public async Task What_loses_rows_is_asked_for_and_what_is_refused_is_told()
    {
        await RunAsync("add", "acme");
        await InsertAsync("acme");
        foreach (var command in (string[])["remove", "delete-data"])
        {
            var (exitCode, output) = await RunAsync(command, "acme");
            Assert.Equal(1, exitCode);
            Assert.Contains("Add --yes.", output, StringComparison.Ordinal);
        }

        Assert.Equal(1L, await _database.ScalarAsync<long>("""SELECT count(*) FROM "Orders" """));

        foreach (var (command, reason) in ((string[], string)[])[
                     (["remove", "nobody", "--yes"], "nobody"),
                     (["add", "[x]", " "], "white space"),
                     (["add", "a", "--suffix", "a-b"], "a-b")])
        {
            var (exitCode, output) = await RunAsync(command);
            Assert.Equal(1, exitCode);
            Assert.Contains(reason, output, StringComparison.Ordinal);
        }

        Assert.Equal(["acme"], await _database.ColumnAsync("SELECT partition_value FROM tenants.tenant_partitions"));
    }

    [Fact]
    public async Task Tenants_are_split_off()
    {
        await RunAsync("add", "t1", "t2", "t3", "t4", "--suffix", "small");
        await InsertAsync("t2");

        Assert.Contains("10 partitions changed and 0 rows deleted in 10 tables.", (await RunAsync("split", "t2")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync("split", "t3", "t4", "--suffix", "pair")).ExitCode);
        Assert.Contains("Nothing was to be done.", (await RunAsync("split", "t2")).Output, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync("split", "nobody")).ExitCode);

        Assert.Equal(
            ["t1 small", "t2 t2", "t3 pair", "t4 pair"],
            await _database.ColumnAsync("SELECT partition_value || ' ' || partition_name FROM tenants.tenant_partitions ORDER BY 1"));
        Assert.Equal("Orders_t2", await _database.ScalarAsync<string>("""SELECT relname::text FROM "Orders" o JOIN pg_class c ON c.oid = o.tableoid"""));
    }

    [Fact]
    public async Task Repair_tells_what_it_mended_and_what_it_left()
    {
        await RunAsync("add", "acme");
        await _database.ExecuteAsync(
            """
            INSERT INTO tenants.tenant_partitions (partition_value, partition_name) VALUES ('by hand', 'by_hand');
            CREATE TABLE "Remarks_else" PARTITION OF "Remark" FOR VALUES IN ('else');
            """);

        var (exitCode, output) = await RunAsync("repair");

        Assert.Equal(0, exitCode);
        Assert.Contains("mended", output, StringComparison.Ordinal);
        Assert.Contains("left", output, StringComparison.Ordinal);
        Assert.Equal(10L, await _database.ScalarAsync<long>("SELECT count(*) FROM pg_class WHERE relispartition AND relname LIKE '%by_hand' AND relkind = 'r'"));
    }

    [Fact]
    public async Task A_server_that_is_down_is_told()
    {
        var connectionString = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Port = 1, Timeout = 3 }.ConnectionString;
        var (exitCode, output) = await RunAsync(["list"], connectionString);
        Assert.Equal(1, exitCode);
        Assert.Contains("Failed to connect", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_is_exported_imported_and_moved()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var services = StudioContext.Services(database.ConnectionString);
        await using (var context = services.GetRequiredService<IDbContextFactory<StudioContext>>().CreateDbContext("acme"))
        {
            await context.Database.EnsureCreatedAsync();
        }

        await database.ExecuteAsync(StudioContext.RowsSql("public", "acme", 100));
        var directory = Path.Combine(Directory.CreateTempSubdirectory("eftenancy").FullName, "acme");
        Task<(int ExitCode, string Output)> Run(params string[] args)
            => RunAsync(console => TenantCommands.Create<StudioContext>(services, console), args);

        Assert.Equal(1, (await Run("move", "acme")).ExitCode);
        Assert.Contains("100 rows copied in 6 tables.", (await Run("export", "acme", directory)).Output, StringComparison.Ordinal);
        Assert.Contains("not empty", (await Run("export", "acme", directory)).Output, StringComparison.Ordinal);
        Assert.Contains("already", (await Run("import", "acme", directory)).Output, StringComparison.Ordinal);
        Assert.Contains("nowhere", (await Run("move", "acme", "--database", "nowhere")).Output, StringComparison.Ordinal);
        var (exitCode, output) = await Run("move", "acme", "--schema", "acme");
        Assert.Equal((0, true), (exitCode, output.Contains("100 rows copied in 6 tables.", StringComparison.Ordinal)));
        Assert.Contains("Nothing was to be done.", (await Run("move", "acme", "--schema", "acme")).Output, StringComparison.Ordinal);
        Assert.Equal(30L, await database.ScalarAsync<long>("""SELECT count(*) FROM acme."Comments" """));
        await database.ExecuteAsync("""TRUNCATE acme."Teams" CASCADE""");
        Assert.Contains("100 rows copied", (await Run("import", "acme", directory)).Output, StringComparison.Ordinal);
        Directory.Delete(Path.GetDirectoryName(directory)!, recursive: true);
    }

    [Fact]
    public async Task Where_tenants_are_is_listed_where_they_have_places_and_no_password()
    {
        var password = new NpgsqlConnectionStringBuilder(_database.ConnectionString).Password ?? "secret";
        await using var one = await postgres.CreateDatabaseAsync();
        await using var schemas = DepotContext.Services(x => x.MultiTenantedSchemas(_database.ConnectionString));
        await schemas.GetRequiredService<ITenantAdministration<DepotContext>>().AddAsync(["acme"]);
        await using var databases = DepotContext.Services(
            x => x.MultiTenantedDatabases(
                l => l.AddSingleTenantDatabase(
                    new NpgsqlConnectionStringBuilder(one.ConnectionString) { Password = password }.ConnectionString, "Globex")));

        var acme = await LineAsync(schemas, "acme");
        var globex = await LineAsync(databases, "Globex");

        Assert.Matches("^acme +Active +schema 'tenant_acme' of the home database +0 ", acme);
        Assert.Matches($"^Globex +Active +database '{one.Name}@[^ ]+' +0 ", globex);
        Assert.DoesNotContain(password, globex, StringComparison.Ordinal);
        Assert.DoesNotContain("Where", (await RunAsync("list")).Output, StringComparison.Ordinal);

        static async Task<string> LineAsync(IServiceProvider services, string tenant)
            => Assert.Single(
                (await RunAsync(console => TenantCommands.Create<DepotContext>(services, console), ["list"])).Output.Split('\n'),
                l => l.Contains(tenant, StringComparison.Ordinal)).Trim();
    }

    private async Task InsertAsync(string tenant)
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString, tenant);
        context.AddRows(1);
        await context.SaveChangesAsync();
    }

    private Task<(int ExitCode, string Output)> RunAsync(params string[] args)
        => RunAsync(args, _database.ConnectionString);

    private static async Task<(int ExitCode, string Output)> RunAsync(string[] args, string connectionString)
    {
        await using var context = WarehouseContext.Create(connectionString);
        return await RunAsync(console => TenantCommands.Create(() => context.Tenancy().Administration, console), args);
    }

    private static async Task<(int ExitCode, string Output)> RunAsync(Func<IAnsiConsole, Command> command, string[] args)
    {
        await using var writer = new StringWriter();
        var console = AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.No,
                Interactive = InteractionSupport.No,
                Out = new AnsiConsoleOutput(writer),
            });
        console.Profile.Width = 1000;
        var exitCode = await command(console).Parse(args).InvokeAsync();
        return (exitCode, writer.ToString().Trim());
    }
}
