using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Tenants leave the partitions that they share.</summary>
public class TenantSplitTest(PostgresFixture postgres) : IAsyncLifetime
{
    private static readonly string[] Tables =
        ["Address", "Categories", "Customers", "Invoice", "OrderLines", "Orders", "Payment", "Products", "Remark", "Shipment"];

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task A_tenant_leaves_a_bucket_and_everything_is_as_if_it_had_been_added_alone()
    {
        var tenants = await CreateBucket("a", "b", "c");
        await tenants.AddAsync(["alone"]);
        await Insert("alone");
        var before = await Rows("a", "b", "c", "alone");
        var foreignKeys = await ForeignKeys();
        var bucket = await Shape("small");

        var result = await tenants.SplitAsync(["a", "alone"]);

        Assert.Equal(Tables, result.Tables.Select(t => t.Table["public.".Length..]).Order(StringComparer.Ordinal));
        Assert.All(result.Tables, t => Assert.Equal((1, 0L), (t.Changes, t.DeletedRows)));
        Assert.Equal(
            [("a", "a"), ("alone", "alone"), ("b", "small"), ("c", "small")], (await tenants.ListAsync()).Select(t => (t.TenantId, t.Suffix)));
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Active, 10, 0), (t.State, t.Partitions, t.MissingPartitions)));
        foreach (var table in Tables)
        {
            Assert.Equal(
                [$"{table}_a: a", $"{table}_alone: alone", $"{table}_small: b", $"{table}_small: c"],
                await _database.ColumnAsync(
                    $"""SELECT DISTINCT relname || ': ' || "TenantId" FROM "{table}" t JOIN pg_class c ON c.oid = t.tableoid ORDER BY 1"""));
        }

        Assert.Equal(before, await Rows("a", "b", "c", "alone"));
        Assert.Equal(foreignKeys, await ForeignKeys());
        Assert.Equal(bucket, await Shape("small"));
        await tenants.AddAsync(["fresh"]);
        Assert.Equal(await Shape("fresh"), await Shape("a"));
        await AssertNothingLeft();
        Assert.Empty(await tenants.RepairAsync());

        // Foreign keys work, and so do the tenants.
        await using var a = WarehouseContext.Create(_database.ConnectionString, "a");
        a.AddRows(2);
        await a.SaveChangesAsync();
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""UPDATE "OrderLines" SET "OrderId" = 99 WHERE "TenantId" = 'a'"""));
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""UPDATE "OrderLines" SET "OrderId" = 99 WHERE "TenantId" = 'b'"""));
        await _database.ExecuteAsync("""DELETE FROM "Orders" WHERE "TenantId" = 'a' AND "Id" = 2""");
        Assert.Equal(["1"], await _database.ColumnAsync("""SELECT "Id" FROM "OrderLines" WHERE "TenantId" = 'a'"""));
        await tenants.RemoveAsync(["a"]);
        Assert.Equal(before.Where(r => !r.StartsWith("a ", StringComparison.Ordinal)), await Rows("b", "c", "alone"));

        // Again: nothing is to be done.
        Assert.All((await tenants.SplitAsync(["alone"])).Tables, t => Assert.Equal(0, t.Changes));
    }

    [Fact]
    public async Task Several_tenants_leave_at_once_also_all_of_them_and_two_may_stay_together()
    {
        string[] ids = ["a", "O'Brien \"&\" Sons", "c", "d", "Ünïcode"];
        var tenants = await CreateBucket(ids);
        var before = await Rows(ids);

        await tenants.SplitAsync(new Dictionary<string, string> { ["a"] = "pair", ["d"] = "pair" });
        Assert.Equal(["small", "pair", "small", "pair", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
        await tenants.SplitAsync(ids);

        Assert.Equal(5, (await tenants.ListAsync()).Select(t => t.Suffix).Distinct().Count());
        Assert.Equal(before, await Rows(ids));
        Assert.Equal(50, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relispartition AND relkind = 'r'"));
        await AssertNothingLeft();
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task A_table_in_which_the_tenant_is_alone_already_keeps_its_partitions()
    {
        var tenants = await CreateBucket("a", "b", "c");
        await _database.ExecuteAsync(
            """
            ALTER TABLE "Payment" DETACH PARTITION "Payment_small";
            CREATE TABLE "Payment_mine" (LIKE "Payment" INCLUDING ALL);
            INSERT INTO "Payment_mine" SELECT * FROM "Payment_small" WHERE "TenantId" = 'a';
            DELETE FROM "Payment_small" WHERE "TenantId" = 'a';
            ALTER TABLE "Payment" ATTACH PARTITION "Payment_mine" FOR VALUES IN ('a');
            ALTER TABLE "Payment" ATTACH PARTITION "Payment_small" FOR VALUES IN ('b', 'c');
            """);
        var before = await Rows("a", "b", "c");
        var payment = await _database.ColumnAsync("SELECT oid, relname, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname LIKE 'Payment%' AND relkind = 'r' ORDER BY 1");
        var foreignKeys = await ForeignKeys();

        var result = await tenants.SplitAsync(["a"]);

        Assert.Equal(9, result.Tables.Sum(t => t.Changes));
        Assert.Equal(payment, await _database.ColumnAsync("SELECT oid, relname, pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname LIKE 'Payment%' AND relkind = 'r' ORDER BY 1"));
        Assert.Equal(before, await Rows("a", "b", "c"));
        Assert.Equal(foreignKeys, await ForeignKeys());
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"));
        await AssertNothingLeft();
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task Ids_may_be_of_another_type()
    {
        await using var context = new GuidContext(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        var ids = Enumerable.Range(1, 3).Select(i => new Guid(i, 0, 0, [0, 0, 0, 0, 0, 0, 0, 1]).ToString()).ToList();
        await tenants.AddAsync(ids.ToDictionary(id => id, _ => "small"));
        foreach (var id in ids)
        {
            context.ChangeTracker.Clear();
            context.Tenancy().Use(id);
            context.Add(new Happening { Name = id, Remarks = { new TestUtilities.Remark { Text = id } } });
            await context.SaveChangesAsync();
        }

        await tenants.SplitAsync(ids.Take(2));

        Assert.Equal(
            [.. ids.Take(2).Select(id => $"Remarks_{new Guid(id):N} {id}"), $"Remarks_small {ids[2]}"],
            await _database.ColumnAsync("""SELECT relname || ' ' || "Text" FROM "Remarks" r JOIN pg_class c ON c.oid = r.tableoid ORDER BY "Text" """));
        await AssertNothingLeft();
    }

    [Fact]
    public async Task What_stands_on_the_shared_partition_alone_stays_with_those_who_stay()
    {
        var model = Happenings;
        var tenants = await CreateHappenings("a", "leaver", "c");
        await _database.ExecuteAsync(
            """
            CREATE TABLE log (what text);
            CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_NAME || ' ' || TG_OP || ' ' || coalesce(NEW."Name", OLD."Name")); RETURN NEW; END $$;
            ALTER TABLE "Events" ADD "Code" int GENERATED ALWAYS AS ("Id" * 2) STORED;
            CREATE INDEX "IX_Lower" ON "Events" (lower("Name") DESC) INCLUDE ("At") WHERE "Name" <> 'none';
            CREATE TRIGGER "OfTable" AFTER INSERT ON "Events" FOR EACH ROW EXECUTE FUNCTION logged();

            ALTER TABLE "Events_small" SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.1), ALTER COLUMN "Name" SET STATISTICS 7;
            ALTER TABLE "Events_small" ADD CONSTRAINT "CK_Small" CHECK ("Name" <> '');
            CREATE UNIQUE INDEX "IX_Small" ON "Events_small" ("Id");
            CREATE INDEX "IX_Twin" ON "Events_small" ("At");
            CREATE INDEX "IX_Twin2" ON "Events_small" ("At");
            CREATE STATISTICS "Stat_small" ON "Name", "At" FROM "Events_small";
            CREATE TRIGGER "OfPartition" BEFORE DELETE ON "Events_small" FOR EACH ROW WHEN (OLD."Name" = 'never') EXECUTE FUNCTION logged();
            ALTER TABLE "Events_small" DISABLE TRIGGER "OfPartition";
            ALTER TABLE "Events_small" REPLICA IDENTITY USING INDEX "Events_small_pkey";
            COMMENT ON TABLE "Events_small" IS 'the small''s';
            COMMENT ON COLUMN "Events_small"."Name" IS 'a name';
            GRANT SELECT ON "Events_small" TO pg_monitor WITH GRANT OPTION;
            GRANT UPDATE ("Name") ON "Events_small" TO PUBLIC;
            GRANT SELECT ON "Events" TO pg_monitor;
            ALTER DEFAULT PRIVILEGES GRANT DELETE ON TABLES TO pg_signal_backend;
            CREATE POLICY own ON "Events_small" FOR SELECT TO pg_monitor USING ("Name" <> current_user);
            ALTER TABLE "Events_small" ENABLE ROW LEVEL SECURITY;
            """);
        var (before, bucket) = (await HappeningRows(), await Shape("small"));
        Assert.Contains(bucket, s => s.Contains("OfPartition", StringComparison.Ordinal));

        await tenants.SplitAsync(["leaver"]);

        Assert.Equal(before, await HappeningRows());
        Assert.Equal(bucket, await Shape("small"));
        await tenants.AddAsync(["fresh"]);
        Assert.Equal(await Shape("fresh"), await Shape("leaver"));
        await AssertNothingLeft();

        // Identity, trigger, generated column and key of the table work for both.
        await InsertHappenings(model, "a", "leaver");
        Assert.Equal(["OfTable INSERT a", "OfTable INSERT leaver"], await _database.ColumnAsync("SELECT what FROM log ORDER BY 1"));
        Assert.Equal(5, await _database.ScalarAsync<int>("""SELECT count(DISTINCT "Id") FROM "Events" WHERE "Code" = "Id" * 2"""));
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""UPDATE "Events" SET "Name" = '' WHERE "TenantId" = 'a'"""));
        await _database.ExecuteAsync("""UPDATE "Events" SET "Name" = '' WHERE "TenantId" = 'leaver'""");
    }

    [Fact]
    public async Task A_tenant_whose_rows_are_in_a_default_partition_gets_its_own()
    {
        var tenants = await CreateHappenings();
        await _database.ExecuteAsync("""CREATE TABLE "Events_else" PARTITION OF "Events" DEFAULT; CREATE TABLE "Remarks_else" PARTITION OF "Remarks" DEFAULT""");
        await InsertHappenings(Happenings, "x", "y");
        await InsertHappenings(Happenings, "x");
        var before = await HappeningRows();
        var foreignKeys = await ForeignKeys();

        // Its rows are in the way of a partition: the tenant is half added.
        await Assert.ThrowsAsync<TenantAdministrationException>(() => tenants.AddAsync(["x"]));
        Assert.Equal(TenantState.Adding, Assert.Single(await tenants.ListAsync()).State);

        await tenants.SplitAsync(["x"]);

        Assert.Equal((TenantState.Active, 2, 0), (await tenants.ListAsync()).Select(t => (t.State, t.Partitions, t.MissingPartitions)).Single());
        Assert.Equal(before, await HappeningRows());
        Assert.Equal(foreignKeys, await ForeignKeys());
        Assert.Equal(
            ["Events_else y 1", "Events_x x 2", "Remarks_else y 1", "Remarks_x x 2"],
            await _database.ColumnAsync(
                """
                SELECT concat_ws(' ', relname, "TenantId", count(*)) FROM (SELECT tableoid AS o, "TenantId" FROM "Events" UNION ALL SELECT tableoid, "TenantId" FROM "Remarks") r
                JOIN pg_class ON oid = o GROUP BY relname, "TenantId" ORDER BY 1
                """));
        Assert.Equal(["DEFAULT", "FOR VALUES IN ('x')"], await _database.ColumnAsync(
            """SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relname LIKE 'Events\_%' AND relispartition AND relkind = 'r' ORDER BY 1"""));
        await AssertNothingLeft();
        await InsertHappenings(Happenings, "x", "y", "z");
    }

    [Fact]
    public async Task Bad_input_is_refused_at_the_door_all_of_it_at_once()
    {
        var tenants = await CreateBucket("a", "b", "c");
        await tenants.AddAsync(["alone", "gone"]);
        await _database.ExecuteAsync("CREATE TABLE \"Orders_taken\" (); UPDATE tenants.tenant_partitions SET state = 'removing' WHERE partition_value = 'gone'");
        var registry = await _database.ColumnAsync("SELECT t::text FROM tenants.tenant_partitions t ORDER BY 1");

        Assert.Empty((await tenants.SplitAsync([])).Tables);
        await Assert.ThrowsAsync<ArgumentNullException>(() => tenants.SplitAsync((IEnumerable<string>)null!));
        var unknown = await Assert.ThrowsAsync<UnknownTenantException>(() => tenants.SplitAsync(["a", "nobody"]));
        Assert.Equal("nobody", unknown.TenantId);

        var form = await Assert.ThrowsAsync<ArgumentException>(
            () => tenants.SplitAsync(new Dictionary<string, string> { ["a"] = "a-b", ["b"] = "", [" "] = "x" }));
        Assert.Contains("'a-b' of tenant 'a'", form.Message, StringComparison.Ordinal);
        Assert.Contains("tenant 'b'", form.Message, StringComparison.Ordinal);
        Assert.Equal(3, form.Message.Split(Environment.NewLine + "- ").Length - 1);

        var taken = await Assert.ThrowsAsync<ArgumentException>(
            () => tenants.SplitAsync(
                new Dictionary<string, string> { ["a"] = "taken", ["b"] = "alone", ["c"] = new string('x', 60), ["alone"] = "other", ["gone"] = "gone" }));
        Assert.Contains("'Orders_taken'", taken.Message, StringComparison.Ordinal);
        Assert.Contains("'alone' of tenant 'b' is that of tenant 'alone'", taken.Message, StringComparison.Ordinal);
        Assert.Contains("of tenant 'c' is too long", taken.Message, StringComparison.Ordinal);
        Assert.Contains("'alone' has partitions of its own already", taken.Message, StringComparison.Ordinal);
        Assert.Contains("'gone' is being removed", taken.Message, StringComparison.Ordinal);

        // Its own suffix is the bucket's: that would be the bucket again.
        await _database.ExecuteAsync("UPDATE tenants.tenant_partitions SET state = 'active'");
        await Assert.ThrowsAsync<ArgumentException>(() => tenants.SplitAsync(new Dictionary<string, string> { ["a"] = "small" }));

        await using var unmanaged = new PartitionContext(_database.ConnectionString, _ => { });
        await Assert.ThrowsAsync<InvalidOperationException>(() => unmanaged.Tenancy().Administration.SplitAsync(["a"]));

        await AssertNothingLeft();
        await _database.ExecuteAsync("UPDATE tenants.tenant_partitions SET state = 'removing' WHERE partition_value = 'gone'");
        Assert.Equal(registry, await _database.ColumnAsync("SELECT t::text FROM tenants.tenant_partitions t ORDER BY 1"));
    }

    [Theory]
    [InlineData("CREATE VIEW v AS SELECT * FROM \"Events_small\"", "a view or a rule")]
    [InlineData("CREATE PUBLICATION p FOR TABLE \"Events_small\"", "a publication")]
    [InlineData("CREATE TABLE other (t text, id int, FOREIGN KEY (t, id) REFERENCES \"Events_small\" (\"TenantId\", \"Id\"))", "a foreign key")]
    [InlineData("ALTER TABLE \"Events_small\" ADD UNIQUE (\"Id\") DEFERRABLE", "a deferrable key")]
    [InlineData("ALTER TABLE \"Remarks\" DROP CONSTRAINT \"PK_Remarks\"", "no primary key")]
    [InlineData("ALTER TABLE \"Events\" FORCE ROW LEVEL SECURITY", null)]
    public async Task A_partition_that_cannot_be_written_anew_is_refused_and_stays(string obstacle, string? reason)
    {
        var tenants = await CreateHappenings("a", "b");
        await _database.ExecuteAsync(obstacle);
        var before = await HappeningRows();

        if (reason is null)
        {
            await tenants.SplitAsync(["a"]);
        }
        else
        {
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => tenants.SplitAsync(["a"]));
            Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
            Assert.Contains("_small", exception.Message, StringComparison.Ordinal);
            Assert.Equal(["small", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
        }

        Assert.Equal(before, await HappeningRows());
        Assert.DoesNotContain(await _database.ColumnAsync(SplitCatalog.Leftovers), l => !l.StartsWith("detached", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("TRUNCATE \"Remarks\"")]
    [InlineData("VACUUM FULL \"Events_small\"")]
    [InlineData("ALTER TABLE \"Events_small\" DISABLE TRIGGER USER")]
    [InlineData("ALTER TABLE \"Events\" ADD \"More\" int")]
    public async Task What_changes_a_partition_past_the_log_ends_the_split_and_nothing_is_lost(string change)
    {
        var tenants = await CreateHappenings("a", "b");
        var changed = false;

        await Assert.ThrowsAnyAsync<Exception>(
            () => tenants.SplitAsync(
                ["a"],
                progress: new Told(
                    p =>
                    {
                        if (!changed && p.Table == "public.Remarks" && p.Done == p.Total)
                        {
                            changed = true;
                            _database.ExecuteAsync(change).GetAwaiter().GetResult();
                        }
                    })));

        Assert.True(changed);
        Assert.Equal(["small", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
        Assert.Equal(change.StartsWith('T') ? 2 : 4, (await HappeningRows()).Count);
        await AssertNothingLeft();
        await tenants.SplitAsync(["a"]);
        Assert.Equal(["a", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
    }

    [Fact]
    public async Task A_cancelled_split_leaves_nothing_and_progress_is_told()
    {
        var tenants = await CreateBucket("a", "b");
        var before = await Rows("a", "b");
        using var cancel = new CancellationTokenSource();
        var told = new List<TenantProgress>();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => tenants.SplitAsync(
                ["a"], cancel.Token,
                new Told(
                    p =>
                    {
                        told.Add(p);
                        if (told.Select(t => t.Table).Distinct().Count() == 5)
                        {
                            cancel.Cancel();
                        }
                    })));

        await AssertNothingLeft();
        Assert.Equal(before, await Rows("a", "b"));
        await tenants.SplitAsync(["a"], progress: new Told(told.Add));
        Assert.Equal(10, told.Select(t => t.Table).Distinct().Count());
        Assert.Equal(before, await Rows("a", "b"));
    }

    [Fact]
    public async Task A_snapshot_from_before_holds_the_switch_off_and_misses_nothing()
    {
        var tenants = await CreateBucket("a", "b");
        await using var connection = new NpgsqlConnection(_database.ConnectionString);
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using var snapshot = new NpgsqlCommand("SELECT 1 FROM pg_class LIMIT 1", connection);
        await snapshot.ExecuteScalarAsync();

        var split = tenants.SplitAsync(["a"]);
        await Task.Delay(4_000);
        Assert.False(split.IsCompleted);
        await using var count = new NpgsqlCommand("""SELECT count(*) FROM "Orders" WHERE "TenantId" = 'a'""", connection);
        Assert.Equal(1L, await count.ExecuteScalarAsync());
        await transaction.CommitAsync();

        await split;
        Assert.Equal(["a", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
        await AssertNothingLeft();
    }

    [Fact]
    public async Task Two_processes_that_split_and_one_that_adds_to_the_bucket_all_come_to_their_end()
    {
        var tenants = await CreateBucket("a", "b", "c");
        var before = await Rows("a", "b", "c");

        await Task.WhenAll(
            Other().SplitAsync(["a"]), Other().SplitAsync(["a"]), Other().SplitAsync(["b"]),
            Other().AddAsync(new Dictionary<string, string> { ["late"] = "small" }), Other().RepairAsync());

        Assert.Equal(["a", "b", "small", "small"], (await tenants.ListAsync()).Select(t => t.Suffix));
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Active, 10), (t.State, t.Partitions)));
        Assert.Equal(before, await Rows("a", "b", "c"));
        await Insert("late");
        await AssertNothingLeft();

        ITenantAdministration Other()
            => WarehouseContext.Create(_database.ConnectionString).Tenancy().Administration;
    }

    private static Action<ModelBuilder> Happenings
        => PartitionContext.Partitioned(x => x.ByManagedListPartitions("tenants"));

    private async Task<ITenantAdministration> CreateHappenings(params string[] ids)
    {
        var context = new PartitionContext(_database.ConnectionString, Happenings);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(ids.ToDictionary(id => id, _ => "small"));
        await InsertHappenings(Happenings, ids);
        return context.Tenancy().Administration;
    }

    private async Task InsertHappenings(Action<ModelBuilder> model, params string[] ids)
    {
        foreach (var id in ids)
        {
            // Past the registry: a DEFAULT partition takes tenants whom nobody registered.
            await using var context = PartitionContext.For(_database.ConnectionString, id, model);
            context.Add(new Happening { Name = id, Remarks = { new TestUtilities.Remark { Text = id } } });
            await context.SaveChangesAsync();
        }
    }

    private Task<List<string>> HappeningRows()
        => _database.ColumnAsync("""SELECT t::text FROM "Events" t UNION ALL SELECT t::text FROM "Remarks" t ORDER BY 1""");

    private async Task<ITenantAdministration> CreateBucket(params string[] ids)
    {
        var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(ids.ToDictionary(id => id, _ => "small"));
        await Insert(ids);
        return context.Tenancy().Administration;
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

    // Not xmin and ctid: they are what a split changes.
    private async Task<List<string>> Rows(params string[] ids)
    {
        var rows = new List<string>();
        foreach (var id in ids)
        {
            foreach (var table in Tables)
            {
                rows.AddRange(await _database.ColumnAsync(
                    $"""SELECT "TenantId" || ' {table} ' || count(*) || ' ' || md5(string_agg(t::text, '|' ORDER BY t::text)) FROM "{table}" t WHERE "TenantId" = '{id.Replace("'", "''", StringComparison.Ordinal)}' GROUP BY "TenantId" """));
            }
        }

        Assert.Equal(ids.Length * Tables.Length, rows.Count);
        return rows;
    }

    private Task<List<string>> ForeignKeys()
        => _database.ColumnAsync(
            "SELECT conname || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1");

    /// <summary>All that the catalog knows of the partitions of a suffix.</summary>
    private async Task<List<string>> Shape(string suffix)
        => [.. (await _database.ColumnAsync(SplitCatalog.Shape(suffix))).Select(s => s.Replace("_" + suffix, "_?", StringComparison.Ordinal))];

    private async Task AssertNothingLeft()
        => Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));

    private sealed class GuidContext(string connectionString) : PartitionContext(connectionString, Happenings)
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        {
            base.OnConfiguring(optionsBuilder);
            optionsBuilder.UseTenancy(t => t.UseTenantProperty<Guid>());
        }
    }
}
