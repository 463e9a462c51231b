using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Tenants move between shared tables, schemas and databases; what is there is asked of the databases, past the product.</summary>
public sealed class TenantMoverTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private static readonly string[] Tables = ["Teams", "Members", "Projects", "WorkItems", "Comments", "TimeEntries"];

    private TestDatabase _home = null!;

    public override async ValueTask InitializeAsync()
        => _home = await DatabaseAsync();

    [Fact]
    public async Task A_tenant_goes_to_a_schema_a_database_a_shard_and_back_with_every_row()
    {
        var (own, shard) = (await DatabaseAsync(), await DatabaseAsync());
        await using var services = Services(
            t =>
            {
                t.NameDatabase("own", own.ConnectionString);
                t.NameDatabase("shard", shard.ConnectionString);
            });
        await CreateAsync(services, "acme", "globex");
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddAsync("initech", TenantDestination.InDatabase("shard"));
        await using (var initech = Context(services, "initech"))
        {
            await initech.Database.EnsureCreatedAsync();
        }

        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 1000));
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "globex", 400));
        await shard.ExecuteAsync(StudioContext.RowsSql("public", "initech", 300));
        var globex = await RowsAsync(_home, "public", "globex");
        var initech_ = await RowsAsync(shard, "public", "initech");

        (TenantDestination Destination, TestDatabase Database, string Schema)[] way =
        [
            (TenantDestination.InSchema("Acme's"), _home, "Acme's"),
            (TenantDestination.InDatabase("own"), own, "public"),
            (TenantDestination.InDatabase("own", "acme"), own, "acme"),
            (TenantDestination.InDatabase("shard"), shard, "public"),
            (TenantDestination.Home, _home, "public"),
        ];
        var (database, schema) = (_home, "public");
        var expected = await RowsAsync(database, schema, "acme");
        await using var kept = Context(services, "acme");
        Assert.Equal(300, await kept.Comments.CountAsync());
        foreach (var (destination, next, nextSchema) in way)
        {
            var result = await Mover(services).MoveAsync("acme", destination);

            Assert.Equal(destination, await databases.FindAsync("acme"));
            Assert.Equal(expected.Count, result.Rows);
            Assert.Equal(Tables.Order(StringComparer.Ordinal), result.Tables.Select(t => t.Table).Order(StringComparer.Ordinal));
            Assert.Equal(expected, await RowsAsync(next, nextSchema, "acme"));
            if (nextSchema != "public" || next == own)
            {
                Assert.Equal(Tables.Order(StringComparer.Ordinal), await AnalyzedAsync(next, nextSchema));
            }

            if (schema == "public")
            {
                Assert.Empty(await RowsAsync(database, schema, "acme"));
            }
            else
            {
                Assert.Empty(await database.ColumnAsync($"SELECT nspname FROM pg_namespace WHERE nspname = '{schema.Replace("'", "''", StringComparison.Ordinal)}'"));
            }

            // It works there: new ids come behind the old ones, and foreign keys hold.
            await using (var db = Context(services, "acme"))
            {
                var item = new WorkItem { Title = "new", Project = new Project { Key = Guid.NewGuid(), TeamId = 1 } };
                db.Add(item);
                db.Add(new Comment { Text = "new", WorkItem = item, AuthorId = 1, At = DateTime.UtcNow });
                await db.SaveChangesAsync();
                db.Add(new Comment { Text = "of nobody", WorkItem = item, AuthorId = 100_000 });
                await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());
            }

            (database, schema) = (next, nextSchema);
            expected = await RowsAsync(database, schema, "acme");
            Assert.Equal(result.Rows + 3, expected.Count);
            Assert.Equal(Comments(expected), await kept.Comments.CountAsync());
        }

        Assert.Equal(globex, await RowsAsync(_home, "public", "globex"));
        Assert.Equal(initech_, await RowsAsync(shard, "public", "initech"));
    }

    [Fact]
    public async Task While_a_tenant_is_moved_others_read_and_are_refused_to_write()
    {
        await using var services = Services();
        await CreateAsync(services, "acme");
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 200));
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "globex", 200));
        await using var elsewhere = Services();
        await using var keptOpen = Context(elsewhere, "acme");
        await keptOpen.Database.OpenConnectionAsync();
        await using var late = Context(elsewhere, "acme");
        await using var transaction = await late.Database.BeginTransactionAsync();
        late.Add(new Comment { Text = "before", WorkItemId = 1, AuthorId = 1 });
        await late.SaveChangesAsync();

        // It waits for the transaction.
        var move = Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"));
        await StateAsync("moving");
        await Task.Delay(TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds));

        var databases = elsewhere.GetRequiredService<TenantDatabases>();
        Assert.True((await databases.ListAsync()).Single().IsBeingMoved);
        await Assert.ThrowsAsync<InvalidOperationException>(() => databases.RemoveAsync("acme"));
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => elsewhere.GetRequiredService<ITenantAdministration<StudioContext>>().RemoveAsync(["acme"]));

        async Task RefusedAsync(Func<StudioContext, Task> write, string tenant = "acme")
        {
            await using var db = Context(elsewhere, tenant);
            var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => write(db));
            Assert.Equal((TenantDatabaseError.BeingMoved, "acme"), (refused.Error, refused.TenantId));
            Assert.Contains("'acme' is being moved", refused.Message, StringComparison.Ordinal);
            Assert.Equal(System.Data.ConnectionState.Closed, db.Database.GetDbConnection().State);
            Assert.Equal(60, await Context(elsewhere, tenant).Comments.CountAsync());
        }

        await RefusedAsync(db => AddAsync(db, new Comment { Text = "new", WorkItemId = 1, AuthorId = 1 }));
        await RefusedAsync(db => AddAsync(db, new Project { TeamId = 1 }));
        await RefusedAsync(db => db.Comments.ExecuteUpdateAsync(s => s.SetProperty(c => c.Text, "changed")));
        await RefusedAsync(db => Task.Run(() => db.Comments.ExecuteDelete()));
        await RefusedAsync(db => db.Tenancy().BulkInsertAsync([new Comment { Text = "new", WorkItemId = 1, AuthorId = 1 }]));
        await RefusedAsync(db => db.Database.ExecuteSqlAsync($"""DELETE FROM "Comments" """));
        await RefusedAsync(db => Task.FromResult(db.Tenancy().ForTenant("acme")), "globex");
        await RefusedAsync(
            async db =>
            {
                using var _ = db.Tenancy().AcrossTenants("a test");
                await db.Comments.ExecuteDeleteAsync();
            },
            "globex");
        await RefusedAsync(db => db.Comments.Where(c => c.TenantIsOneOf("acme", "globex")).ExecuteDeleteAsync(), "globex");
        await RefusedAsync(db => db.Comments.Where(c => c.AnyTenant()).ExecuteUpdateAsync(s => s.SetProperty(c => c.Text, "changed")), "globex");
        await RefusedAsync(db => db.Comments.IgnoreQueryFilters().ExecuteDeleteAsync(), "globex");
        await using (var globex = Context(elsewhere, "globex"))
        {
            Assert.Equal(120, await globex.Comments.CountAsync(c => c.TenantIsOneOf("acme", "globex")));
            await using var ofGlobex = await globex.Database.BeginTransactionAsync();
            Assert.Equal(60, await globex.Comments.Where(c => c.TenantIsOneOf("globex")).ExecuteUpdateAsync(s => s.SetProperty(c => c.Text, "x")));
        }

        Assert.Equal(
            TenantDatabaseError.BeingMoved,
            (await Assert.ThrowsAsync<TenantDatabaseException>(() => keptOpen.Comments.ExecuteDeleteAsync())).Error);
        Assert.Equal(60, await keptOpen.Comments.CountAsync());
        await using (var globex = Context(elsewhere, "globex"))
        {
            Assert.Equal(1, await globex.Comments.Where(c => c.Id == 1).ExecuteUpdateAsync(s => s.SetProperty(c => c.Text, "of another")));
        }

        await transaction.CommitAsync();
        using var cancellation = new CancellationTokenSource();
        var reading = Task.Run(
            async () =>
            {
                while (!cancellation.IsCancellationRequested)
                {
                    await using var db = Context(elsewhere, "acme");
                    Assert.Equal(61, await db.Comments.CountAsync());
                }
            });
        await move;
        await cancellation.CancelAsync();
        await reading;

        Assert.Equal(61, Comments(await RowsAsync(_home, "acme", "acme")));
        Assert.Empty(await RowsAsync(_home, "public", "acme"));
        for (var attempt = 0;; attempt++)
        {
            try
            {
                await using var there = Context(elsewhere, "acme");
                await AddAsync(there, new Comment { Text = "after", WorkItemId = 1, AuthorId = 1 });
                break;
            }
            catch (TenantDatabaseException exception) when (exception.Error == TenantDatabaseError.BeingMoved && attempt < 60)
            {
                // That process does not know yet that the move has ended.
                await Task.Delay(100);
            }
        }

        Assert.Equal(62, Comments(await RowsAsync(_home, "acme", "acme")));

        // It is open to where the tenant was.
        await Assert.ThrowsAsync<TenantDatabaseException>(() => keptOpen.Comments.CountAsync());
        await keptOpen.Database.CloseConnectionAsync();
        Assert.Equal(62, await keptOpen.Comments.CountAsync());
    }

    [Fact]
    public async Task What_cannot_be_moved_is_refused_and_stays_as_it_is()
    {
        var own = await DatabaseAsync();
        await using var services = Services(t => t.NameDatabase("own", own.ConnectionString));
        await CreateAsync(services, "acme");
        await _home.ExecuteAsync("""INSERT INTO "Country" VALUES ('XX')""" + ";" + StudioContext.RowsSql("public", "acme", 200));
        var expected = await RowsAsync(_home, "public", "acme");
        var mover = Mover(services);

        async Task<TException> RefusedAsync<TException>(TenantDestination destination, params string[] words)
            where TException : Exception
        {
            var refused = await Assert.ThrowsAsync<TException>(() => mover.MoveAsync("acme", destination));
            Assert.All([.. words, "'acme'"], w => Assert.Contains(w, refused.Message, StringComparison.Ordinal));
            Assert.Equal(expected, await RowsAsync(_home, "public", "acme"));
            Assert.Empty(await _home.ColumnAsync("SELECT state FROM tenants.tenant_destinations WHERE tenant_id = 'acme' AND state <> 'active'"));
            return refused;
        }

        await Assert.ThrowsAsync<InvalidOperationException>(() => mover.MoveAsync("acme", TenantDestination.InDatabase("nowhere")));
        await Assert.ThrowsAsync<ArgumentException>(() => mover.MoveAsync(" ", TenantDestination.InDatabase("own")));
        Assert.Empty((await mover.MoveAsync("acme", TenantDestination.Home)).Tables);

        // A global row that is not there; the next attempt finds it.
        await _home.ExecuteAsync("""UPDATE "Members" SET "CountryCode" = 'XX' WHERE "Id" = 1 AND "TenantId" = 'acme'""");
        expected = await RowsAsync(_home, "public", "acme");
        await RefusedAsync<InvalidOperationException>(TenantDestination.InDatabase("own"), "Members", "FK_Members_Country_CountryCode", "XX");
        Assert.Empty(await RowsAsync(own, "public", "acme"));
        await using (var db = Context(services, "acme"))
        {
            await AddAsync(db, new Comment { Text = "goes on", WorkItemId = 1, AuthorId = 1 });
            expected = await RowsAsync(_home, "public", "acme");
        }

        await own.ExecuteAsync("""INSERT INTO "Country" VALUES ('XX')""");
        await own.ExecuteAsync(StudioContext.RowsSql("public", "acme", 100));
        await RefusedAsync<InvalidOperationException>(TenantDestination.InDatabase("own"), "Teams", "already");
        await own.ExecuteAsync("""TRUNCATE "Teams" CASCADE""");
        await own.ExecuteAsync("""ALTER TABLE "Comments" ADD COLUMN "More" text""");
        await RefusedAsync<InvalidOperationException>(TenantDestination.InDatabase("own"), "Comments", "More text");
        await own.ExecuteAsync("""ALTER TABLE "Comments" DROP COLUMN "More" """);

        // Somebody who writes past the application while rows are copied.
        var writer = new Writer(_home);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => mover.MoveAsync("acme", TenantDestination.InDatabase("own"), CancellationToken.None, writer));
        Assert.True(writer.HasWritten);
        Assert.Equal(expected.Count + 1, (await RowsAsync(_home, "public", "acme")).Count);
        Assert.Empty(await RowsAsync(own, "public", "acme"));
        Assert.Equal(["active"], await _home.ColumnAsync("SELECT state FROM tenants.tenant_destinations"));
    }

    [Fact]
    public async Task A_tenant_that_has_a_place_or_rows_is_moved_and_not_added_elsewhere()
    {
        await using var services = Services();
        await CreateAsync(services, "acme");
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 200));
        var databases = services.GetRequiredService<TenantDatabases>();

        var rows = await Assert.ThrowsAsync<InvalidOperationException>(() => databases.AddAsync("acme", TenantDestination.InSchema("acme")));
        Assert.Contains("MoveAsync(\"acme\"", rows.Message, StringComparison.Ordinal);
        Assert.Contains("Comments", rows.Message, StringComparison.Ordinal);
        Assert.Empty(await databases.ListAsync());
        Assert.Empty(await _home.ColumnAsync("SELECT nspname FROM pg_namespace WHERE nspname = 'acme'"));
        Assert.Equal(TenantDestination.Home, await databases.FindAsync("acme"));

        // Nobody's rows, and no other place.
        var own = TenantDestination.InSchema("globex");
        Assert.Equal(own, await databases.AddAsync("globex", own));
        Assert.Equal(own, await databases.AddAsync("globex", own));
        Assert.Equal(own, await databases.AddAsync("globex"));
        foreach (var other in (TenantDestination[])[TenantDestination.InSchema("other"), TenantDestination.Home])
        {
            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => databases.AddAsync("globex", other));
            Assert.Contains("MoveAsync(\"globex\"", refused.Message, StringComparison.Ordinal);
            Assert.Contains("schema 'globex' of the home database", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(own, await databases.FindAsync("globex"));
        Assert.Empty(await _home.ColumnAsync("SELECT nspname FROM pg_namespace WHERE nspname = 'other'"));

        // By name at home, it is not sent elsewhere either.
        Assert.Equal(TenantDestination.Home, await databases.AddAsync("acme", TenantDestination.Home));
        await Assert.ThrowsAsync<InvalidOperationException>(() => databases.AddAsync("acme", TenantDestination.InSchema("acme")));
        await _home.ExecuteAsync("DROP SCHEMA globex");
        Assert.Equal(200, (await Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"))).Rows);
    }

    [Fact]
    public async Task A_transaction_that_does_not_end_ends_the_move()
    {
        await using var services = StudioContext.Services(_home.ConnectionString, administration: o => o.RetryTimeout = TimeSpan.FromSeconds(1));
        await CreateAsync(services, "acme");
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 100));
        await services.GetRequiredService<TenantDatabases>().AddAsync("acme", TenantDestination.Home);
        await services.GetRequiredService<TenantDatabases>().DisableAsync("acme");
        await using (var connection = new NpgsqlConnection(_home.ConnectionString))
        {
            await connection.OpenAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var command = new NpgsqlCommand("SELECT 1", connection))
            {
                await command.ExecuteScalarAsync();
            }

            var refused = await Assert.ThrowsAsync<TimeoutException>(() => Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme")));

            Assert.Contains($"{connection.ProcessID}", refused.Message, StringComparison.Ordinal);
            await AssertAtHomeAsync();

            // Nor does a cancelled one leave the tenant read only.
            using var cancellation = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(
                () => Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"), cancellation.Token));
            await AssertAtHomeAsync();
        }

        // Disabled it stays.
        await Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"));
        Assert.Equal(100, (await RowsAsync(_home, "acme", "acme")).Count);
        Assert.Throws<TenantDisabledException>(() => Context(services, "acme").Comments.Count());

        async Task AssertAtHomeAsync()
        {
            Assert.Equal(["active"], await _home.ColumnAsync("SELECT state FROM tenants.tenant_destinations"));
            Assert.Equal(100, (await RowsAsync(_home, "public", "acme")).Count);
            Assert.Empty(await RowsAsync(_home, "acme", "acme"));
        }
    }

    [Fact]
    public async Task Connections_that_stay_read_only_are_refused()
    {
        await using var services = StudioContext.Services(_home.ConnectionString + ";No Reset On Close=true");
        await CreateAsync(services, "acme");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme")));

        Assert.Contains("No Reset On Close", refused.Message, StringComparison.Ordinal);
        Assert.Empty(await _home.ColumnAsync("SELECT state FROM tenants.tenant_destinations"));
    }

    [Fact]
    public async Task A_column_that_comes_while_a_tenant_is_moved_is_not_lost()
    {
        var own = await DatabaseAsync();
        await using var services = Services(t => t.NameDatabase("own", own.ConnectionString));
        await CreateAsync(services, "acme");
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 100));
        var move = Mover(services).MoveAsync("acme", TenantDestination.InDatabase("own"));
        await StateAsync("moving");
        foreach (var database in (TestDatabase[])[_home, own])
        {
            await database.ExecuteAsync("""ALTER TABLE "Comments" ADD COLUMN "More" text""");
        }

        await _home.ExecuteAsync("""UPDATE "Comments" SET "More" = 'more' || "Id" """);
        var expected = await RowsAsync(_home, "public", "acme");

        await StateAsync("moved");
        await _home.ExecuteAsync("""ALTER TABLE "Comments" ADD COLUMN "EvenMore" text DEFAULT 'x'""");
        await move;

        Assert.Equal(expected, await RowsAsync(own, "public", "acme"));
        Assert.Empty(await RowsAsync(_home, "public", "acme"));
    }

    [Fact]
    public async Task Rows_that_come_after_the_copy_are_not_deleted()
    {
        await using var services = Services();
        await CreateAsync(services, "acme");
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 200));
        var move = Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"));
        await StateAsync("moved");
        await _home.ExecuteAsync(Writer.Sql);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => move);

        Assert.Contains("Comments", refused.Message, StringComparison.Ordinal);
        Assert.Equal(61, Comments(await RowsAsync(_home, "public", "acme")));
        await using (var db = Context(services, "acme"))
        {
            await AddAsync(db, new Comment { Text = "goes on there", WorkItemId = 1, AuthorId = 1 });
        }

        await _home.ExecuteAsync("""DELETE FROM public."Comments" WHERE "Text" = 'late'""");
        await Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"));
        Assert.Empty(await RowsAsync(_home, "public", "acme"));
        Assert.Equal(61, Comments(await RowsAsync(_home, "acme", "acme")));
        Assert.Equal(["active"], await _home.ColumnAsync("SELECT state FROM tenants.tenant_destinations"));
    }

    [Fact]
    public async Task Managed_partitions_are_made_where_a_tenant_goes_and_dropped_where_it_was()
    {
        var shard = await DatabaseAsync();
        await using var services = Services(t => t.NameDatabase("shard", shard.ConnectionString), isManaged: true);
        await CreateAsync(services, "acme");
        await services.GetRequiredService<ITenantAdministration<StudioContext>>().AddAsync(["acme", "globex"]);

        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 200));
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "globex", 200));
        var expected = await RowsAsync(_home, "public", "acme");
        const string Partitions = "SELECT relname FROM pg_class WHERE relispartition AND relkind = 'r' AND relname LIKE '%acme'";

        // Whoever comes second finds nothing left to do.
        var results = await Task.WhenAll(
            Mover(services).MoveAsync("acme", TenantDestination.InDatabase("shard")),
            Mover(Services(t => t.NameDatabase("shard", shard.ConnectionString), isManaged: true)).MoveAsync("acme", TenantDestination.InDatabase("shard")));

        Assert.Equal(expected.Count, results.Sum(r => r.Rows));
        Assert.Equal(expected, await RowsAsync(shard, "public", "acme"));
        Assert.Equal(6, (await shard.ColumnAsync(Partitions)).Count);
        Assert.Empty(await _home.ColumnAsync(Partitions));
        Assert.Equal(["globex"], await _home.ColumnAsync("SELECT partition_value FROM partitions.tenant_partitions"));

        await Mover(services).MoveAsync("acme", TenantDestination.Home);
        Assert.Equal(expected, await RowsAsync(_home, "public", "acme"));
        Assert.Equal(6, (await _home.ColumnAsync(Partitions)).Count);
        Assert.Empty(await shard.ColumnAsync(Partitions));

        // What others have is not looked through for one.
        Assert.Equal(
            (await _home.ColumnAsync(Partitions)).Order(StringComparer.Ordinal), await AnalyzedAsync(_home, "public"));

        await Mover(services).MoveAsync("acme", TenantDestination.InSchema("acme"));
        Assert.Equal(expected, await RowsAsync(_home, "acme", "acme"));
        Assert.Empty(await _home.ColumnAsync(Partitions));
        Assert.Equal(60, await Context(services, "acme").Comments.CountAsync());
    }

    [Fact]
    public async Task A_model_without_tenants_moves_all_of_its_tables_and_leaves_shared_ones()
    {
        var other = await DatabaseAsync();
        await using var services = new ServiceCollection()
            .AddTenantDatabases(x => x.MultiTenantedSchemas(_home.ConnectionString))
            .AddDbContextFactory<LedgerContext>(
                (s, options) => options.UseTestDatabase("Host=nowhere.invalid")
                    .UseTenancy(t => t.UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<LedgerContext>()
            .BuildServiceProvider();
        await _home.ExecuteAsync("""CREATE SCHEMA shared; CREATE TABLE shared."Currencies" ("Code" text PRIMARY KEY); INSERT INTO shared."Currencies" VALUES ('EUR')""");
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddDatabaseAsync("other", other.ConnectionString);
        foreach (var tenant in (string[])["acme", "globex"])
        {
            await databases.AddAsync(tenant);
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.EnsureCreatedAsync();
            db.Accounts.Add(new Account { Name = tenant, CurrencyCode = "EUR", Postings = { new Posting { Amount = 1.50m } } });
            await db.SaveChangesAsync();
        }

        var mover = services.GetRequiredService<ITenantMover<LedgerContext>>();
        var globexSchema = await databases.FindAsync("globex");
        await Assert.ThrowsAsync<InvalidOperationException>(() => mover.MoveAsync("acme", TenantDestination.Home));
        var mixed = await Assert.ThrowsAsync<InvalidOperationException>(() => mover.MoveAsync("acme", globexSchema));
        Assert.Contains("AllEntitiesAreMultiTenanted()", mixed.Message, StringComparison.Ordinal);
        var missing = await Assert.ThrowsAsync<InvalidOperationException>(() => mover.MoveAsync("acme", TenantDestination.InDatabase("other")));
        Assert.Contains("EUR", missing.Message, StringComparison.Ordinal);
        await other.ExecuteAsync("""INSERT INTO shared."Currencies" VALUES ('EUR')""");

        foreach (var destination in (TenantDestination[])[TenantDestination.InDatabase("other"), TenantDestination.InSchema("again")])
        {
            await mover.MoveAsync("acme", destination);
            await using var db = LedgerContext.For(databases, "acme");
            Assert.Equal("acme 1.5", (await db.Postings.Select(p => $"{p.Account!.Name} {p.Amount:0.0}").ToListAsync())[0]);
            db.Accounts.Add(new Account { Name = "acme", Postings = { new Posting { Amount = 1.50m } } });
            await db.SaveChangesAsync();
        }

        Assert.Equal(3L, await _home.ScalarAsync<long>("""SELECT count(*) FROM again."Accounts" """));
        Assert.Equal(0L, await other.ScalarAsync<long>("""SELECT count(*) FROM "Accounts" """));
        Assert.Equal("globex", (await LedgerContext.For(databases, "globex").Accounts.SingleAsync()).Name);
        Assert.Equal(
            ["again", globexSchema.Schema!],
            await _home.ColumnAsync("""SELECT schemaname FROM pg_tables WHERE tablename = 'Accounts' ORDER BY 1"""));
    }

    [Fact]
    public async Task A_database_that_was_made_for_the_tenant_goes_with_it()
    {
        var other = await DatabaseAsync();
        await using var services = new ServiceCollection()
            .AddTenantDatabases(x => x.MultiTenantedWithSingleServer(_home.ConnectionString))
            .AddDbContextFactory<LedgerContext>(
                (s, options) => options.UseTestDatabase("Host=nowhere.invalid")
                    .UseTenancy(t => t.UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<LedgerContext>()
            .BuildServiceProvider();
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddDatabaseAsync("other", other.ConnectionString);
        var made = await databases.AddAsync("acme");
        await using (var db = LedgerContext.For(databases, "acme"))
        {
            await db.Database.EnsureCreatedAsync();
            db.Add(new Account { Name = "acme", Currency = new Currency { Code = "EUR" } });
            await db.SaveChangesAsync();
        }

        var mover = services.GetRequiredService<ITenantMover<LedgerContext>>();
        await mover.MoveAsync("acme", TenantDestination.InDatabase("other"));
        Assert.Empty(await _home.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{made.Database}'"));
        Assert.Equal(["other"], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_databases"));
        Assert.Equal("EUR", (await LedgerContext.For(databases, "acme").Accounts.SingleAsync()).CurrencyCode);

        await mover.MoveAsync("acme", made);
        Assert.Equal("EUR", (await LedgerContext.For(databases, "acme").Accounts.SingleAsync()).CurrencyCode);
        Assert.Equal(0L, await other.ScalarAsync<long>("""SELECT count(*) FROM shared."Currencies" """));
        await databases.DisposeAsync();
        await other.ExecuteAsync($"""DROP DATABASE "{made.Database}" WITH (FORCE)""");
    }

    private async Task StateAsync(string state)
    {
        for (var attempt = 0; attempt < 400; attempt++)
        {
            if (await _home.ScalarAsync<bool>("SELECT to_regclass('tenants.tenant_destinations') IS NOT NULL")
                && (await _home.ColumnAsync("SELECT state FROM tenants.tenant_destinations")).Contains(state))
            {
                return;
            }

            await Task.Delay(50);
        }

        Assert.Fail($"No tenant is {state}.");
    }

    internal static Task<List<string>> AnalyzedAsync(TestDatabase database, string schema)
        => database.ColumnAsync(
            $"""
            SELECT relname FROM pg_stat_user_tables WHERE schemaname = '{schema.Replace("'", "''", StringComparison.Ordinal)}' AND last_analyze IS NOT NULL
            ORDER BY relname COLLATE "C"
            """);

    private static async Task AddAsync(StudioContext db, object entity)
    {
        db.Add(entity);
        await db.SaveChangesAsync();
    }

    private static int Comments(List<string> rows)
        => rows.Count(r => r.StartsWith("Comments", StringComparison.Ordinal));

    /// <summary>Writes once, when a table is done.</summary>
    private sealed class Writer(TestDatabase database) : IProgress<TenantProgress>
    {
        public const string Sql =
            """INSERT INTO public."Comments" ("TenantId", "WorkItemId", "AuthorId", "Text", "At") VALUES ('acme', 1, 1, 'late', now())""";

        public bool HasWritten { get; private set; }

        public void Report(TenantProgress value)
        {
            if (!HasWritten)
            {
                HasWritten = true;
                Task.Run(() => database.ExecuteAsync(Sql)).GetAwaiter().GetResult();
            }
        }
    }

    private ServiceProvider Services(Action<MasterDatabaseTableBuilder>? table = null, bool isManaged = false)
    {
        var services = StudioContext.Services(_home.ConnectionString, table, isManaged);
        return Own(services);
    }

    private static async Task CreateAsync(ServiceProvider services, params string[] tenants)
    {
        await using var db = Context(services, tenants[0]);
        await db.Database.EnsureCreatedAsync();
    }

    private static StudioContext Context(ServiceProvider services, string tenant)
        => services.GetRequiredService<IDbContextFactory<StudioContext>>().CreateDbContext(tenant);

    private static ITenantMover<StudioContext> Mover(ServiceProvider services)
        => services.GetRequiredService<ITenantMover<StudioContext>>();

    /// <summary>Each row of a tenant, byte by byte.</summary>
    internal static Task<List<string>> RowsAsync(TestDatabase database, string schema, string tenant)
        => database.ColumnAsync(
            string.Join(
                " UNION ALL ",
                Tables.Select(t => $"""SELECT '{t} ' || md5(r::text) FROM "{schema}"."{t}" r WHERE r."TenantId" = '{tenant}'"""))
            + " ORDER BY 1");
}
