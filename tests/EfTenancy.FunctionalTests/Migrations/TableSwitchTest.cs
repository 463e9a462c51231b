using System.Diagnostics;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Migrations.Operations;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Tables with rows, and with all that may stand on a table, between all ways to be partitioned.</summary>
public class TableSwitchTest(PostgresFixture postgres) : IAsyncLifetime
{
    private const string Everything =
        """
        ALTER TABLE "Events" ADD "ParentId" int, ADD "Code" int GENERATED ALWAYS AS ("Id" * 2) STORED, ADD "Serial" serial;
        ALTER TABLE "Events" ADD CONSTRAINT "FK_Parent" FOREIGN KEY ("TenantId", "ParentId") REFERENCES "Events" ("TenantId", "Id") ON DELETE SET NULL ("ParentId");
        ALTER TABLE "Events" ADD CONSTRAINT "CK_Name" CHECK ("Name" <> '');
        CREATE INDEX "IX_Name" ON "Events" (lower("Name") DESC) INCLUDE ("At") WHERE "Name" <> 'none';
        CREATE UNIQUE INDEX "IX_Once" ON "Events" ("TenantId", "Serial") NULLS NOT DISTINCT;
        CREATE STATISTICS "Stat" ON "Name", "At" FROM "Events";
        COMMENT ON TABLE "Events" IS 'what''s on';
        COMMENT ON COLUMN "Events"."Name" IS 'a "name"';
        CREATE TABLE log (what text);
        CREATE FUNCTION logged() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (TG_OP || ' ' || NEW."Name"); RETURN NEW; END $$;
        CREATE TRIGGER "Log" AFTER INSERT ON "Events" FOR EACH ROW WHEN (NEW."Name" LIKE 'log%') EXECUTE FUNCTION logged();
        CREATE TRIGGER "Off" AFTER INSERT ON "Events" FOR EACH ROW EXECUTE FUNCTION logged();
        ALTER TABLE "Events" DISABLE TRIGGER "Off";
        CREATE VIEW named WITH (security_barrier = true) AS SELECT "TenantId" COLLATE "C" AS "TenantId", "Name" FROM "Events";
        CREATE VIEW counted AS SELECT "TenantId", count(*) AS n FROM named GROUP BY 1;
        GRANT SELECT ON named TO PUBLIC;
        GRANT SELECT, INSERT ON "Events" TO pg_monitor WITH GRANT OPTION;
        GRANT UPDATE ("Name") ON "Events" TO PUBLIC;
        CREATE POLICY own ON "Events" FOR SELECT TO pg_monitor USING ("TenantId" = current_user);
        CREATE POLICY all_of_them ON "Events" AS RESTRICTIVE USING (true) WITH CHECK ("Name" <> 'secret');
        ALTER TABLE "Events" ENABLE ROW LEVEL SECURITY;
        """;

    private const string EverythingSince17
        = """GRANT MAINTAIN ON "Events" TO PUBLIC;""";

    private const string EverythingSince18 =
        """
        ALTER TABLE "Events" ADD "Twice" int GENERATED ALWAYS AS ("Id" * 2) VIRTUAL;
        ALTER TABLE "Events" RENAME CONSTRAINT "Events_Name_not_null" TO "Name_is_there";
        ALTER TABLE "Events" ADD CONSTRAINT "CK_Wish" CHECK ("Name" = '') NOT ENFORCED;
        ALTER TABLE "Events" ADD CONSTRAINT "FK_Wish" FOREIGN KEY ("TenantId", "Serial") REFERENCES "Events" ("TenantId", "Id") NOT ENFORCED;
        ALTER TABLE "Remarks" ADD "WishId" int DEFAULT 99, ADD CONSTRAINT "FK_Wish" FOREIGN KEY ("TenantId", "WishId") REFERENCES "Events" ("TenantId", "Id") NOT ENFORCED;
        """;

    private static readonly Action<ModelBuilder> Managed = PartitionContext.Partitioned(x => x.ByManagedListPartitions("tenants"));

    private static readonly (string Name, Action<ModelBuilder> Model)[] Models =
    [
        ("plain", _ => { }),
        ("list", PartitionContext.Partitioned(x => x.ByList().AddPartition("t1", "T1").AddPartition("rest", "T2", "T'3").AddPartition("t9", "T9"))),
        ("list with default", PartitionContext.Partitioned(x => x.ByList().AddPartition("t9", "T9").WithDefaultPartition())),
        ("hash", PartitionContext.Partitioned(x => x.ByHash("a", "b"))),
        ("three hashes", PartitionContext.Partitioned(x => x.ByHash("a", "b", "c"))),
        ("range", PartitionContext.Partitioned(x => x.ByRange().AddRange("low", "A", "T2").AddRange("high", "T2", "a").WithDefaultPartition("else"))),
        ("managed", Managed),
    ];

    private TestDatabase _database = null!;

    public static TheoryData<string, string> Pairs()
    {
        var pairs = new TheoryData<string, string>();
        foreach (var (from, _) in Models)
        {
            foreach (var (to, _) in Models.Where(m => m.Name != from && !(m.Name.StartsWith("list") && from.StartsWith("list"))))
            {
                pairs.Add(from, to);
            }
        }

        return pairs;
    }

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task Rows_and_all_that_stands_on_the_table_are_there_afterwards_and_after_the_way_back(string from, string to)
    {
        var (before, after) = (Models.Single(m => m.Name == from).Model, Models.Single(m => m.Name == to).Model);
        await MigrateAsync(null, before);
        await _database.ExecuteAsync(Everything);
        await AddWhatNewerServersKnowAsync();
        foreach (var tenant in (string[])["T1", "T2", "T'3"])
        {
            await InsertAsync(tenant, before);
        }

        await _database.ExecuteAsync("""UPDATE "Events" SET "ParentId" = "Id" """);
        var (facts, rows) = (await FactsAsync(), await RowsAsync());
        Assert.NotEmpty(rows);

        foreach (var (source, target) in (List<(Action<ModelBuilder>, Action<ModelBuilder>)>)[(before, after), (after, before)])
        {
            await MigrateAsync(source, target);
            Assert.Equal(rows, await RowsAsync());
            Assert.Equal(facts, await FactsAsync());
        }

        await MigrateAsync(before, after);
        await InsertAsync("T1", after);
        await InsertAsync("T9", after, "logged");
        Assert.Equal(["INSERT logged"], await _database.ColumnAsync("SELECT what FROM log"));
        Assert.Equal(["T'3 1", "T1 2", "T2 1", "T9 1"], await _database.ColumnAsync("""SELECT "TenantId" || ' ' || n FROM counted ORDER BY "TenantId" COLLATE "C" """));
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""INSERT INTO "Remarks" ("TenantId", "HappeningId") VALUES ('T1', 99)"""));
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""UPDATE "Events" SET "ParentId" = 99"""));
        await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""INSERT INTO "Events" ("TenantId", "Name", "At", "Serial") VALUES ('T1', 'x', now(), 1)"""));
        await _database.ExecuteAsync("""DELETE FROM "Events" WHERE "TenantId" = 'T2' """);
        Assert.Equal(0L, await _database.ScalarAsync<long>("""SELECT count(*) FROM "Remarks" WHERE "TenantId" = 'T2' """));
    }

    [Fact]
    public async Task A_plain_table_becomes_the_first_partition_without_copying()
    {
        var list = Models.Single(m => m.Name == "list").Model;
        await MigrateAsync(null, _ => { });
        foreach (var tenant in (string[])["T1", "T2"])
        {
            await InsertAsync(tenant, _ => { });
        }

        var file = await _database.ScalarAsync<uint>("""SELECT relfilenode FROM pg_class WHERE oid = '"Events"'::regclass""");
        var index = await _database.ScalarAsync<uint>("""SELECT relfilenode FROM pg_class WHERE oid = '"PK_Events"'::regclass""");

        var operations = await MigrateAsync(_ => { }, list);

        Assert.Equal(["Events", "Remarks"], operations.OfType<PartitionExistingTableOperation>().Select(o => o.Table));
        Assert.Equal(file, await _database.ScalarAsync<uint>("""SELECT relfilenode FROM pg_class WHERE oid = '"Events_initial"'::regclass"""));
        Assert.Equal(index, await _database.ScalarAsync<uint>("""SELECT relfilenode FROM pg_class WHERE oid = '"PK_Events_initial"'::regclass"""));
        Assert.Equal(
            ["Events_initial FOR VALUES IN ('T1', 'T2')", "Events_rest FOR VALUES IN ('T''3')", "Events_t9 FOR VALUES IN ('T9')"],
            await _database.ColumnAsync(
                """SELECT c.relname || ' ' || pg_get_expr(relpartbound, c.oid) FROM pg_class c JOIN pg_inherits ON inhrelid = c.oid WHERE inhparent = '"Events"'::regclass ORDER BY 1"""));
        Assert.Empty(await MigrateAsync(list, list));
    }

    [Fact]
    public async Task The_switch_does_not_look_at_the_rows_whatever_the_type_of_the_tenant_and_their_number()
    {
        // PostgreSQL proves up to a hundred values one by one; beyond, only what is written alike, which a varchar is not.
        foreach (var (type, tenants, count) in ((string, string, int)[])[
                     ("varchar(128)", "'t' || i", 100),
                     ("text", "'ü''' || i", 150),
                     ("uuid", "md5(i::text)::uuid", 150),
                     ("int", "i * 7 - 400", 150),
                     ("bigint", "i::bigint << 33", 150)])
        {
            await _database.ExecuteAsync(
                $"""
                DROP TABLE IF EXISTS t;
                CREATE TABLE t (tenant {type} NOT NULL, id int, PRIMARY KEY (tenant, id));
                INSERT INTO t SELECT {tenants}, n FROM generate_series(1, {count}) AS i, generate_series(1, 20) AS n;
                """);

            var notices = await SendAsync(b => b.PartitionExistingTable("t", "tenant", x => x.ByExternallyManagedListPartitions()), "SET client_min_messages = debug1");
            Assert.Contains(notices, n => n.Contains("is implied by existing constraints", StringComparison.Ordinal));
            Assert.Equal(count * 20L, await _database.ScalarAsync<long>("SELECT count(*) FROM t"));
        }
    }

    [Fact]
    public async Task What_is_cut_off_between_two_statements_is_finished_by_the_same_migration()
    {
        await MigrateAsync(null, _ => { });
        await InsertAsync("T1", _ => { });
        var rows = await RowsAsync();
        await using var context = new PartitionContext(_database.ConnectionString, _ => { });
        var commands = context.CommandsOf(ModelMigration.Operations(b => b.PartitionExistingTable("Events", "TenantId", x => x.ByList().AddPartition("t9", "T9"))));
        Assert.All(commands, c => Assert.True(c.TransactionSuppressed));
        for (var done = 0; done <= commands.Count; done++)
        {
            foreach (var command in commands.Take(done).Concat(commands))
            {
                await _database.ExecuteAsync(command.CommandText);
            }

            Assert.Equal(rows, await RowsAsync());
        }

        Assert.Equal(2L, await _database.ScalarAsync<long>("""SELECT count(*) FROM pg_inherits WHERE inhparent = '"Events"'::regclass"""));
    }

    [Fact]
    public async Task An_empty_table_and_tenants_that_come_in_between()
    {
        await MigrateAsync(null, _ => { });
        await using var context = new PartitionContext(_database.ConnectionString, _ => { });
        var commands = context.CommandsOf(ModelMigration.Operations(b => b.PartitionExistingTable("Events", "TenantId", x => x.ByList().AddPartition("t1", "T1"))));
        await _database.ExecuteAsync(commands[0].CommandText);
        await InsertAsync("T1", _ => { });
        await _database.ExecuteAsync(commands[1].CommandText);
        await _database.ExecuteAsync(commands[2].CommandText);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync(commands[3].CommandText));
        Assert.Contains("Nothing was lost; apply the migration again", exception.MessageText, StringComparison.Ordinal);

        await _database.ExecuteAsync("""DELETE FROM "Remarks"; DELETE FROM "Events" """);
        foreach (var command in commands)
        {
            await _database.ExecuteAsync(command.CommandText);
        }

        Assert.Equal(["\"Events_t1\""], await _database.ColumnAsync("""SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '"Events"'::regclass"""));
        await InsertAsync("T1", PartitionContext.Partitioned(x => x.ByList().AddPartition("t1", "T1")));
    }

    [Theory]
    [InlineData("list", false)]
    [InlineData("list", true)]
    [InlineData("hash", false)]
    [InlineData("range", false)]
    [InlineData("managed", false)]
    [InlineData("managed", true)]
    public async Task Rows_of_no_tenant_are_refused_by_name_and_nothing_is_changed(string to, bool isOnlyRow)
    {
        var after = Models.Single(m => m.Name == to).Model;
        await MigrateAsync(null, _ => { });
        if (!isOnlyRow)
        {
            await InsertAsync("T1", _ => { });
        }

        await _database.ExecuteAsync(
            """
            ALTER TABLE "Remarks" DROP CONSTRAINT "PK_Remarks", ALTER "TenantId" DROP NOT NULL, ADD CONSTRAINT "PK_Remarks" PRIMARY KEY ("Id");
            ALTER TABLE "Remarks" DROP CONSTRAINT "FK_Remarks_Events_TenantId_HappeningId";
            INSERT INTO "Remarks" ("TenantId", "HappeningId") VALUES (NULL, 1);
            """);

        var refused = await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync(_ => { }, after));

        Assert.Equal(PostgresErrorCodes.NotNullViolation, refused.SqlState);
        Assert.Contains("""UPDATE "Remarks" SET "TenantId" = ... WHERE "TenantId" IS NULL""", refused.MessageText, StringComparison.Ordinal);
        Assert.Empty(await _database.ColumnAsync("SELECT conname FROM pg_constraint WHERE conrelid = '\"Remarks\"'::regclass AND contype = 'c'"));

        await _database.ExecuteAsync(
            """
            UPDATE "Remarks" SET "TenantId" = 'T1' WHERE "TenantId" IS NULL;
            ALTER TABLE "Remarks" DROP CONSTRAINT "PK_Remarks", ADD CONSTRAINT "PK_Remarks" PRIMARY KEY ("TenantId", "Id");
            """);
        await MigrateAsync(_ => { }, after);
        Assert.Equal("p", await _database.ScalarAsync<string>("SELECT relkind::text FROM pg_class WHERE relname = 'Remarks'"));
        Assert.Contains("T1", await _database.ColumnAsync("""SELECT "TenantId" FROM "Remarks" """));
    }

    [Fact]
    public async Task What_would_stay_with_the_old_table_is_refused_and_nothing_is_changed()
    {
        await MigrateAsync(null, _ => { });
        await InsertAsync("T1", _ => { });
        var hash = Models.Single(m => m.Name == "hash").Model;
        var list = Models.Single(m => m.Name == "list").Model;
        foreach (var (create, drop, message) in ((string, string, string)[])[
                     ("""CREATE MATERIALIZED VIEW m AS SELECT * FROM "Events" """, "DROP MATERIALIZED VIEW m", "materialized view"),
                     ("""CREATE PUBLICATION p FOR TABLE "Events" """, "DROP PUBLICATION p", "publication"),
                     ("""CREATE TABLE child () INHERITS ("Events")""", "DROP TABLE child", "inherits")])
        {
            await _database.ExecuteAsync(create);
            foreach (var model in (Action<ModelBuilder>[])[hash, list])
            {
                var exception = await Assert.ThrowsAsync<PostgresException>(() => MigrateAsync(_ => { }, model));
                Assert.Contains(message, exception.MessageText, StringComparison.Ordinal);
                Assert.Contains("Events", exception.MessageText, StringComparison.Ordinal);
            }

            await _database.ExecuteAsync(drop);
        }

        // A row that no new partition takes.
        await InsertAsync("T5", _ => { });
        await Assert.ThrowsAsync<PostgresException>(
            () => MigrateAsync(_ => { }, PartitionContext.Partitioned(x => x.ByRange().AddRange("one", "A", "T5"))));
        Assert.Equal(2, (await _database.ColumnAsync("""SELECT "Name" FROM "Events" """)).Count);
        await MigrateAsync(_ => { }, list);
    }

    [Fact]
    public async Task Rows_that_row_level_security_hides_from_the_owner_are_not_lost()
    {
        var owner = _database.Name + "_owner";
        await _database.ExecuteAsync($"CREATE ROLE {owner}; GRANT ALL ON SCHEMA public TO {owner}");
        try
        {
            await _database.ExecuteAsync(
                $"""
                SET ROLE {owner};
                CREATE TABLE t (tenant text NOT NULL, id int, PRIMARY KEY (tenant, id));
                INSERT INTO t VALUES ('a', 1), ('b', 2);
                CREATE POLICY none ON t USING (false);
                ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
                """);

            foreach (var steps in (Action<MigrationBuilder>[])[
                         b => b.PartitionExistingTable("t", "tenant", x => x.ByExternallyManagedListPartitions()),
                         b => b.RebuildTableByCopying("t", "tenant", partitioning: x => x.ByHash("a", "b"))])
            {
                var exception = await Assert.ThrowsAsync<PostgresException>(() => SendAsync(steps, $"SET ROLE {owner}"));
                Assert.Contains("row-level security", exception.MessageText, StringComparison.Ordinal);
                Assert.Equal(2L, await _database.ScalarAsync<long>("SELECT count(*) FROM t"));
            }

            await _database.ExecuteAsync("ALTER TABLE t NO FORCE ROW LEVEL SECURITY");
            await SendAsync(b => b.PartitionExistingTable("t", "tenant", x => x.ByExternallyManagedListPartitions()), $"SET ROLE {owner}");
            Assert.Equal(["t_initial a 1", "t_initial b 2"], await _database.ColumnAsync("SELECT concat_ws(' ', tableoid::regclass, tenant, id) FROM t ORDER BY 1"));
        }
        finally
        {
            await _database.ExecuteAsync($"DROP OWNED BY {owner} CASCADE; DROP ROLE {owner}");
        }
    }

    [Fact]
    public async Task Another_column_changes_beside_the_switch()
    {
        await MigrateAsync(null, _ => { });
        await InsertAsync("T1", _ => { });

        await MigrateAsync(
            _ => { },
            modelBuilder =>
            {
                Models.Single(m => m.Name == "range").Model(modelBuilder);
                modelBuilder.Entity<Happening>().Property(h => h.Name).UseCollation("C");
            });

        Assert.Equal(
            ["Name \"C\"", "TenantId \"C\""],
            await _database.ColumnAsync(
                """SELECT attname || ' ' || attcollation::regcollation FROM pg_attribute WHERE attrelid = '"Events"'::regclass AND attcollation <> 0 ORDER BY 1"""));
    }

    [Fact]
    public async Task A_reader_that_does_not_end_holds_up_the_switch_and_nobody_behind_it()
    {
        await MigrateAsync(null, _ => { });
        await InsertAsync("T1", _ => { });
        await using var reader = new NpgsqlConnection(_database.ConnectionString);
        await reader.OpenAsync();
        await using var transaction = await reader.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("""SELECT count(*) FROM "Events" """, reader, transaction))
        {
            await command.ExecuteScalarAsync();
        }

        var switching = MigrateAsync(_ => { }, Models.Single(m => m.Name == "list").Model);
        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 60; i++)
        {
            var started = Stopwatch.GetTimestamp();
            await InsertAsync("T1", _ => { });
            var took = Stopwatch.GetElapsedTime(started);
            slowest = took > slowest ? took : slowest;
        }

        Assert.False(switching.IsCompleted);
        await transaction.CommitAsync();
        await switching;
        Assert.Equal(61L, await _database.ScalarAsync<long>("""SELECT count(*) FROM "Events" """));
        Assert.True(slowest < TimeSpan.FromSeconds(5), $"A writer waited {slowest}.");
    }

    [Fact]
    public async Task Rows_are_looked_at_without_keeping_anybody_from_them()
    {
        await MigrateAsync(null, _ => { });
        await InsertAsync("T1", _ => { });
        await _database.ExecuteAsync("""ALTER TABLE "Events" DROP CONSTRAINT "PK_Events" CASCADE, ALTER "TenantId" DROP NOT NULL""");
        await using var context = new PartitionContext(_database.ConnectionString, _ => { });
        var closing = context.CommandsOf(ModelMigration.Operations(b => b.PartitionExistingTable("Events", "TenantId", x => x.ByExternallyManagedListPartitions())))
            .Take(2).Select(c => c.CommandText).ToList();

        await using var reader = new NpgsqlConnection(_database.ConnectionString);
        await reader.OpenAsync();
        await using (var transaction = await reader.BeginTransactionAsync())
        {
            await using var command = new NpgsqlCommand("""SELECT count(*) FROM "Events" """, reader, transaction);
            await command.ExecuteNonQueryAsync();
            await _database.ExecuteAsync("""INSERT INTO "Events" ("TenantId", "Name", "At") VALUES (NULL, 'nobody''s', now())""");

            // It needs no lock that anybody else's would keep it from.
            var refused = await Assert.ThrowsAsync<PostgresException>(
                () => _database.ExecuteAsync(closing[0]).WaitAsync(TimeSpan.FromSeconds(20)));
            Assert.Equal(PostgresErrorCodes.NotNullViolation, refused.SqlState);
            await _database.ExecuteAsync("""DELETE FROM "Events" WHERE "TenantId" IS NULL""");

            // It looks and waits for its lock, and cannot see the row that comes meanwhile.
            await using var late = new NpgsqlCommand(
                """INSERT INTO "Events" ("TenantId", "Name", "At") VALUES ('T2', 'late', now())""", reader, transaction);
            await late.ExecuteNonQueryAsync();
            var close = _database.ExecuteAsync(closing[0]);
            await Task.Delay(500);
            Assert.False(close.IsCompleted);
            await transaction.CommitAsync();
            await close;
        }

        // Whatever the first look saw, a row that it did not is found by the second.
        await _database.ExecuteAsync(
            """
            ALTER TABLE "Events" DROP CONSTRAINT tenancy_bound, ADD CONSTRAINT tenancy_bound CHECK ("TenantId" IS NOT NULL AND "TenantId" IN ('T1')) NOT VALID;
            COMMENT ON CONSTRAINT tenancy_bound ON "Events" IS '{T1}';
            """);
        await _database.ExecuteAsync(closing[1]);
        Assert.Equal("{T1,T2}", await _database.ScalarAsync<string>("SELECT obj_description(oid, 'pg_constraint') FROM pg_constraint WHERE conname = 'tenancy_bound'"));
        await _database.ExecuteAsync("""ALTER TABLE "Events" VALIDATE CONSTRAINT tenancy_bound""");
        var other = await Assert.ThrowsAsync<PostgresException>(() => _database.ExecuteAsync("""INSERT INTO "Events" ("TenantId", "Name", "At") VALUES ('T3', 'x', now())"""));
        Assert.Equal("tenancy_bound", other.ConstraintName);
    }

    private async Task<List<string>> SendAsync(Action<MigrationBuilder> steps, string first)
    {
        await using var context = new PartitionContext(_database.ConnectionString, _ => { });
        return await _database.SendAsync(context.CommandsOf(ModelMigration.Operations(steps)).Select(c => c.CommandText).Prepend(first));
    }

    private async Task<IReadOnlyList<MigrationOperation>> MigrateAsync(Action<ModelBuilder>? before, Action<ModelBuilder> after)
    {
        await using var source = before is null ? null : new PartitionContext(_database.ConnectionString, before);
        await using var target = new PartitionContext(_database.ConnectionString, after);
        return await ModelMigration.MigrateAsync(source, target);
    }

    private async Task InsertAsync(string tenant, Action<ModelBuilder> model, string? name = null)
    {
        await using var context = PartitionContext.For(_database.ConnectionString, tenant, model);
        if (model == Managed)
        {
            await context.Tenancy().Administration.AddAsync([tenant]);
        }

        context.Events.Add(new Happening { Name = name ?? tenant, Remarks = { new Remark { Text = tenant } } });
        await context.SaveChangesAsync();
    }

    private async Task AddWhatNewerServersKnowAsync()
    {
        var version = await _database.ScalarAsync<int>("SELECT current_setting('server_version_num')::int / 10000");
        if (version >= 17)
        {
            await _database.ExecuteAsync(EverythingSince17);
        }

        if (version >= 18)
        {
            await _database.ExecuteAsync(EverythingSince18);
        }
    }

    private Task<List<string>> RowsAsync()
        => _database.ColumnAsync("""SELECT to_jsonb(e)::text FROM "Events" e UNION ALL SELECT to_jsonb(r)::text FROM "Remarks" r ORDER BY 1""");

    // All but how the tables are partitioned.
    private Task<List<string>> FactsAsync()
        => _database.ColumnAsync(
            """
            WITH tables AS (SELECT c.* FROM pg_class c WHERE relname IN ('Events', 'Remarks') AND relnamespace = 'public'::regnamespace)
            SELECT 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid IN (SELECT oid FROM tables) AND conparentid = 0
            UNION ALL SELECT 'index ' || replace(pg_get_indexdef(indexrelid), ' ON ONLY ', ' ON ') || indisvalid FROM pg_index WHERE indrelid IN (SELECT oid FROM tables)
            UNION ALL SELECT 'trigger ' || pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger WHERE tgrelid IN (SELECT oid FROM tables) AND NOT tgisinternal
            UNION ALL SELECT 'view ' || c.relname || coalesce(reloptions::text, '') || coalesce(relacl::text, '') || pg_get_viewdef(oid) FROM pg_class c WHERE relname IN ('named', 'counted')
            UNION ALL SELECT 'grants ' || relname || (SELECT string_agg(a, ' ' ORDER BY a) FROM unnest(relacl::text[]) AS a) || relowner::regrole || relrowsecurity FROM tables WHERE relacl IS NOT NULL
            UNION ALL SELECT 'column ' || attname || ' ' || format_type(atttypid, atttypmod) || attnotnull || attidentity::text || attgenerated::text || coalesce(attacl::text, '')
                || coalesce(pg_get_expr(adbin, adrelid), '') || coalesce(col_description(attrelid, attnum), '')
                FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
                WHERE attrelid IN (SELECT oid FROM tables) AND attnum > 0
            UNION ALL SELECT 'comment ' || obj_description(oid, 'pg_class') FROM tables WHERE obj_description(oid, 'pg_class') IS NOT NULL
            UNION ALL SELECT 'policy ' || p::text FROM pg_policies p WHERE tablename = 'Events'
            UNION ALL SELECT 'sequence ' || pg_get_serial_sequence(format('"%s"', relname), attname) FROM tables JOIN pg_attribute ON attrelid = tables.oid WHERE attname IN ('Id', 'Serial')
            UNION ALL SELECT 'next ' || schemaname || '.' || sequencename || ' ' || coalesce(last_value, 0) FROM pg_sequences
            ORDER BY 1
            """);
}
