using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenarios about managed tenants, by their numbers.</summary>
public class ManagedTenantScenariosTest(ManagedTenantScenariosTest.Fixture fixture)
    : IClassFixture<ManagedTenantScenariosTest.Fixture>, IAsyncLifetime
{
    private static readonly string[] Tables =
        ["Address", "Categories", "Customers", "Invoice", "OrderLines", "Orders", "Payment", "Products", "Remark", "Shipment"];

    private TestDatabase _database = null!;

    private ITenantAdministration Tenants => WarehouseContext.Create(_database.ConnectionString).Tenancy().Administration;

    public async ValueTask InitializeAsync()
        => _database = await fixture.CloneAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Scenario_34_every_table_has_a_partition_for_each_added_tenant_and_adding_again_changes_nothing()
    {
        await Tenants.AddAsync(["a1", "a2", "a3"]);
        Assert.Equal(Tables.SelectMany(t => ((string[])["a1", "a2", "a3"]).Select(s => $"{t}_{s}")), await Partitions());
        await Insert("a1", "a2", "a3");
        var before = await Oids();

        var result = await Tenants.AddAsync(["a2", "a3", "a4"]);
        Assert.All(result.Tables, t => Assert.Equal((1, null), (t.Changes, t.Error)));
        Assert.Equal(10, result.Tables.Count);
        Assert.All((await Tenants.AddAsync(["a1", "a2", "a3", "a4"])).Tables, t => Assert.Equal(0, t.Changes));
        Assert.Equal(40, (await Partitions()).Count);
        Assert.Subset((await Oids()).ToHashSet(), before.ToHashSet());
        Assert.Equal(["a1", "a2", "a3"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Payment" ORDER BY 1"""));
    }

    [Fact]
    public async Task Scenario_35_a_table_of_a_later_migration_has_partitions_for_all_registered_tenants()
    {
        await Tenants.AddAsync(["a1", "a2"]);
        await using var later = LaterContext.Create(_database.ConnectionString);
        await later.CreateNewTableAsync();
        Assert.Equal(["Surveys_a1", "Surveys_a2"], (await Partitions()).Where(p => p.StartsWith("Surveys", StringComparison.Ordinal)));

        later.Tenancy().Use("a1");
        later.Surveys.Add(new Survey { CustomerId = 1 });
        await Insert("a1");
        await later.SaveChangesAsync();
    }

    [Fact]
    public async Task Scenario_36_suffixes_name_the_partitions_ids_bind_them_and_one_suffix_is_shared()
    {
        await Tenants.AddAsync(
            new Dictionary<string, string> { ["Tenant One"] = "one", ["tenant-2"] = "small", ["O'Brien"] = "small" });

        Assert.Equal(Tables.SelectMany(t => (string[])[$"{t}_one", $"{t}_small"]), await Partitions());
        Assert.Equal("FOR VALUES IN ('Tenant One')", await Bound("Orders_one"));
        Assert.Equal("FOR VALUES IN ('O''Brien', 'tenant-2')", await Bound("Orders_small"));
        await Insert("Tenant One", "tenant-2", "O'Brien");
        await using var one = WarehouseContext.Create(_database.ConnectionString, "O'Brien");
        Assert.Equal(1, await one.Orders.CountAsync());

        // Later co-tenants widen the bucket, whose rows stay and stay referenced.
        var before = await Oids();
        await Tenants.AddAsync(new Dictionary<string, string> { ["late"] = "small", ["later"] = "small" });
        Assert.Equal("FOR VALUES IN ('O''Brien', 'tenant-2', 'late', 'later')", await Bound("Orders_small"));
        Assert.Equal(before, await Oids());
        await Insert("late", "later");
        Assert.Equal(5, await _database.ScalarAsync<int>("""SELECT count(*) FROM "OrderLines" """));
        await AssertForeignKeys();
    }

    [Fact]
    public async Task Scenario_37_co_tenants_of_a_removed_tenant_keep_rows_and_registration()
    {
        await Tenants.AddAsync(new Dictionary<string, string> { ["a"] = "b1", ["b"] = "b1", ["c"] = "b1", ["d"] = "d" });
        await Insert("a", "b", "c", "d");

        await Tenants.RemoveAsync(["b"]);

        foreach (var table in Tables)
        {
            var rows = table == "Categories" ? 2 : 1;
            Assert.Equal(
                new[] { "a", "c", "d" }.SelectMany(t => Enumerable.Repeat(t, rows)),
                await _database.ColumnAsync($"""SELECT "TenantId" FROM "{table}" ORDER BY 1"""));
            Assert.Equal("FOR VALUES IN ('a', 'c')", await Bound($"{table}_b1"));
        }

        Assert.Equal(["a", "c", "d"], (await Tenants.ListAsync()).Select(t => t.TenantId));
        await AssertForeignKeys();
        await Assert.ThrowsAsync<UnknownTenantException>(() => Insert("b"));
        await Tenants.RemoveAsync(["a", "c"]);
        Assert.Equal(Tables.Select(t => t + "_d"), await Partitions());
        Assert.Equal(["d"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Orders" """));
    }

    [Fact]
    public async Task Scenario_38_bad_suffixes_are_all_listed_before_any_DDL()
    {
        await Tenants.AddAsync(new Dictionary<string, string> { ["there"] = "there", ["x1"] = "shared" });
        await _database.ExecuteAsync("""CREATE TABLE "Orders_taken" ()""");
        var before = await Snapshot();
        var tooLong = new string('x', 60);

        var exception = await Assert.ThrowsAsync<ArgumentException>(
            () => Tenants.AddAsync(
                new Dictionary<string, string>
                {
                    ["empty"] = "",
                    ["illegal"] = "a-b",
                    ["hostile"] = "x\"; DROP TABLE \"Orders\"; --",
                    [" "] = "blank",
                    ["control\n"] = "control",
                    ["good"] = "good",
                }));
        foreach (var culprit in (string[])["'empty'", "'illegal'", "'hostile'", "at least one character", "control characters"])
        {
            Assert.Contains(culprit, exception.Message, StringComparison.Ordinal);
        }

        Assert.DoesNotContain("'good'", exception.Message, StringComparison.Ordinal);

        exception = await Assert.ThrowsAsync<ArgumentException>(
            () => Tenants.AddAsync(
                new Dictionary<string, string> { ["long"] = tooLong, ["there"] = "elsewhere", ["y"] = "taken", ["good"] = "good" }));
        foreach (var culprit in (string[])["'long'", "'there'", "'Orders_taken'"])
        {
            Assert.Contains(culprit, exception.Message, StringComparison.Ordinal);
        }

        // Sharing must be asked for.
        exception = await Assert.ThrowsAsync<ArgumentException>(() => Tenants.AddAsync(["shared", "good"]));
        Assert.Contains("'x1'", exception.Message, StringComparison.Ordinal);
        Assert.Equal(before, await Snapshot());

        // A hostile id is an ordinary id.
        string[] hostile = ["O'Brien; DROP TABLE \"Orders\"; --", "\"quoted\"", "100%", "back\\slash", "$tenancy$", "{0} @p0 :x ?", "Ünïcödé 東京 🚀", "a-b", "a_b", "A_B"];
        await Tenants.AddAsync(hostile);
        await Insert(hostile);
        Assert.Equal(hostile.Length, await _database.ScalarAsync<int>("""SELECT count(DISTINCT (tableoid, "TenantId")) FROM "Orders" """));
        await Tenants.RemoveAsync(hostile);
        await _database.ExecuteAsync("""DROP TABLE "Orders_taken"; CREATE TABLE "Orders_taken" ()""");
        Assert.Equal(before, await Snapshot());
    }

    [Fact]
    public async Task Scenario_39_guids_make_suffixes_without_hyphens()
    {
        var ids = new[] { Guid.NewGuid(), Guid.NewGuid() };
        await Tenants.AddAsync(ids.Select(i => i.ToString()));
        Assert.Equal(
            Tables.SelectMany(t => ids.Select(i => $"{t}_{i:N}")).Order(StringComparer.Ordinal), (await Partitions()).Order(StringComparer.Ordinal));
        await Insert(ids[0].ToString());
        Assert.Equal(ids.Select(i => i.ToString("N")).Order(StringComparer.Ordinal), (await Tenants.ListAsync()).Select(t => t.Suffix));
    }

    [Fact]
    public async Task Scenario_40_a_removed_tenant_is_gone_from_every_table_and_nobody_else_is()
    {
        await Tenants.AddAsync(["a", "b", "c"]);
        await Insert("a", "b", "c");

        await Tenants.RemoveAsync(["b"]);

        Assert.Equal(Tables.SelectMany(t => (string[])[$"{t}_a", $"{t}_c"]), await Partitions());
        Assert.Equal(["a", "c"], await _database.ColumnAsync("SELECT partition_value FROM tenants.tenant_partitions ORDER BY 1"));
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname LIKE '%\\_b'"));
        await AssertForeignKeys();
        foreach (var table in Tables)
        {
            Assert.Equal(["a", "c"], await _database.ColumnAsync($"""SELECT DISTINCT "TenantId" FROM "{table}" ORDER BY 1"""));
        }

        var result = await Tenants.DeleteDataAsync(["a"]);
        Assert.Equal(11, result.Tables.Sum(t => t.DeletedRows));
        Assert.Equal(["c"], await _database.ColumnAsync("""SELECT DISTINCT "TenantId" FROM "Categories" """));
        Assert.Equal(1, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Region" """));
        await Insert("a");

        var exception = await Assert.ThrowsAsync<UnknownTenantException>(() => Tenants.RemoveAsync(["c", "b"]));
        Assert.Contains("'b'", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["a", "c"], await _database.ColumnAsync("SELECT partition_value FROM tenants.tenant_partitions ORDER BY 1"));
    }

    [Fact]
    public async Task Scenario_41_two_processes_that_add_the_same_tenants_do_not_disturb_each_other()
    {
        string[] ids = [.. Enumerable.Range(0, 20).Select(i => $"t{i:00}")];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() => Tenants.AddAsync(ids))));
        Assert.Equal(200, (await Partitions()).Count);
        await Insert(ids);

        await Task.WhenAll(
            Task.Run(() => Tenants.AddAsync(ids)), Task.Run(() => Tenants.RepairAsync()), Task.Run(() => Tenants.ListAsync()));
        await Task.WhenAll(Remove(ids[..12]), Remove(ids[8..]));
        Assert.Empty(await Partitions());
        Assert.Empty(await Tenants.ListAsync());

        async Task Remove(string[] some)
        {
            try
            {
                await Task.Run(() => Tenants.RemoveAsync(some));
            }
            catch (UnknownTenantException)
            {
                // The other was faster with those that both remove.
                await Tenants.RemoveAsync((await Tenants.ListAsync()).Select(t => t.TenantId).Intersect(some));
            }
        }
    }

    [Fact]
    public async Task Scenario_41_a_redeploy_over_rows_changes_nothing()
    {
        await Tenants.AddAsync(["a", "b"]);
        await Insert("a", "b");
        var before = await Snapshot();

        await using var context = WarehouseContext.Create(_database.ConnectionString);
        Assert.Empty(ModelMigration.Differences(context, context));
        Assert.False(await context.Database.EnsureCreatedAsync());
        var operations = ModelMigration.Operations(
            b =>
            {
                b.EnsureTenantRegistry(WarehouseContext.Registry);
                Array.ForEach(Tables, t => b.CreateRegisteredTenantPartitions(t, WarehouseContext.Registry));
            });
        await Task.WhenAll(Enumerable.Range(0, 2).Select(_ => Task.Run(() => Apply(operations))));

        Assert.Equal(before, await Snapshot());
        Assert.Equal(["a", "b"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Payment" ORDER BY 1"""));
    }

    private async Task Apply(IReadOnlyList<MigrationOperation> operations)
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        await context.ExecuteAsync(operations);
    }

    [Theory]
    [InlineData("nobody")]
    [InlineData(TenancyDefaults.DefaultTenantId)]
    public async Task Scenario_43_a_row_of_an_unregistered_tenant_is_refused_with_the_call_that_adds_it(string tenant)
    {
        await Tenants.AddAsync(["a"]);
        var exception = await Assert.ThrowsAsync<UnknownTenantException>(() => Insert(tenant));
        Assert.Equal(tenant, exception.TenantId);
        Assert.Contains($"AddAsync([\"{tenant}\"])", exception.Message, StringComparison.Ordinal);

        await Tenants.AddAsync([tenant]);
        await Insert(tenant);
    }

    [Fact]
    public async Task Scenario_44_a_process_with_a_part_of_the_model_adds_and_removes_in_all_tables()
    {
        await using var partial = PartialContext.Create(_database.ConnectionString);
        await partial.Tenancy().Administration.AddAsync(["a", "b"]);
        Assert.Equal(20, (await Partitions()).Count);
        await Insert("a", "b");

        await partial.Tenancy().Administration.RemoveAsync(["a"]);
        Assert.Equal(Tables.Select(t => t + "_b"), await Partitions());
    }

    [Fact]
    public async Task Scenario_44_half_provisioned_tenants_are_mended_by_the_same_call_and_by_repair()
    {
        await Tenants.AddAsync(["a", "b", "c"]);
        await Insert("a", "c");
        await _database.ExecuteAsync(
            """
            DROP TABLE "Payment_b", "Shipment_b";
            UPDATE tenants.tenant_partitions SET state = 'adding' WHERE partition_value = 'b';
            ALTER TABLE "Payment" DETACH PARTITION "Payment_c"; DROP TABLE "Payment_c";
            """);
        Assert.Equal(
            [("a", TenantState.Active, 0), ("b", TenantState.Adding, 2), ("c", TenantState.Active, 1)],
            (await Tenants.ListAsync()).Select(t => (t.TenantId, t.State, t.MissingPartitions)));

        Assert.Equal(["b"], (await Tenants.AddAsync(["b", "a"])).Tenants);
        var repairs = await Tenants.RepairAsync();

        var repair = Assert.Single(repairs);
        Assert.Equal(("public.Payment", "c", true), (repair.Table, repair.TenantId, repair.IsMended));
        Assert.Equal(30, (await Partitions()).Count);
        Assert.Empty(await Tenants.RepairAsync());
    }

    private async Task Insert(params string[] tenants)
    {
        foreach (var tenant in tenants)
        {
            await using var context = WarehouseContext.Create(_database.ConnectionString, tenant);
            context.AddRows(1);
            await context.SaveChangesAsync();
        }
    }

    private Task<List<string>> Partitions()
        => _database.ColumnAsync("""SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY relname COLLATE "C" """);

    private Task<List<string>> Oids()
        => _database.ColumnAsync("SELECT oid FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1");

    private Task<string> Bound(string partition)
        => _database.ScalarAsync<string>($"""SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = '{partition}'""");

    private async Task<string> Snapshot()
        => string.Join(
            '\n',
            [
                .. await _database.ColumnAsync("SELECT relname FROM pg_class WHERE relnamespace IN ('public'::regnamespace, 'tenants'::regnamespace) ORDER BY 1"),
                .. await _database.ColumnAsync("SELECT t::text FROM tenants.tenant_partitions t ORDER BY 1"),
            ]);

    private async Task AssertForeignKeys()
    {
        Assert.Equal(
            fixture.ForeignKeys,
            await _database.ColumnAsync(ForeignKeySql));
        Assert.Equal("0", (await _database.ColumnAsync("SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND NOT convalidated"))[0]);
    }

    private const string ForeignKeySql =
        """
        SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint
        WHERE contype = 'f' AND conparentid = 0 ORDER BY 1
        """;

    public sealed class Fixture(PostgresFixture postgres) : DatabaseFixture<WarehouseContext>(postgres)
    {
        public List<string> ForeignKeys { get; private set; } = [];

        public override WarehouseContext CreateContext(string connectionString)
            => WarehouseContext.Create(connectionString);

        public override async ValueTask InitializeAsync()
        {
            await base.InitializeAsync();
            ForeignKeys = await Database.ColumnAsync(ForeignKeySql);
        }
    }
}
