using System.Collections.Concurrent;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata.Builders;
using EfTenancy.Migrations.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Partitions whose tenants the model does not know follow the registry, another registry, or a list of the model.</summary>
public class RegroupingTest(PostgresFixture postgres) : FirmTest(postgres)
{
    private static readonly string[] Tenants = ["acme", "O'Brien; DROP", "Größe 😀", "back\\slash", "%s {0}", "one", "*DEFAULT*"];

    private static readonly FirmTables Hash = Of(x => x.ByHash("one", "two", "three"));

    private static readonly FirmTables Elsewhere = new(t => t.PartitionMultiTenantedEntitiesManaged("others"), _ => { });

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> Sources
        => [.. Others.Keys];

    private static readonly Dictionary<string, FirmTables> Others = new()
    {
        ["hash"] = Hash,
        ["range"] = Of(x => x.ByRange().AddRange("low", "!", "b").AddRange("high", "b", "one").WithDefaultPartition("rest")),
        ["list with default"] = Of(x => x.ByList().AddTenants("acme", "nobody yet").AddPartition("some", "one", "back\\slash").WithDefaultPartition()),
    };

    [Theory, MemberData(nameof(Sources))]
    public async Task Tenants_keep_together_in_partitions_that_follow_the_registry_and_are_administered(string source)
    {
        var before = Others[source];
        await MigrateAsync(null, before);
        foreach (var tenant in Tenants)
        {
            await WriteAsync(tenant, before);
        }

        await WriteMemoAsync("memos only", before);
        var (rows, foreignKeys, groups) = (await RowsAsync(), await ForeignKeysAsync(), await GroupsAsync());

        var operations = await MigrateAsync(before, FirmTables.Managed);

        Assert.Equal(3, operations.OfType<RebuildTableByCopyingOperation>().Count());
        Assert.Empty(Differences(FirmTables.Managed, FirmTables.Managed));
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(foreignKeys, await ForeignKeysAsync());
        Assert.Equal(groups, await GroupsAsync());
        Assert.Equal(
            source switch
            {
                "hash" => ["one", "three", "two"],
                "range" => ["high", "initial", "low"],
                _ => ["acme", "initial", "nobody_yet$", "some"],
            },
            (await Database.ColumnAsync("SELECT DISTINCT partition_name FROM tenants.tenant_partitions ORDER BY 1")).Select(n => n[..(n.IndexOf('$') + 1 is var i and > 0 ? i : n.Length)]));
        Assert.Empty(await Database.ColumnAsync("SELECT relname FROM pg_class WHERE relname LIKE 'tenancy%'"));

        await using var context = Context(FirmTables.Managed);
        var tenants = context.Tenancy().Administration;
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Active, 3, 0), (t.State, t.Partitions, t.MissingPartitions)));
        Assert.Empty(await tenants.RepairAsync());
        Assert.Subset((await tenants.ListAsync()).Select(t => t.TenantId).ToHashSet(), Tenants.Append("memos only").ToHashSet());
        await tenants.AddAsync(["new"]);
        foreach (var tenant in Tenants.Append("memos only").Append("new"))
        {
            await WriteAsync(tenant, FirmTables.Managed);
        }

        await Assert.ThrowsAsync<UnknownTenantException>(() => WriteAsync("nobody", FirmTables.Managed));
        rows = await RowsAsync();
        await tenants.SplitAsync(["O'Brien; DROP", "memos only"]);
        Assert.Equal(rows, await RowsAsync());
        await tenants.RemoveAsync(["Größe 😀", "one"]);
        Assert.Equal(0, await Database.ScalarAsync<int>("""SELECT count(*) FROM "Deals" WHERE "TenantId" IN ('Größe 😀', 'one')"""));
        await WriteAsync("acme", FirmTables.Managed);
        Assert.Empty(await tenants.RepairAsync());

        // And back, and again.
        rows = await RowsAsync();
        await MigrateAsync(FirmTables.Managed, before);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(foreignKeys, await ForeignKeysAsync());
        await WriteAsync("acme", before);
        rows = await RowsAsync();
        await MigrateAsync(before, FirmTables.Managed);
        Assert.Equal(rows, await RowsAsync());
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((3, 0), (t.Partitions, t.MissingPartitions)));
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task Who_is_registered_keeps_his_suffix_which_nobody_comes_to_share()
    {
        var before = Hash with { Model = m => m.Entity<Memo>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")) };
        await MigrateAsync(null, before);
        await using var context = Context(before);
        await context.Tenancy().Administration.AddAsync(["one", "two", "three", "acme", "empty"]);
        foreach (var tenant in (string[])["one", "two", "three", "acme"])
        {
            await WriteAsync(tenant, before);
        }

        for (var i = 0; i < 10; i++)
        {
            await WriteFirmAsync($"late {i}", before);
        }

        await context.Tenancy().Administration.DisableAsync(["two"]);
        var rows = await RowsAsync();
        await MigrateAsync(before, FirmTables.Managed);
        Assert.Equal(rows, await RowsAsync());
        Assert.Equal(
            ["acme acme false", "empty empty false", "one one false", "three three false", "two two true"],
            await Database.ColumnAsync("SELECT concat_ws(' ', partition_value, partition_name, disabled::text) FROM tenants.tenant_partitions WHERE partition_value NOT LIKE 'late%' ORDER BY 1"));
        Assert.All(
            await Database.ColumnAsync("SELECT partition_name FROM tenants.tenant_partitions WHERE partition_value LIKE 'late%'"),
            n => Assert.EndsWith("_rows", n, StringComparison.Ordinal));
        Assert.Equal("FOR VALUES IN ('one')", await Database.ScalarAsync<string>("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname = 'Firms_one'"));

        // Memos followed the registry before, and nobody asked for these tenants there.
        Assert.NotEmpty(await context.Tenancy().Administration.RepairAsync());
        Assert.Empty(await context.Tenancy().Administration.RepairAsync());
        await WriteAsync("late 3", FirmTables.Managed);
        await WriteAsync("empty", FirmTables.Managed);
    }

    [Theory]
    [InlineData(typeof(Memo))]
    [InlineData(typeof(Deal))]
    [InlineData(typeof(Firm))]
    public async Task Plain_tables_and_one_by_hash_follow_the_registry_in_one_migration(Type byHash)
    {
        var before = FirmTables.Plain with { Model = m => m.Entity(byHash).IsPartitionedByTenant(x => x.ByHash("one", "two")) };
        await MigrateAsync(null, before);
        await WriteAsync("both", before);
        await WriteFirmAsync("firms only", before);
        await WriteMemoAsync("memos only", before);
        var rows = await RowsAsync();

        await MigrateAsync(before, FirmTables.Managed);

        Assert.Equal(rows, await RowsAsync());
        await using var context = Context(FirmTables.Managed);
        Assert.All(await context.Tenancy().Administration.ListAsync(), t => Assert.Equal((3, 0), (t.Partitions, t.MissingPartitions)));
        Assert.Empty(await context.Tenancy().Administration.RepairAsync());
        foreach (var tenant in (string[])["both", "firms only", "memos only"])
        {
            await WriteAsync(tenant, FirmTables.Managed);
        }
    }

    [Theory]
    [InlineData("md5(i::text)::uuid::text", 3000)]
    [InlineData("'ü' || repeat(md5(i::text), 3)", 1000)]
    [InlineData("i::text", 5000)]
    public async Task More_tenants_than_one_partition_can_be_for_get_several(string tenant, int count)
    {
        await Database.ExecuteAsync(
            $"""
            CREATE TABLE t (tenant text NOT NULL, id int, PRIMARY KEY (tenant, id));
            INSERT INTO t SELECT {tenant}, i FROM generate_series(1, {count}) AS i;
            """);

        var operations = ModelMigration.Operations(
            b =>
            {
                b.EnsureTenantRegistry("tenants");
                b.RebuildTableByCopying("t", "tenant", partitioning: x => x.ByManagedListPartitions("tenants"));
            });
        for (var round = 0; round < 2; round++)
        {
            await ExecuteAsync(FirmTables.Managed, operations);

            Assert.Equal(count, await Database.ScalarAsync<int>("SELECT count(*) FROM t"));
            Assert.Equal(count, await Database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions"));
            var partitions = await Database.ColumnAsync("SELECT relname FROM pg_class JOIN pg_inherits ON inhrelid = oid WHERE relkind = 'r' ORDER BY length(relname), relname");
            Assert.InRange(partitions.Count, 2, 50);
            Assert.Equal(["t_initial", "t_initial_2"], partitions.Take(2));
            Assert.Empty(await Database.ColumnAsync("SELECT tenant FROM t JOIN tenants.tenant_partitions ON partition_value = tenant WHERE t.tableoid::regclass::text <> 't_' || partition_name LIMIT 5"));
        }
    }

    [Fact]
    public async Task Scripts_that_run_at_once_all_come_to_their_end_and_what_is_cut_off_has_changed_nothing()
    {
        await MigrateAsync(null, Hash);
        foreach (var tenant in Tenants)
        {
            await WriteAsync(tenant, Hash);
        }

        await Database.ExecuteAsync("""INSERT INTO "Memos" ("TenantId", "Text") SELECT 'acme', 'bulk' FROM generate_series(1, 20000)""");
        var rows = await RowsAsync();
        var commands = Commands(Hash, FirmTables.Managed);
        for (var cut = 0; cut < 6; cut++)
        {
            await using var database = await Database.CloneAsync("cut");
            var exception = await Record.ExceptionAsync(
                async () =>
                {
                    await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(database.ConnectionString) { Pooling = false }.ConnectionString);
                    await connection.OpenAsync(Cancellation);
                    var killing = Task.Run(
                        async () =>
                        {
                            await Task.Delay(60 * cut, Cancellation);
                            await database.ScalarAsync<bool>($"SELECT pg_terminate_backend({connection.ProcessID})");
                        });
                    await using var transaction = await connection.BeginTransactionAsync(Cancellation);
                    await SendAsync(connection, commands);
                    await killing;
                    await transaction.CommitAsync(Cancellation);
                });
            Assert.NotNull(exception);
            Assert.Equal(rows, await RowsAsync(database));
            Assert.Equal(9, await database.ScalarAsync<int>("SELECT count(*) FROM pg_inherits JOIN pg_class ON oid = inhrelid WHERE relkind = 'r'"));

            await Task.WhenAll(
                Enumerable.Range(0, 4).Select(
                    _ => Task.Run(
                        async () =>
                        {
                            await using var connection = new NpgsqlConnection(database.ConnectionString);
                            await connection.OpenAsync(Cancellation);
                            await using var transaction = await connection.BeginTransactionAsync(Cancellation);
                            await SendAsync(connection, commands);
                            await transaction.CommitAsync(Cancellation);
                        })));
            Assert.Equal(rows, await RowsAsync(database));
            await using var context = new FirmContext(database.ConnectionString, FirmTables.Managed);
            Assert.All(await context.Tenancy().Administration.ListAsync(), t => Assert.Equal((3, 0), (t.Partitions, t.MissingPartitions)));
            Assert.Empty(await context.Tenancy().Administration.RepairAsync());
        }
    }

    [Fact]
    public async Task Writers_meanwhile_lose_nothing_and_a_new_tenant_is_refused_or_has_its_place()
    {
        await MigrateAsync(null, Hash);
        await WriteAsync("a", Hash);
        await Database.ExecuteAsync("""INSERT INTO "Memos" ("TenantId", "Text") SELECT 'a', 'bulk' FROM generate_series(1, 50000)""");
        using var stop = new CancellationTokenSource();
        var (written, refused) = (new ConcurrentBag<string>(), new ConcurrentBag<string>());
        var writers = Enumerable.Range(0, 3).Select(w => Task.Run(
            async () =>
            {
                for (var i = 0; !stop.IsCancellationRequested; i++)
                {
                    var tenant = w == 0 ? "a" : $"new {w} {i}";
                    try
                    {
                        await WriteAsync(tenant, Hash);
                        written.Add(tenant);
                    }
                    catch (UnknownTenantException) when (w > 0)
                    {
                        refused.Add(tenant);
                    }
                }
            })).ToList();
        await Task.Delay(300, Cancellation);
        await MigrateAsync(Hash, FirmTables.Managed);
        await Task.Delay(300, Cancellation);
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.NotEmpty(refused);
        Assert.Contains(written, t => t.StartsWith("new", StringComparison.Ordinal));
        Assert.Equal(
            written.Append("a").Order(StringComparer.Ordinal),
            (await Database.ColumnAsync("""SELECT "TenantId" FROM "Deals" """)).Order(StringComparer.Ordinal));
        await using var context = Context(FirmTables.Managed);
        var tenants = context.Tenancy().Administration;
        Assert.Subset((await tenants.ListAsync()).Select(t => t.TenantId).ToHashSet(), written.ToHashSet());
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((3, 0), (t.Partitions, t.MissingPartitions)));
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task Tenants_go_to_another_registry_as_they_are_and_no_row_moves()
    {
        await MigrateAsync(null, FirmTables.Managed);
        await using var context = Context(FirmTables.Managed);
        await context.Tenancy().Administration.AddAsync(Tenants.Append("off").Append("off there").ToArray());
        await context.Tenancy().Administration.AddAsync(new Dictionary<string, string> { ["s1"] = "small", ["s2"] = "small" });
        foreach (var tenant in Tenants.Append("s1").Append("s2"))
        {
            await WriteAsync(tenant, FirmTables.Managed);
        }

        await context.Tenancy().Administration.DisableAsync(["off"]);
        await Database.ExecuteAsync("CREATE SCHEMA others");
        await MigrateAsync(null, Elsewhere with { Model = m => { m.Ignore<Firm>(); m.Ignore<Deal>(); m.Ignore<Land>(); m.Entity<Memo>().ToTable("Notes"); } });
        await Database.ExecuteAsync("INSERT INTO others.tenant_partitions VALUES ('acme', 'acme2', false), ('off there', 'off_there', true), ('theirs', 'theirs', false)");
        var (rows, files) = (await RowsAsync(), await PartitionFilesAsync());
        var registered = await RegisteredAsync("tenants");

        // Who is half removed is neither here nor there.
        await Database.ExecuteAsync("UPDATE tenants.tenant_partitions SET state = 'removing' WHERE partition_value = 'off'");
        var refused = await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync(FirmTables.Managed, Elsewhere));
        Assert.Contains("RepairAsync", refused.MessageText, StringComparison.Ordinal);
        await Database.ExecuteAsync("UPDATE tenants.tenant_partitions SET state = 'active' WHERE partition_value = 'off'");

        var operations = await MigrateAsync(FirmTables.Managed, Elsewhere);
        Assert.DoesNotContain(operations, o => o is RebuildTableByCopyingOperation or PartitionExistingTableOperation);
        Assert.Equal(rows, await RowsAsync());
        Assert.Subset((await PartitionFilesAsync()).ToHashSet(), files.ToHashSet());
        Assert.Equal(registered, await RegisteredAsync("tenants"));
        Assert.Equal(
            registered.Where(r => !r.StartsWith("acme ", StringComparison.Ordinal) && !r.StartsWith("off there", StringComparison.Ordinal))
                .Concat(["acme acme2 false active", "off there off_there true active", "theirs theirs false active"]).Order(StringComparer.Ordinal),
            (await RegisteredAsync("others")).Order(StringComparer.Ordinal));

        await using var there = Context(Elsewhere);
        var tenants = there.Tenancy().Administration;
        await tenants.RepairAsync();
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((t.TenantId.StartsWith("off", StringComparison.Ordinal) ? TenantState.Disabled : TenantState.Active, 0), (t.State, t.MissingPartitions)));
        foreach (var tenant in Tenants.Append("theirs").Append("s2"))
        {
            await WriteAsync(tenant, Elsewhere);
        }

        await Assert.ThrowsAsync<TenantDisabledException>(() => WriteAsync("off", Elsewhere));
        await tenants.AddAsync(["new"]);
        await tenants.RemoveAsync(["s1"]);
        await WriteAsync("new", Elsewhere);

        (rows, files) = (await RowsAsync(), await PartitionFilesAsync());
        await MigrateAsync(Elsewhere, FirmTables.Managed);
        Assert.Equal(rows, await RowsAsync());
        Assert.Subset((await PartitionFilesAsync()).ToHashSet(), files.ToHashSet());
        await WriteAsync("new", FirmTables.Managed);
        await WriteAsync("acme", FirmTables.Managed);
    }

    public static TheoryData<string> Externals
        => ["list", "hash", "range"];

    [Theory, MemberData(nameof(Externals))]
    public async Task Partitions_of_somebody_else_become_those_of_the_model_and_back(string strategy)
    {
        var (external, own) = strategy switch
        {
            "list" => (FirmTables.External, FirmTables.List),
            "hash" => (Of(x => x.ByExternallyManagedHashPartitions()), Of(x => x.ByHash("a", "b", "c"))),
            _ => (Of(x => x.ByExternallyManagedRangePartitions()), Of(x => x.ByRange().AddRange("all", "A", "zz"))),
        };
        await MigrateAsync(null, external);
        foreach (var table in (string[])["Firms", "Deals", "Memos"])
        {
            await Database.ExecuteAsync(
                strategy switch
                {
                    "list" => $"""CREATE TABLE "{table} x" PARTITION OF "{table}" FOR VALUES IN ('acme', 's1'); CREATE TABLE "{table} y" PARTITION OF "{table}" FOR VALUES IN ('s3')""",
                    "hash" => $"""CREATE TABLE "{table}_a" PARTITION OF "{table}" FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE "{table} y" PARTITION OF "{table}" FOR VALUES WITH (MODULUS 2, REMAINDER 1)""",
                    _ => $"""CREATE TABLE "{table}_all" PARTITION OF "{table}" FOR VALUES FROM ('a') TO ('s1'); CREATE TABLE "{table} y" PARTITION OF "{table}" FOR VALUES FROM ('s1') TO (MAXVALUE)""",
                });
        }

        foreach (var tenant in (string[])["acme", "s1", "s3"])
        {
            await WriteAsync(tenant, external);
        }

        var (rows, files, foreignKeys) = (await RowsAsync(), await PartitionFilesAsync(), await ForeignKeysAsync());
        for (var round = 0; round < 2; round++)
        {
            await MigrateAsync(external, own);
            Assert.Equal(rows, await RowsAsync());
            Assert.Equal(foreignKeys, await ForeignKeysAsync());
            if (strategy == "list")
            {
                Assert.Subset((await PartitionFilesAsync()).ToHashSet(), files.ToHashSet());
                await WriteAsync("s2", own);
            }
            else
            {
                Assert.DoesNotContain(await Database.ColumnAsync("SELECT relname FROM pg_class"), n => n.EndsWith(" y", StringComparison.Ordinal));
            }

            await WriteAsync("acme", own);
            await MigrateAsync(own, external);
            await WriteAsync("s3", external);
            rows = await RowsAsync();
        }
    }

    private static FirmTables Of(Action<TenantPartitioningBuilder> partitioning)
        => new(t => t.PartitionMultiTenantedEntities(partitioning), _ => { });

    private static async Task SendAsync(NpgsqlConnection connection, IReadOnlyList<MigrationCommand> commands)
    {
        foreach (var sql in commands)
        {
            await using var command = new NpgsqlCommand(sql.CommandText, connection);
            await command.ExecuteNonQueryAsync(Cancellation);
        }
    }

    // Who is in one partition with whom.
    private Task<List<string>> GroupsAsync()
        => Database.ColumnAsync("""SELECT string_agg(DISTINCT "TenantId", ',') FROM "Memos" GROUP BY tableoid ORDER BY 1""");

    private Task<List<string>> RegisteredAsync(string schema)
        => Database.ColumnAsync($"SELECT concat_ws(' ', partition_value, partition_name, disabled::text, state) FROM {schema}.tenant_partitions ORDER BY 1");
}
