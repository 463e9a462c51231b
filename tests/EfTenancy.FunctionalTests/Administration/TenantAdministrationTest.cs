using System.Transactions;
using EfTenancy.Administration;
using EfTenancy.Administration.Internal;
using EfTenancy.Diagnostics;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;
using Remark = EfTenancy.FunctionalTests.TestUtilities.Remark;

namespace EfTenancy.FunctionalTests.Administration;

public class TenantAdministrationTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task A_disabled_tenant_is_refused_at_opening_and_an_enabled_one_is_not()
    {
        var tenants = await CreateManaged("a", "b");
        await Insert("a", "b");

        await tenants.DisableAsync(["a"]);
        var exception = Assert.Throws<TenantDisabledException>(() => WarehouseContext.Create(_database.ConnectionString, "a"));
        Assert.Equal("a", exception.TenantId);
        Assert.Contains("EnableAsync([\"a\"])", exception.Message, StringComparison.Ordinal);
        Assert.Equal([("a", TenantState.Disabled), ("b", TenantState.Active)], (await tenants.ListAsync()).Select(t => (t.TenantId, t.State)));

        await using (var b = WarehouseContext.Create(_database.ConnectionString, "b"))
        {
            Assert.Equal(1, await b.Orders.CountAsync());
            Assert.Throws<TenantDisabledException>(() => b.Tenancy().ForTenant("a"));
            Assert.Equal("b", b.Tenancy().TenantId);
            using (b.Tenancy().AcrossTenants("test"))
            {
                Assert.Equal(2, await b.Orders.CountAsync());
            }
        }

        await tenants.AddAsync(["a"]);
        Assert.Throws<TenantDisabledException>(() => WarehouseContext.Create(_database.ConnectionString, "a"));

        await tenants.EnableAsync(["a"]);
        await using var a = WarehouseContext.Create(_database.ConnectionString, "a");
        Assert.Equal(1, await a.Orders.CountAsync());
        await Assert.ThrowsAsync<UnknownTenantException>(() => tenants.DisableAsync(["a", "nobody"]));
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM tenants.tenant_partitions WHERE disabled"));
    }

    [Fact]
    public async Task Other_processes_learn_of_a_disabled_tenant_within_the_bound_and_opening_costs_no_query_meanwhile()
    {
        var tenants = await CreateManaged("a", "b");
        var other = OtherProcess();
        await using (var context = other("a"))
        {
            await context.Orders.CountAsync();
        }

        await tenants.DisableAsync(["a"]);
        var before = await Transactions();
        for (var i = 0; i < 1000; i++)
        {
            await using var context = other("b");
        }

        Assert.InRange(await Transactions() - before, 0, 50);
        await Task.Delay(TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds));
        Assert.Throws<TenantDisabledException>(() => other("a"));

        await tenants.EnableAsync(["a"]);
        await Task.Delay(TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds));
        await using var enabled = other("a");
    }

    [Fact]
    public async Task A_model_that_manages_single_entities_refuses_at_opening()
    {
        var model = PartitionContext.Partitioned(x => x.ByManagedListPartitions("tenants"));
        await using var context = new PartitionContext(_database.ConnectionString, model);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(["a"]);
        await context.Tenancy().Administration.DisableAsync(["a"]);

        Assert.Throws<TenantDisabledException>(() => PartitionContext.For(_database.ConnectionString, "a", model));
    }

    [Fact]
    public async Task A_context_with_a_tenant_can_create_the_database()
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString, "a");
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(["a"]);
        context.AddRows(1);
        await context.SaveChangesAsync();
    }

    [Fact]
    public async Task A_missing_registry_is_named()
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => context.Tenancy().Administration.AddAsync(["a"]));
        Assert.Contains("tenants.tenant_partitions", exception.Message, StringComparison.Ordinal);
        Assert.Contains("dotnet ef migrations add", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("factory")]
    [InlineData("pool")]
    [InlineData("scope")]
    [InlineData("data source")]
    public async Task The_services_have_an_administration(string registration)
    {
        await CreateManaged();
        await using var dataSource = NpgsqlDataSource.Create(_database.ConnectionString);
        var services = new ServiceCollection().AddTenantAdministration<WarehouseContext>(o => o.RetryTimeout = TimeSpan.FromSeconds(10));
        Action<DbContextOptionsBuilder> configure = options => (registration == "data source"
                ? options.UseNpgsql(dataSource).ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                : options.UseTestDatabase(_database.ConnectionString))
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry).DisableDefaultTenant());
        _ = registration switch
        {
            "factory" => services.AddDbContextFactory<WarehouseContext>(configure),
            "pool" => services.AddDbContextPool<WarehouseContext>(configure),
            _ => services.AddDbContext<WarehouseContext>(configure),
        };

        await using var provider = services.BuildServiceProvider(validateScopes: true);
        var tenants = provider.GetRequiredService<ITenantAdministration<WarehouseContext>>();
        await tenants.AddAsync(["a", "b"], TestContext.Current.CancellationToken);
        await tenants.AddAsync(new Dictionary<string, string> { ["c"] = "b2" });
        await tenants.DisableAsync(["a"]);
        await tenants.EnableAsync(["a"]);
        await tenants.DeleteDataAsync(["b"]);
        await tenants.RemoveAsync(["b"]);
        Assert.Empty(await tenants.RepairAsync());
        Assert.Equal(["a", "c"], (await tenants.ListAsync()).Select(t => t.TenantId));
    }

    [Fact]
    public async Task The_list_tells_suffix_state_partitions_rows_and_bytes()
    {
        var tenants = await CreateManaged("a");
        await tenants.AddAsync(new Dictionary<string, string> { ["b"] = "two", ["c"] = "two" });
        await Insert("a", "b");
        await _database.ExecuteAsync("ANALYZE");

        var list = await tenants.ListAsync();

        Assert.Equal(
            [("a", "a", 10, 11L), ("b", "two", 10, 11L), ("c", "two", 10, 11L)],
            list.Select(t => (t.TenantId, t.Suffix, t.Partitions, t.EstimatedRows)));
        Assert.All(list, t => Assert.Equal((TenantState.Active, 0), (t.State, t.MissingPartitions)));
        Assert.Equal(
            await _database.ScalarAsync<long>("SELECT sum(pg_total_relation_size(oid))::bigint FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE '%\\_a'"),
            list[0].Bytes);
    }

    [Fact]
    public async Task The_default_tenant_is_a_tenant_like_others()
    {
        var tenants = await CreateManaged(TenancyDefaults.DefaultTenantId);
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        context.AddRows(1);
        await context.SaveChangesAsync();
        Assert.Equal(TenancyDefaults.DefaultTenantId, Assert.Single(await tenants.ListAsync()).TenantId);
    }

    [Fact]
    public async Task Ids_take_the_style_of_all_entrances()
    {
        await using var context = Context(
            _ => { }, t => t.PartitionMultiTenantedEntitiesManaged("tenants").UseTenantIdStyle(TenantIdStyle.ForceLowerCase));
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(["ACME", "acme"]);
        await tenants.AddAsync(new Dictionary<string, string> { ["Globex"] = "Globex" });
        Assert.Equal([("acme", "acme"), ("globex", "Globex")], (await tenants.ListAsync()).Select(t => (t.TenantId, t.Suffix)));
        await tenants.DisableAsync(["ACME"]);
        Assert.Throws<TenantDisabledException>(() => context.Tenancy().Use("AcMe"));
        await tenants.DeleteDataAsync(["ACME"]);
        await tenants.RemoveAsync(["GLOBEX", "aCME"]);
        Assert.Empty(await tenants.ListAsync());
    }

    [Fact]
    public async Task Without_managed_partitions_adding_has_nothing_to_do_nobody_can_be_listed_or_disabled_and_removing_deletes_rows()
    {
        await using var context = Context(b => b.Entity<Remark>().IsPartitionedByTenant(x => x.ByHash("one", "two")));
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        var added = await tenants.AddAsync(["a", "b"]);
        Assert.Empty(added.Tables);
        Assert.Empty(added.Tenants);
        await Assert.ThrowsAsync<ArgumentException>(() => tenants.AddAsync(["a", " "]));
        Func<Task>[] needRegistry =
        [
            () => tenants.SplitAsync(["a"]),
            () => tenants.DisableAsync(["a"]),
            () => tenants.EnableAsync(["a"]),
            () => tenants.ListAsync(),
            () => tenants.RepairAsync(),
        ];
        foreach (var call in needRegistry)
        {
            var exception = await Assert.ThrowsAsync<InvalidOperationException>(call);
            Assert.Contains("need not be added", exception.Message, StringComparison.Ordinal);
            Assert.Contains("PartitionMultiTenantedEntitiesManaged", exception.Message, StringComparison.Ordinal);
        }

        await InsertHappenings(context, "a", "b");

        var result = await tenants.RemoveAsync(["a"]);

        Assert.Equal([("public.Remarks", 1L), ("public.Events", 1L)], result.Tables.Select(t => (t.Table, t.DeletedRows)));
        Assert.Equal(["b"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Events" """));
        await tenants.DeleteDataAsync(["b"]);
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Remarks" """));
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("hash")]
    public async Task Tables_without_managed_partitions_beside_managed_ones_lose_the_rows(string children)
    {
        Action<ModelBuilder> model = b =>
        {
            b.Entity<Happening>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants"));
            _ = children == "plain" ? b.Entity<Remark>() : b.Entity<Remark>().IsPartitionedByTenant(x => x.ByHash("one", "two"));
        };
        await using var context = Context(model);
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "a", ["b"] = "bc", ["c"] = "bc" });
        await InsertHappenings(context, "a", "b", "c");
        await tenants.AddAsync(new Dictionary<string, string> { ["d"] = "bc" });
        var foreignKeys = await ForeignKeys();

        await tenants.RemoveAsync(["a", "b"]);

        Assert.Equal(["c"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Events" """));
        Assert.Equal(["c"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Remarks" """));
        Assert.Equal(["FOR VALUES IN ('c', 'd')"], await Bounds("Events"));
        Assert.Equal(foreignKeys, await ForeignKeys());
    }

    [Fact]
    public async Task Tables_that_reference_each_other_in_a_circle_come_and_go()
    {
        Action<ModelBuilder> model = b =>
        {
            PartitionContext.Partitioned(x => x.ByManagedListPartitions("tenants"))(b);
            b.Entity<Happening>().Property<int?>("LastRemarkId");
            b.Entity<Happening>().HasOne<Remark>().WithMany().HasForeignKey("LastRemarkId").OnDelete(DeleteBehavior.Restrict);
        };
        await using var context = Context(model);
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "a", ["b"] = "bc", ["c"] = "bc" });
        await InsertHappenings(context, "a", "b", "c");
        await _database.ExecuteAsync("""UPDATE "Events" e SET "LastRemarkId" = (SELECT "Id" FROM "Remarks" r WHERE r."TenantId" = e."TenantId")""");
        var foreignKeys = await ForeignKeys();

        await tenants.AddAsync(new Dictionary<string, string> { ["d"] = "bc" });
        await tenants.DeleteDataAsync(["c"]);
        await tenants.RemoveAsync(["a", "b"]);

        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Events" """));
        Assert.Equal(["FOR VALUES IN ('c', 'd')"], await Bounds("Events"));
        Assert.Equal(foreignKeys, await ForeignKeys());
    }

    [Fact]
    public async Task Foreign_keys_that_somebody_made_by_hand_are_there_after_a_bucket_has_changed()
    {
        var tenants = await CreateManaged();
        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "ab", ["b"] = "ab", ["c"] = "c" });
        await Insert("a", "b", "c");
        await _database.ExecuteAsync(
            """
            ALTER TABLE "Payment_ab" ADD CONSTRAINT "of one partition" FOREIGN KEY ("TenantId", "Id") REFERENCES "Orders";
            CREATE TABLE "Plain" ("TenantId" text, "Id" int);
            INSERT INTO "Plain" VALUES ('nobody', 1), ('a', 1);
            ALTER TABLE "Plain" ADD CONSTRAINT "not valid" FOREIGN KEY ("TenantId", "Id") REFERENCES "Orders" NOT VALID;
            """);
        var foreignKeys = await ForeignKeys();

        await tenants.AddAsync(new Dictionary<string, string> { ["d"] = "ab" });
        Assert.Equal(foreignKeys, await ForeignKeys());
        await _database.ExecuteAsync("""DELETE FROM "Plain" WHERE "TenantId" = 'a'""");
        await tenants.RemoveAsync(["a"]);

        Assert.Equal(["FOR VALUES IN ('b', 'd')", "FOR VALUES IN ('c')"], await Bounds("Orders"));
        Assert.Equal(foreignKeys, await ForeignKeys());
    }

    [Fact]
    public async Task Rows_of_a_table_that_was_dropped_meanwhile_are_deleted()
    {
        await CreateManaged("a");
        await Insert("a");
        var database = new TenantDatabase(WarehouseContext.Create(_database.ConnectionString), new TenantAdministrationOptions());
        await using var connection = await database.OpenAsync(CancellationToken.None);
        var catalog = await TenantCatalog.LoadAsync(connection, database, CancellationToken.None);
        await _database.ExecuteAsync("""DROP TABLE "Payment" """);
        var deleter = new TenantRowDeleter(database, connection, new TenantAdministrationReport(null));

        await deleter.DeleteAsync([.. catalog.Tables.Where(t => t.Name is "Payment" or "Shipment")], "a", CancellationToken.None);
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Shipment" """));

        // It is no lock that is worth waiting for.
        await _database.ExecuteAsync("""ALTER TABLE "Shipment" RENAME TO "Elsewhere" """);
        await Assert.ThrowsAsync<PostgresException>(
            () => deleter.DeleteAsync([.. catalog.Tables.Where(t => t.Name == "Shipment")], "a", CancellationToken.None));
    }

    [Fact]
    public async Task Model_listed_and_externally_managed_tables_get_no_partitions()
    {
        await using var context = Context(
            b =>
            {
                b.Entity<Happening>().IsPartitionedByTenant(x => x.ByList().AddPartition("a", "a"));
                b.Entity<Remark>().IsPartitionedByTenant(x => x.ByExternallyManagedListPartitions());
                b.Entity<Audit>();
            },
            t => t.PartitionMultiTenantedEntitiesManaged("tenants"));
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(["a", "b"]);
        Assert.Equal(["Audit_a", "Audit_b", "Events_a"], await _database.ColumnAsync(
            "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' ORDER BY 1"));
        await _database.ExecuteAsync("""INSERT INTO "Events" ("TenantId", "Name", "At") VALUES ('a', 'x', now())""");
        await context.Tenancy().Administration.RemoveAsync(["a"]);
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Events" """));
        Assert.Equal(1, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname = 'Events_a'"));
    }

    [Fact]
    public async Task A_table_that_is_plain_in_the_database_is_named_and_a_global_one_with_a_tenant_column_is_spared()
    {
        await using var plain = Context(b => b.Entity<Account>().IsSingleTenanted());
        await plain.Database.EnsureCreatedAsync();
        await using var managed = Context(
            b =>
            {
                b.Entity<Account>().IsSingleTenanted();
                b.Entity<Remark>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants"));
            });
        await _database.ExecuteAsync(
            """
            CREATE SCHEMA tenants;
            CREATE TABLE tenants.tenant_partitions (partition_value text PRIMARY KEY, partition_name text NOT NULL,
                disabled boolean NOT NULL DEFAULT false, state text NOT NULL DEFAULT 'active', removing oid[] NOT NULL DEFAULT '{}');
            INSERT INTO "Account" ("TenantId", "Year") VALUES ('a', 2026);
            """);
        var tenants = managed.Tenancy().Administration;

        var exception = await Assert.ThrowsAsync<TenantAdministrationException>(() => tenants.AddAsync(["a"]));
        Assert.Equal("public.Remarks", Assert.Single(exception.Tables).Table);
        Assert.Contains("Apply the migrations", exception.Message, StringComparison.Ordinal);
        Assert.Equal(TenantState.Adding, Assert.Single(await tenants.ListAsync()).State);

        await tenants.RemoveAsync(["a"]);
        Assert.Equal(1, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Account" """));
    }

    [Fact]
    public async Task A_tenant_registered_by_hand_is_completed_by_repair()
    {
        var tenants = await CreateManaged("a");
        await _database.ExecuteAsync(
            "INSERT INTO tenants.tenant_partitions (partition_value, partition_name) VALUES ('hand', 'made'), ('bad', 'a-b'), ('joins', 'a')");
        await Insert("a");

        var repairs = await tenants.RepairAsync();

        Assert.Equal(10, repairs.Count(r => r is { IsMended: true, TenantId: "hand" }));
        Assert.Equal(10, repairs.Count(r => r is { IsMended: true, TenantId: "joins" }));
        var left = Assert.Single(repairs, r => !r.IsMended);
        Assert.Equal("bad", left.TenantId);
        Assert.Equal(["FOR VALUES IN ('a', 'joins')", "FOR VALUES IN ('hand')"], await Bounds("Orders"));
        await Insert("hand", "joins");
        Assert.Equal("a-b", await _database.ScalarAsync<string>("SELECT partition_name FROM tenants.tenant_partitions WHERE partition_value = 'bad'"));
    }

    [Fact]
    public async Task What_nobody_registered_is_reported_and_left()
    {
        var tenants = await CreateManaged("a", "b");
        await Insert("a", "b");
        await _database.ExecuteAsync(
            """
            DELETE FROM tenants.tenant_partitions WHERE partition_value = 'b';
            CREATE TABLE rest PARTITION OF "Payment" DEFAULT;
            """);

        var repairs = await tenants.RepairAsync();

        Assert.Equal(11, repairs.Count);
        Assert.All(repairs, r => Assert.False(r.IsMended));
        Assert.Equal(10, repairs.Count(r => r.TenantId == "b" && r.Description.Contains("AddAsync", StringComparison.Ordinal)));
        Assert.Single(repairs, r => r.Description.Contains("rest", StringComparison.Ordinal));
        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Orders" """));

        // As it says: registered with the suffix of its partition, the tenant is whole again. Beside the DEFAULT partition it goes all the same.
        await tenants.AddAsync(new Dictionary<string, string> { ["b"] = "b" });
        Assert.Equal([0, 0], (await tenants.ListAsync()).Select(t => t.MissingPartitions));
        await tenants.RemoveAsync(["b"]);
        Assert.Equal(["DEFAULT", "FOR VALUES IN ('a')"], await Bounds("Payment"));
    }

    [Fact]
    public async Task A_table_whose_lock_is_held_fails_alone_and_is_named()
    {
        await CreateManaged("a");
        var tenants = Impatient();
        await using (var blocker = new NpgsqlConnection(_database.ConnectionString))
        {
            await blocker.OpenAsync();
            await using var transaction = await blocker.BeginTransactionAsync();
            await using var command = new NpgsqlCommand("""LOCK TABLE "Region" IN ROW EXCLUSIVE MODE""", blocker);
            await command.ExecuteNonQueryAsync();

            var exception = await Assert.ThrowsAsync<TenantAdministrationException>(() => tenants.AddAsync(["b"]));

            var failed = Assert.Single(exception.Tables, t => t.Error is not null);
            Assert.Equal("public.Customers", failed.Table);
            Assert.IsType<TimeoutException>(failed.Error);
            Assert.Contains("public.Customers", exception.Message, StringComparison.Ordinal);
            Assert.Equal(10, exception.Tables.Count);
        }

        Assert.Equal([TenantState.Active, TenantState.Adding], (await tenants.ListAsync()).Select(t => t.State));
        await tenants.AddAsync(["b"]);
        Assert.Equal([TenantState.Active, TenantState.Active], (await tenants.ListAsync()).Select(t => t.State));
    }

    [Fact]
    public async Task A_partition_that_others_have_locked_is_in_no_way_of_other_tenants()
    {
        await CreateManaged("a");
        var tenants = Impatient();
        await using var blocker = new NpgsqlConnection(_database.ConnectionString);
        await blocker.OpenAsync();
        await using var transaction = await blocker.BeginTransactionAsync();

        // Nothing references the table, so that PostgreSQL's own work for foreign keys leaves its partitions alone.
        await using var command = new NpgsqlCommand("""LOCK TABLE "Payment_a" IN ACCESS EXCLUSIVE MODE""", blocker);
        await command.ExecuteNonQueryAsync();

        await tenants.AddAsync(["b"]);
        Assert.Equal(["FOR VALUES IN ('a')", "FOR VALUES IN ('b')"], await Bounds("Payment"));
        await tenants.RemoveAsync(["b"]);
        Assert.Equal(["FOR VALUES IN ('a')"], await Bounds("Payment"));
    }

    [Fact]
    public async Task Too_many_partitions_are_refused_and_many_are_warned_of()
    {
        var warnings = new List<int>();
        using var cancel = new CancellationTokenSource();
        await using var context = new PartitionContextWithLog(
            _database.ConnectionString,
            id =>
            {
                warnings.Add(id);
                cancel.Cancel();
            });
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(
            () => tenants.AddAsync(Enumerable.Range(0, 5_001).Select(i => $"t{i}")));
        Assert.Contains("5000", exception.Message, StringComparison.Ordinal);
        Assert.Contains("ByHash", exception.Message, StringComparison.Ordinal);
        Assert.Empty(await tenants.ListAsync());

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => tenants.AddAsync(Enumerable.Range(0, 1_001).Select(i => $"t{i}"), cancel.Token));
        Assert.Equal([TenancyEventId.ManyTenantPartitions.Id], warnings);

        // Thousands of tenants in one bucket are one partition.
        await tenants.AddAsync(Enumerable.Range(0, 500).ToDictionary(i => $"b{i}", _ => "bucket"));
        Assert.Equal(500, (await tenants.ListAsync()).Count);
    }

    [Fact]
    public async Task Progress_is_told_and_a_cancelled_call_goes_on_later()
    {
        var tenants = await CreateManaged();
        using var cancel = new CancellationTokenSource();
        var told = new List<TenantProgress>();
        var progress = new Told(
            p =>
            {
                told.Add(p);
                if (told.Count == 3)
                {
                    cancel.Cancel();
                }
            });

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tenants.AddAsync(["a", "b"], cancel.Token, progress));
        Assert.All(told, p => Assert.Equal((2, 2), (p.Done, p.Total)));
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Adding, 3), (t.State, t.Partitions)));

        await tenants.AddAsync(["a", "b"], progress: progress);
        Assert.Equal(10, told.Select(p => p.Table).Distinct().Count());
        Assert.All(await tenants.ListAsync(), t => Assert.Equal((TenantState.Active, 10), (t.State, t.Partitions)));
    }

    [Fact]
    public async Task A_transaction_of_the_caller_takes_no_part()
    {
        var tenants = await CreateManaged();
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await tenants.AddAsync(["a"]);
        }

        Assert.Single(await tenants.ListAsync());
    }

    private async Task<ITenantAdministration> CreateManaged(params string[] tenants)
    {
        var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        await context.Tenancy().Administration.AddAsync(tenants);
        return context.Tenancy().Administration;
    }

    private ITenantAdministration<WarehouseContext> Impatient()
        => new ServiceCollection()
            .AddDbContextFactory<WarehouseContext>(
                o => o.UseTestDatabase(_database.ConnectionString)
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry)))
            .AddTenantAdministration<WarehouseContext>(o => o.RetryTimeout = TimeSpan.FromMilliseconds(300))
            .BuildServiceProvider().GetRequiredService<ITenantAdministration<WarehouseContext>>();

    // Another service provider of EF knows no more than another process would.
    private Func<string, WarehouseContext> OtherProcess()
    {
        var provider = new ServiceCollection().AddEntityFrameworkNpgsql().AddEntityFrameworkTenancy().BuildServiceProvider();
        return tenant =>
        {
            var context = new WarehouseContext(
                new DbContextOptionsBuilder<WarehouseContext>().UseNpgsql(_database.ConnectionString)
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry))
                    .UseInternalServiceProvider(provider).Options);
            context.Tenancy().Use(tenant);
            return context;
        };
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

    private static async Task InsertHappenings(HappeningContext context, params string[] tenants)
    {
        foreach (var tenant in tenants)
        {
            context.ChangeTracker.Clear();
            context.Tenancy().Use(tenant);
            context.Add(new Happening { Name = tenant, Remarks = { new Remark { Text = tenant } } });
            await context.SaveChangesAsync();
        }
    }

    private Task<List<string>> Bounds(string table)
        => _database.ColumnAsync(
            $"""
            SELECT pg_get_expr(c.relpartbound, 0)
            FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = '"{table}"'::regclass ORDER BY 1
            """);

    private Task<List<string>> ForeignKeys()
        => _database.ColumnAsync(
            "SELECT conname || ' ' || pg_get_constraintdef(oid) || convalidated FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 ORDER BY 1");

    private Task<long> Transactions()
        => _database.ScalarAsync<long>("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()");

    private HappeningContext Context(Action<ModelBuilder> model, Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        => new(_database.ConnectionString, model, tenancy ?? (_ => { }));

    private class HappeningContext(
        string connectionString,
        Action<ModelBuilder> model,
        Action<TenancyDbContextOptionsBuilder> tenancy) : PartitionContext(connectionString, model)
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        {
            base.OnConfiguring(optionsBuilder);
            optionsBuilder.UseTenancy(tenancy);
        }
    }

    private sealed class PartitionContextWithLog(string connectionString, Action<int> log)
        : HappeningContext(
            connectionString,
            b => b.Entity<Happening>().Ignore(e => e.Remarks).IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")),
            _ => { })
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        {
            base.OnConfiguring(optionsBuilder);
            optionsBuilder.LogTo((id, _) => id == TenancyEventId.ManyTenantPartitions, data => log(data.EventId.Id));
        }
    }

    [PrimaryKey(nameof(TenantId), nameof(Year))]
    private sealed class Account
    {
        public required string TenantId { get; set; }

        public int Year { get; set; }
    }

    private sealed class Audit
    {
        public int Id { get; set; }
    }
}
