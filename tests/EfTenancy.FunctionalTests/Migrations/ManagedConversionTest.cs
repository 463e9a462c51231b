using System.Collections.Concurrent;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using EfTenancy.Migrations.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Plain tables with the rows of tenants become tables whose partitions follow the registry.</summary>
public class ManagedConversionTest(PostgresFixture postgres) : FirmTest(postgres)
{
    private static readonly string[] Tenants = ["acme", "O'Brien; DROP", "Größe 😀", " blank ", "back\\slash", "%s {0}", "\"q\"", "*DEFAULT*"];

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    public async Task Existing_tenants_are_registered_and_work_on_and_no_row_moves(TenantKeyStyle keyStyle)
    {
        var (plain, managed) = (FirmTables.Plain with { KeyStyle = keyStyle }, FirmTables.Managed with { KeyStyle = keyStyle });
        await MigrateAsync(null, plain);
        foreach (var tenant in Tenants)
        {
            await WriteAsync(tenant, plain);
        }

        // A tenant in one table only, and a plain table that references a tenant's rows.
        await WriteMemoAsync("memos only", plain);
        await Database.ExecuteAsync(
            keyStyle == TenantKeyStyle.TenantThenId
                ? """
                  CREATE TABLE seen (tenant text, firm int, FOREIGN KEY (tenant, firm) REFERENCES "Firms" ("TenantId", "Id") ON DELETE CASCADE);
                  INSERT INTO seen SELECT "TenantId", "Id" FROM "Firms";
                  """
                : """
                  CREATE TABLE seen (tenant text, firm int, FOREIGN KEY (firm, tenant) REFERENCES "Firms" ("Id", "TenantId") ON DELETE CASCADE);
                  INSERT INTO seen SELECT "TenantId", "Id" FROM "Firms";
                  """);
        var (rows, files, foreignKeys) = (await RowsAsync(), await FilesAsync(""), await ForeignKeysAsync());

        var operations = await MigrateAsync(plain, managed);

        Assert.Equal(
            ["Deals", "Firms", "Memos"], operations.OfType<PartitionExistingTableOperation>().Select(o => o.Table).Order(StringComparer.Ordinal));
        Assert.Empty(Differences(managed, managed));
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(files, await FilesAsync("_initial"));
        Assert.Equal(foreignKeys, await ForeignKeysAsync());
        Assert.Empty(await Database.ColumnAsync("SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid)) FROM pg_constraint WHERE (NOT convalidated AND conparentid = 0) OR conname LIKE 'tenancy%'"));

        await using var context = Context(managed);
        var tenants = context.Tenancy().Administration;
        Assert.All(
            await tenants.ListAsync(),
            t => Assert.Equal(("initial", TenantState.Active, 3, 0), (t.Suffix, t.State, t.Partitions, t.MissingPartitions)));
        Assert.Equal(Tenants.Append("memos only").Order(StringComparer.Ordinal), (await tenants.ListAsync()).Select(t => t.TenantId));
        foreach (var tenant in Tenants.Append("memos only"))
        {
            await WriteAsync(tenant, managed);
            await using var own = ContextOf(tenant, managed);
            Assert.Equal(tenant == "memos only" ? 2 : 4, await own.Firms.CountAsync());
            Assert.Equal(2, await own.Memos.CountAsync());
            Assert.All(await own.Deals.ToListAsync(), d => Assert.Equal(tenant, d.Text));
        }

        Assert.Empty(await tenants.RepairAsync());
        await tenants.AddAsync(["new", "New 2"]);
        await WriteAsync("new", managed);
        Assert.Equal(["\"Firms_initial\"", "\"Firms_new\""], await Database.ColumnAsync("""SELECT DISTINCT tableoid::regclass::text FROM "Firms" ORDER BY 1"""));

        rows = await RowsAsync();
        await tenants.SplitAsync(["O'Brien; DROP", "memos only"]);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(3, (await tenants.ListAsync()).Single(t => t.TenantId == "O'Brien; DROP").Partitions);
        Assert.DoesNotContain("initial", await Database.ScalarAsync<string>("""SELECT string_agg(DISTINCT tableoid::regclass::text, ' ') FROM "Deals" WHERE "TenantId" LIKE 'O''Brien%'"""), StringComparison.Ordinal);
        await WriteAsync("O'Brien; DROP", managed);

        await tenants.RemoveAsync(["Größe 😀"]);
        Assert.Equal(0, await Database.ScalarAsync<int>("""SELECT count(*) FROM "Firms" WHERE "TenantId" LIKE 'Gr%'"""));
        await WriteAsync("acme", managed);
        await Assert.ThrowsAsync<UnknownTenantException>(() => WriteAsync("Größe 😀", managed));
        Assert.Empty(await tenants.RepairAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Views_stay_on_a_table_without_rows(bool othersHaveRows)
    {
        await MigrateAsync(null, FirmTables.Plain);
        await Database.ExecuteAsync(
            """
            CREATE VIEW named AS SELECT "TenantId", "Id" FROM "Firms";
            CREATE VIEW counted AS SELECT "TenantId", count(*) AS n FROM named GROUP BY 1;
            """);
        if (othersHaveRows)
        {
            await WriteMemoAsync("acme", FirmTables.Plain);
        }

        await MigrateAsync(FirmTables.Plain, FirmTables.Managed);

        await using var context = Context(FirmTables.Managed);
        await context.Tenancy().Administration.AddAsync(["acme"]);
        await WriteAsync("acme", FirmTables.Managed);
        await using var own = ContextOf("acme", FirmTables.Managed);
        Assert.Equal(await own.Firms.CountAsync(), await Database.ScalarAsync<int>("""SELECT n FROM counted WHERE "TenantId" = 'acme'"""));
        Assert.Empty(await Database.ColumnAsync("SELECT relname::text FROM pg_class WHERE relname LIKE 'tenancy_old%'"));
    }

    [Fact]
    public async Task Tenants_that_were_registered_before_keep_their_suffix_and_all_of_administration_works_for_them()
    {
        await MigrateAsync(null, FirmTables.ManagedMemos);
        await using var before = Context(FirmTables.ManagedMemos);
        await before.Tenancy().Administration.AddAsync(["own", "empty", "gone"]);
        await before.Tenancy().Administration.AddAsync(new Dictionary<string, string> { ["small 1"] = "small", ["small 2"] = "small" });
        foreach (var tenant in (string[])["own", "gone", "small 1"])
        {
            await WriteAsync(tenant, FirmTables.ManagedMemos);
        }

        // Nobody registered it: it could not have written a memo.
        await WriteFirmAsync("late", FirmTables.ManagedMemos);

        var commands = Commands(FirmTables.ManagedMemos, FirmTables.Managed);
        await before.Tenancy().Administration.DisableAsync(["gone"]);
        var rows = await RowsAsync();
        var first = commands.TakeWhile(c => !c.CommandText.Contains("ATTACH PARTITION", StringComparison.Ordinal)).Count();
        foreach (var command in commands.Take(first))
        {
            await Database.ExecuteAsync(command.CommandText);
        }

        // Registered tenants are not refused while the tables are closed to others.
        await WriteAsync("empty", FirmTables.ManagedMemos);
        await before.Tenancy().Administration.AddAsync(["in between"]);
        var refused = await Assert.ThrowsAsync<UnknownTenantException>(() => WriteFirmAsync("stranger", FirmTables.ManagedMemos));
        Assert.Equal(("stranger", "Firms"), (refused.TenantId, refused.Table));
        Assert.Contains("AddAsync([\"stranger\"])", refused.Message, StringComparison.Ordinal);
        Assert.Contains("being partitioned", refused.Message, StringComparison.Ordinal);
        foreach (var command in commands.Skip(first))
        {
            await Database.ExecuteAsync(command.CommandText);
        }

        Assert.Subset((await RowsAsync()).ToHashSet(), rows.ToHashSet());
        await using var context = Context(FirmTables.Managed);
        var tenants = context.Tenancy().Administration;
        Assert.Equal(
            [
                "empty empty Active 3 0", "gone gone Disabled 3 0", "in between in_between$ Active 3 0", "late initial Active 2 1", "own own Active 3 0",
                "small 1 small Active 3 0", "small 2 small Active 3 0",
            ],
            (await tenants.ListAsync()).Select(t => $"{t.TenantId} {t.Suffix[..(t.Suffix.IndexOf('$') is var i and > 0 ? i + 1 : t.Suffix.Length)]} {t.State} {t.Partitions} {t.MissingPartitions}"));
        Assert.Equal(
            ["Firms_in_between$ FOR VALUES IN ('in between')", "Firms_initial FOR VALUES IN ('empty', 'gone', 'late', 'own', 'small 1', 'small 2')"],
            (await BoundsAsync("Firms")).Select(b => System.Text.RegularExpressions.Regex.Replace(b, @"\$\w+", "$")));

        // Memos was managed before, and nobody asked for this tenant there.
        var repair = Assert.Single(await tenants.RepairAsync());
        Assert.Contains("Memos_initial", repair.Description, StringComparison.Ordinal);
        Assert.Empty(await tenants.RepairAsync());
        foreach (var tenant in (string[])["own", "empty", "small 1", "small 2", "late", "in between"])
        {
            await WriteAsync(tenant, FirmTables.Managed);
        }

        await tenants.AddAsync(new Dictionary<string, string> { ["small 3"] = "small" });
        await WriteAsync("small 3", FirmTables.Managed);
        rows = await RowsAsync();
        await tenants.SplitAsync(["own"]);
        Assert.Equal(rows, await RowsAsync());
        Assert.Contains("Firms_own FOR VALUES IN ('own')", await BoundsAsync("Firms"));
        Assert.Contains("Memos_own FOR VALUES IN ('own')", await BoundsAsync("Memos"));

        await tenants.RemoveAsync(["gone", "small 1", "empty"]);
        Assert.Equal(0, await Database.ScalarAsync<int>("""SELECT count(*) FROM "Firms" WHERE "TenantId" IN ('gone', 'small 1', 'empty')"""));
        Assert.Contains("Firms_initial FOR VALUES IN ('late', 'small 2', 'small 3')", await BoundsAsync("Firms"));
        await WriteAsync("small 2", FirmTables.Managed);
        await WriteAsync("small 3", FirmTables.Managed);
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task What_is_cut_off_is_finished_by_the_same_migration_also_as_an_idempotent_script()
    {
        await MigrateAsync(null, FirmTables.Plain);
        await WriteAsync("a", FirmTables.Plain);
        await WriteMemoAsync("b", FirmTables.Plain);
        var rows = await RowsAsync();
        var commands = Commands(FirmTables.Plain, FirmTables.Managed);
        Assert.All(commands.SkipWhile(c => !c.CommandText.Contains("target", StringComparison.Ordinal)), c => Assert.True(c.TransactionSuppressed));

        for (var done = 0; done <= commands.Count; done++)
        {
            await using var database = await Database.CloneAsync("cut");
            foreach (var command in commands.Take(done).Concat(commands))
            {
                await database.ExecuteAsync(command.CommandText);
            }

            await AssertConvertedAsync(database, rows);
        }

        await using var context = Context(FirmTables.Managed);
        var script = context.IdempotentScript(Differences(FirmTables.Plain, FirmTables.Managed));
        await Database.ExecuteAsync(script);
        await Database.ExecuteAsync(script);
        await AssertConvertedAsync(Database, rows);
    }

    [Fact]
    public async Task A_tenant_of_one_table_may_write_to_all_before_and_after_the_switch()
    {
        await MigrateAsync(null, FirmTables.Plain);
        await WriteMemoAsync("memos only", FirmTables.Plain);
        await WriteFirmAsync("firms only", FirmTables.Plain);

        var commands = Commands(FirmTables.Plain, FirmTables.Managed);
        var first = commands.TakeWhile(c => !c.CommandText.Contains("ATTACH PARTITION", StringComparison.Ordinal)).Count();
        foreach (var (i, command) in commands.Index())
        {
            await Database.ExecuteAsync(command.CommandText);
            if (i < first)
            {
                await Database.ExecuteAsync(
                    """
                    BEGIN;
                    INSERT INTO "Memos" ("TenantId", "Text") VALUES ('firms only', '');
                    INSERT INTO "Firms" ("TenantId", "Name") VALUES ('memos only', '');
                    INSERT INTO "Deals" ("TenantId", "FirmId") SELECT 'memos only', max("Id") FROM "Firms" WHERE "TenantId" = 'memos only';
                    ROLLBACK;
                    """);
            }
        }

        await WriteAsync("memos only", FirmTables.Managed);
        await WriteAsync("firms only", FirmTables.Managed);
        await using var managed = Context(FirmTables.Managed);
        Assert.All(await managed.Tenancy().Administration.ListAsync(), t => Assert.Equal((3, 0), (t.Partitions, t.MissingPartitions)));
    }

    [Fact]
    public async Task Down_keeps_the_rows_and_up_again_finds_the_tenants_registered()
    {
        await MigrateAsync(null, FirmTables.Plain);
        await WriteAsync("a", FirmTables.Plain);
        await WriteAsync("b", FirmTables.Plain);
        await MigrateAsync(FirmTables.Plain, FirmTables.Managed);
        await using var context = Context(FirmTables.Managed);
        await context.Tenancy().Administration.SplitAsync(["a"]);
        await context.Tenancy().Administration.AddAsync(["c"]);
        await WriteAsync("c", FirmTables.Managed);
        var rows = await RowsAsync();

        await MigrateAsync(FirmTables.Managed, FirmTables.Plain);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(0, await Database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'p'"));
        await WriteAsync("a", FirmTables.Plain);

        rows = await RowsAsync();
        await MigrateAsync(FirmTables.Plain, FirmTables.Managed);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(["a a 3", "b initial 3", "c c 3"], (await context.Tenancy().Administration.ListAsync()).Select(t => $"{t.TenantId} {t.Suffix} {t.Partitions}"));
        Assert.Empty(await context.Tenancy().Administration.RepairAsync());
    }

    [Fact]
    public async Task Empty_tables_get_the_partitions_of_registered_tenants_and_new_tables_those_that_are_found()
    {
        // Nobody is there.
        await MigrateAsync(null, FirmTables.Plain);
        await MigrateAsync(FirmTables.Plain, FirmTables.Managed);
        Assert.Empty(await BoundsAsync("Firms"));
        await using var context = Context(FirmTables.Managed);
        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(["a"]);
        await WriteAsync("a", FirmTables.Managed);

        // Somebody is, and has rows in one table.
        await MigrateAsync(FirmTables.Managed, FirmTables.ManagedMemos);
        await using (var memos = Context(FirmTables.ManagedMemos))
        {
            await memos.Tenancy().Administration.AddAsync(["b"]);
        }

        await Database.ExecuteAsync("""DELETE FROM "Deals"; DELETE FROM "Firms";""");
        await MigrateAsync(FirmTables.ManagedMemos, FirmTables.Managed);
        Assert.Equal(["Firms_a FOR VALUES IN ('a')", "Firms_b FOR VALUES IN ('b')"], await BoundsAsync("Firms"));
        Assert.Empty(await tenants.RepairAsync());

        // A new table beside one that is converted.
        await MigrateAsync(FirmTables.Managed, FirmTables.Plain);
        await Database.ExecuteAsync("""DELETE FROM tenants.tenant_partitions; DROP TABLE "Memos";""");
        await WriteAsync("c", FirmTables.Plain with { Model = m => m.Ignore<Memo>() });
        await MigrateAsync(FirmTables.Plain with { Model = m => m.Ignore<Memo>() }, FirmTables.Managed);
        Assert.Equal(["Memos_initial FOR VALUES IN ('c')"], await BoundsAsync("Memos"));
        await WriteAsync("c", FirmTables.Managed);
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task Writers_meanwhile_lose_nothing_and_a_tenant_that_is_new_then_is_refused_or_has_its_place()
    {
        await MigrateAsync(null, FirmTables.Plain);
        foreach (var tenant in (string[])["a", "b"])
        {
            await WriteAsync(tenant, FirmTables.Plain);
        }

        await Database.ExecuteAsync("""INSERT INTO "Firms" ("TenantId", "Name") SELECT 'a', 'bulk' FROM generate_series(1, 50000)""");
        using var stop = new CancellationTokenSource();
        var (written, refused) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
        var writers = Enumerable.Range(0, 3).Select(w => Task.Run(
            async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    var tenant = w == 0 ? "a" : w == 1 ? "b" : $"new {i}";
                    var text = $"{w} {i}";
                    try
                    {
                        await using var context = ContextOf(tenant, FirmTables.Plain);
                        context.Firms.Add(new Firm { Name = text, Deals = { new Deal { Text = text } } });
                        context.Memos.Add(new Memo { Text = text });
                        await context.SaveChangesAsync();
                        written.Add(tenant + " " + text);
                    }
                    catch (UnknownTenantException) when (w == 2)
                    {
                        refused.Add(tenant);
                    }
                }
            })).ToList();
        await Task.Delay(300);
        await MigrateAsync(FirmTables.Plain, FirmTables.Managed);
        await Task.Delay(300);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        foreach (var table in (string[])["Firms", "Deals", "Memos"])
        {
            var found = (await Database.ColumnAsync(
                $"""SELECT "TenantId" || ' ' || "{(table == "Firms" ? "Name" : "Text")}" FROM "{table}" WHERE "{(table == "Firms" ? "Name" : "Text")}" ~ '^\d \d+$'""")).ToHashSet();
            Assert.Equal(written.Order(StringComparer.Ordinal), found.Order(StringComparer.Ordinal));
        }

        Assert.NotEmpty(refused);
        Assert.Contains(written, t => t.StartsWith("new", StringComparison.Ordinal));
        await using var context = Context(FirmTables.Managed);
        var tenants = context.Tenancy().Administration;
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Active, 0), (t.State, t.MissingPartitions)));
        Assert.Empty(await tenants.RepairAsync());
        Assert.Equal(
            written.Select(t => t[..t.LastIndexOf(' ', t.LastIndexOf(' ') - 1)]).Distinct().Order(StringComparer.Ordinal),
            (await tenants.ListAsync()).Select(t => t.TenantId));
    }

    [Theory]
    [InlineData("text", "'ü''' || i")]
    [InlineData("uuid", "md5(i::text)::uuid")]
    [InlineData("bigint", "(i - 20)::bigint << 33")]
    public async Task The_switch_does_not_look_at_the_rows_of_many_tenants(string type, string tenant)
    {
        await Database.ExecuteAsync(
            $"""
            CREATE TABLE t (tenant {type} NOT NULL, id int, PRIMARY KEY (tenant, id));
            INSERT INTO t SELECT {tenant}, n FROM generate_series(1, 150) AS i, generate_series(1, 20) AS n;
            """);
        var operations = ModelMigration.Operations(
            b =>
            {
                b.EnsureTenantRegistry("tenants");
                b.PartitionExistingTable("t", "tenant", x => x.ByManagedListPartitions("tenants"), firstPartition: "old_rows");
            });
        await using var context = Context(FirmTables.Managed);
        var notices = await Database.SendAsync(context.CommandsOf(operations).Select(c => c.CommandText).Prepend("SET client_min_messages = debug1"));

        Assert.Contains(notices, n => n.Contains("is implied by existing constraints", StringComparison.Ordinal));
        Assert.Equal(3000L, await Database.ScalarAsync<long>("SELECT count(*) FROM t_old_rows"));
        Assert.Equal(0L, await Database.ScalarAsync<long>("SELECT count(DISTINCT tenant::text) - 150 FROM t WHERE tenant::text IN (SELECT partition_value FROM tenants.tenant_partitions)"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Tenants_are_found_in_a_few_looks_at_rows_that_no_index_orders_by_them(bool isManaged)
    {
        await Database.ExecuteAsync(
            """
            CREATE TABLE t (tenant text NOT NULL, id int, PRIMARY KEY (id, tenant));
            INSERT INTO t SELECT 'tenant ' || i % 200, i FROM generate_series(1, 20000) AS i;
            """);
        var operations = ToPartitions(isManaged, ["tenant 1", "later"], firstPartition: "old_rows");
        await ExecuteAsync(FirmTables.Managed, operations);

        // A session tells what it did when it ends.
        Database.EndIdleSessions();
        const string Scans = "SELECT seq_scan::int FROM pg_stat_user_tables WHERE relname = 't_old_rows'";
        for (var i = 0; i < 50 && await Database.ScalarAsync<int>(Scans) < 3; i++)
        {
            await Task.Delay(100);
        }

        Assert.InRange(await Database.ScalarAsync<int>(Scans), 3, 30);
        Assert.Equal(20_000, await Database.ScalarAsync<int>("SELECT count(*) FROM t_old_rows"));
    }

    [Theory]
    [InlineData(false, 2000)]
    [InlineData(true, 2000)]
    [InlineData(true, 150)]
    public async Task More_tenants_than_one_partition_can_be_for_are_refused_before_the_table_is_closed_to_others(bool isManaged, int tenants)
    {
        await Database.ExecuteAsync(
            $"""
            CREATE SCHEMA "S %s";
            CREATE TABLE "S %s".t (tenant text NOT NULL, id int, PRIMARY KEY (tenant, id));
            INSERT INTO "S %s".t SELECT left(md5(i::text), 12), i FROM generate_series(1, {tenants}) AS i;
            """);
        var operations = ToPartitions(isManaged, ["later"], schema: "S %s");

        if (tenants == 150)
        {
            await ExecuteAsync(FirmTables.Managed, operations);
            Assert.Equal(tenants, await Database.ScalarAsync<int>("""SELECT count(*) FROM "S %s".t_initial"""));
            Assert.Equal(tenants, await Database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions"));
            return;
        }

        var refused = await Assert.ThrowsAsync<PostgresException>(() => ExecuteAsync(FirmTables.Managed, operations));

        Assert.Contains("2000 tenants", refused.MessageText, StringComparison.Ordinal);
        Assert.Contains("ByHash", refused.MessageText, StringComparison.Ordinal);
        await Database.ExecuteAsync("""INSERT INTO "S %s".t VALUES ('nobody is kept out', 1)""");
        Assert.Equal(0, await Database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions"));
        Assert.Empty(await Database.ColumnAsync("SELECT relname FROM pg_class WHERE relname LIKE 'tenancy%' OR relkind = 'p'"));
    }

    [Fact]
    public async Task The_suffix_of_the_shared_partition_is_nobodys_own()
    {
        await MigrateAsync(null, FirmTables.ManagedMemos);
        await using var before = Context(FirmTables.ManagedMemos);
        await before.Tenancy().Administration.AddAsync(["initial"]);
        await WriteAsync("initial", FirmTables.ManagedMemos);
        await WriteFirmAsync("other", FirmTables.ManagedMemos);

        var rows = await RowsAsync();
        var exception = await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync(FirmTables.ManagedMemos, FirmTables.Managed));
        Assert.Contains("'initial'", exception.MessageText, StringComparison.Ordinal);
        Assert.Contains("firstPartition", exception.MessageText, StringComparison.Ordinal);
        Assert.Equal(["initial"], await Database.ColumnAsync("SELECT partition_value FROM tenants.tenant_partitions"));
        Assert.Equal(rows, await RowsAsync());

        var operations = Differences(FirmTables.ManagedMemos, FirmTables.Managed);
        foreach (var operation in operations.OfType<PartitionExistingTableOperation>())
        {
            operation.FirstPartition = "old";
        }

        await ExecuteAsync(FirmTables.Managed, operations);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(["Firms_old FOR VALUES IN ('initial', 'other')"], await BoundsAsync("Firms"));
        var refused = Assert.Throws<ArgumentException>(
            () => new MigrationBuilder("").PartitionExistingTable("t", "tenant", x => x.ByManagedListPartitions("tenants"), firstPartition: "old rows"));
        Assert.Contains("'old rows'", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_the_model_follows_the_registry_and_back_and_no_row_moves()
    {
        // Memos lack a tenant; one of its suffixes is none that a name tells.
        var list = FirmTables.List with
        {
            Model = m => m.Entity<Memo>().ToTable(new string('m', 55)).IsPartitionedByTenant(x => x.ByList().AddTenants("acme").AddPartition("small", "s1", "s2")),
        };
        var managed = FirmTables.Managed with { Model = m => m.Entity<Memo>().ToTable(new string('m', 55)) };
        await MigrateAsync(null, list);
        await Database.ExecuteAsync($"""CREATE VIEW "Memos" AS SELECT * FROM "{new string('m', 55)}" """);
        foreach (var tenant in (string[])["acme", "s1", "s2"])
        {
            await WriteAsync(tenant, list);
        }

        var (rows, files) = (await RowsAsync(), await PartitionFilesAsync());
        await MigrateAsync(list, managed);
        Assert.Empty(Differences(managed, managed));
        Assert.Equal(rows, await RowsAsync());
        Assert.Subset((await PartitionFilesAsync()).ToHashSet(), files.ToHashSet());

        await using var context = Context(managed);
        var tenants = context.Tenancy().Administration;
        Assert.Equal(
            ["O'Brien 3 0", "acme 3 0", "s1 3 0", "s2 3 0"], (await tenants.ListAsync()).Select(t => $"{t.TenantId} {t.Partitions} {t.MissingPartitions}"));
        Assert.Equal(
            ["acme acme", "o_brien$", "s1 small", "s2 small"],
            (await tenants.ListAsync()).Select(t => t.Suffix.StartsWith("o_brien$", StringComparison.Ordinal) ? "o_brien$" : $"{t.TenantId} {t.Suffix}").Order(StringComparer.Ordinal));
        Assert.Empty(await tenants.RepairAsync());
        await tenants.AddAsync(["new"]);
        foreach (var tenant in (string[])["acme", "O'Brien", "s1", "s2", "new"])
        {
            await WriteAsync(tenant, managed);
        }

        await tenants.SplitAsync(["s1"]);
        await tenants.RemoveAsync(["acme"]);
        Assert.Empty(await tenants.RepairAsync());

        (rows, files) = (await RowsAsync(), await PartitionFilesAsync());
        await MigrateAsync(managed, list);
        Assert.Equal(rows, await RowsAsync());
        Assert.Subset((await PartitionFilesAsync()).ToHashSet(), files.ToHashSet());
        Assert.Contains("Firms_acme FOR VALUES IN ('acme')", await BoundsAsync("Firms"));
        Assert.Contains("Firms_new FOR VALUES IN ('new')", await BoundsAsync("Firms"));
        foreach (var tenant in (string[])["acme", "O'Brien", "s1", "s2", "new"])
        {
            await WriteAsync(tenant, list);
        }

        Assert.Empty(Differences(list, list));
    }

    [Fact]
    public async Task Partitions_of_somebody_else_follow_the_registry_under_the_names_that_they_have()
    {
        await MigrateAsync(null, FirmTables.External);
        foreach (var table in (string[])["Firms", "Deals", "Memos"])
        {
            await Database.ExecuteAsync(
                $"""
                CREATE TABLE "{table}_old-ones" PARTITION OF "{table}" FOR VALUES IN ('a', 'b''c');
                CREATE TABLE "{table.ToLowerInvariant()} of d" PARTITION OF "{table}" FOR VALUES IN ('d');
                """);
        }

        foreach (var tenant in (string[])["a", "b'c", "d"])
        {
            await WriteAsync(tenant, FirmTables.External);
        }

        var (rows, files) = (await RowsAsync(), await PartitionFilesAsync());
        await MigrateAsync(FirmTables.External, FirmTables.Managed);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(files, await PartitionFilesAsync());
        await using var context = Context(FirmTables.Managed);
        var tenants = context.Tenancy().Administration;
        Assert.Equal(
            ["a old_ones 3 0", "b'c old_ones 3 0", "d memos_of_d 3 0"],
            (await tenants.ListAsync()).Select(t => $"{t.TenantId} {t.Suffix} {t.Partitions} {t.MissingPartitions}"));
        Assert.Empty(await tenants.RepairAsync());
        await tenants.AddAsync(["e"]);
        await tenants.AddAsync(new Dictionary<string, string> { ["f"] = "old_ones" });
        await WriteAsync("e", FirmTables.Managed);
        await WriteAsync("f", FirmTables.Managed);
        await tenants.SplitAsync(["b'c"]);
        await tenants.RemoveAsync(["d", "a"]);
        Assert.Equal(["b'c", "e", "f"], await Database.ColumnAsync("""SELECT DISTINCT "TenantId" FROM "Deals" ORDER BY 1"""));
        Assert.Empty(await tenants.RepairAsync());

        rows = await RowsAsync();
        await MigrateAsync(FirmTables.Managed, FirmTables.External);
        Assert.Equal(rows, await RowsAsync());
        await WriteAsync("f", FirmTables.External);
    }

    [Fact]
    public async Task A_plain_table_and_a_list_follow_the_registry_in_one_migration()
    {
        var mixed = FirmTables.Plain with { Model = m => m.Entity<Memo>().IsPartitionedByTenant(x => x.ByList().AddTenants("acme", "s1")) };
        await MigrateAsync(null, mixed);
        await WriteAsync("acme", mixed);
        await WriteFirmAsync("late", mixed);

        var rows = await RowsAsync();
        await MigrateAsync(mixed, FirmTables.Managed);
        Assert.Equal(rows, await RowsAsync());
        await using var context = Context(FirmTables.Managed);
        Assert.Equal(
            ["acme acme 3", "late initial 3", "s1 s1 3"],
            (await context.Tenancy().Administration.ListAsync()).Select(t => $"{t.TenantId} {t.Suffix} {t.Partitions}"));
        Assert.Empty(await context.Tenancy().Administration.RepairAsync());
        foreach (var tenant in (string[])["acme", "late", "s1"])
        {
            await WriteAsync(tenant, FirmTables.Managed);
        }
    }

    private static IReadOnlyList<MigrationOperation> ToPartitions(
        bool isManaged,
        string[] listed,
        string? schema = null,
        string firstPartition = "initial")
        => ModelMigration.Operations(
            b =>
            {
                b.EnsureTenantRegistry("tenants");
                b.PartitionExistingTable(
                    "t",
                    "tenant",
                    x =>
                    {
                        if (isManaged)
                        {
                            x.ByManagedListPartitions("tenants");
                        }
                        else
                        {
                            x.ByList().AddTenants(listed);
                        }
                    },
                    firstPartition,
                    schema);
            });

    private static async Task AssertConvertedAsync(TestDatabase database, List<string> rows)
    {
        Assert.Equal(rows, await RowsAsync(database));
        Assert.Equal(
            ["\"Deals_initial\"", "\"Firms_initial\"", "\"Memos_initial\""],
            await database.ColumnAsync("SELECT inhrelid::regclass::text FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relkind = 'r' ORDER BY 1"));
        Assert.Equal(["FOR VALUES IN ('a', 'b')"], await database.ColumnAsync("SELECT DISTINCT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relispartition AND relkind = 'r'"));
        Assert.Equal(["a initial active", "b initial active"], await database.ColumnAsync("SELECT concat_ws(' ', partition_value, partition_name, state) FROM tenants.tenant_partitions ORDER BY 1"));
        Assert.Equal(0, await database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE NOT convalidated OR conname LIKE 'tenancy%'"));
    }

    private Task<List<string>> FilesAsync(string suffix)
        => Database.ColumnAsync(
            $"SELECT relfilenode FROM pg_class WHERE relname IN ('Firms{suffix}', 'Deals{suffix}', 'Memos{suffix}', 'PK_Firms{suffix}') ORDER BY relname");
}
