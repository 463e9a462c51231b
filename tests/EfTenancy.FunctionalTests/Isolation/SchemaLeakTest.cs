using System.Collections.Concurrent;
using System.Transactions;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>Whatever a session, a statement or a context could carry from one tenant's schema to the next tenant, tried.</summary>
public sealed class SchemaLeakTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private static readonly string[] Tenants = ["Green", "Red"];

    private TestDatabase _home = null!;

    public override async ValueTask InitializeAsync()
    {
        _home = await DatabaseAsync();
        await _home.ExecuteAsync("""CREATE SCHEMA shared; CREATE TABLE shared."Currencies" ("Code" text PRIMARY KEY)""");
        var databases = Databases(s => { });
        foreach (var tenant in Tenants)
        {
            await databases.AddAsync(tenant);
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.EnsureCreatedAsync();
            db.Add(new Account { Name = "of " + tenant, Postings = { new Posting { Amount = 1 } } });
            await db.SaveChangesAsync();
        }
    }

    [Fact]
    public async Task A_prepared_statement_of_one_session_serves_both()
    {
        var databases = Databases(s => (s.MaxPoolSize, s.MaxAutoPrepare, s.AutoPrepareMinUsages) = (1, 20, 2));
        var sessions = new HashSet<int>();
        var prepared = 0;

        for (var i = 0; i < 12; i++)
        {
            var tenant = Tenants[i % 2];
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.OpenConnectionAsync();
            sessions.Add((await db.Database.SqlQuery<int>($"SELECT pg_backend_pid() AS \"Value\"").ToListAsync())[0]);
            Assert.Equal(["of " + tenant], await db.Accounts.Select(a => a.Name).ToListAsync());
            prepared = (await db.Database.SqlQuery<int>(
                $"""SELECT count(*)::int AS "Value" FROM pg_prepared_statements WHERE statement LIKE 'SELECT a.%'""").ToListAsync())[0];
        }

        Assert.Single(sessions);
        Assert.Equal(1, prepared);
    }

    [Fact]
    public async Task A_compiled_query_serves_both()
    {
        var databases = Databases(s => s.MaxPoolSize = 1);
        var compiled = EF.CompileAsyncQuery((LedgerContext db, string start) => db.Accounts.Where(a => a.Name.StartsWith(start)).Select(a => a.Name));

        foreach (var tenant in Tenants.Concat(Tenants))
        {
            await using var db = LedgerContext.For(databases, tenant);
            Assert.Equal(["of " + tenant], await compiled(db, "of").ToListAsync());
        }
    }

    [Fact]
    public async Task Every_way_of_reading_and_writing_stays_in_the_schema()
    {
        var databases = Databases(s => (s.MaxPoolSize, s.MaxAutoPrepare, s.AutoPrepareMinUsages) = (1, 20, 1));
        foreach (var tenant in Tenants.Concat(Tenants))
        {
            await using var db = LedgerContext.For(databases, tenant);
            string[] own = ["of " + tenant];

            Assert.Equal(own, (await db.Accounts.AsSplitQuery().Include(a => a.Postings).Where(a => a.Postings.Count > 0).ToListAsync()).Select(a => a.Name));
            Assert.Equal(own, await db.Accounts.FromSql($"SELECT * FROM \"Accounts\"").Select(a => a.Name).ToListAsync());
            Assert.Equal(own, await db.Database.SqlQuery<string>($"SELECT \"Name\" AS \"Value\" FROM \"Accounts\"").ToListAsync());

            Assert.Equal(3, await db.Tenancy().BulkInsertAsync(Enumerable.Range(0, 3).Select(i => new Account { Name = "copied" }), returnGeneratedValues: true));
            Assert.Equal(3, await db.Accounts.Where(a => a.Name == "copied").ExecuteUpdateAsync(s => s.SetProperty(a => a.Name, "changed")));
            Assert.Equal(3, await db.Accounts.Where(a => a.Name == "changed").ExecuteDeleteAsync());
            Assert.Equal(1, await db.Database.ExecuteSqlAsync($"UPDATE \"Accounts\" SET \"CurrencyCode\" = NULL"));

            var saved = db.Add(new Account { Name = "saved" });
            await db.SaveChangesAsync();
            saved.Entity.Name = "saved again";
            await db.SaveChangesAsync();
            db.Remove(saved.Entity);
            await db.SaveChangesAsync();
        }

        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task What_a_tenant_changes_in_its_session_is_gone_for_the_next()
    {
        var databases = Databases(s => (s.MaxPoolSize, s.MaxAutoPrepare, s.AutoPrepareMinUsages) = (1, 20, 1));
        var red = $"\"{(await databases.FindAsync("Red")).Schema}\"";

        await using (var db = LedgerContext.For(databases, "Green"))
        {
            // A connection that is given back between commands starts anew for the same tenant, too.
            await db.Database.ExecuteSqlAsync($"SELECT set_config('search_path', {red}, false)");
            Assert.Equal(["of Green"], await Names(db));

            await db.Database.OpenConnectionAsync();
            await db.Database.ExecuteSqlAsync($"""CREATE TEMP TABLE "Accounts" AS SELECT 1 AS "Id", 'of Green, temporary' AS "Name", NULL AS "CurrencyCode" """);
            await db.Database.ExecuteSqlAsync($"SELECT set_config('search_path', {red}, false)");
            await db.Database.ExecuteSqlAsync($"SET statement_timeout = '17s'");
        }

        await using (var db = LedgerContext.For(databases, "Red"))
        {
            Assert.Equal(["of Red"], await Names(db));
            Assert.NotEqual(["17s"], await db.Database.SqlQuery<string>($"SELECT current_setting('statement_timeout') AS \"Value\"").ToListAsync());
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_transaction_scope_over_both_keeps_them_apart(bool completes)
    {
        // Npgsql gives the second context the session of the first, in the middle of its transaction.
        var databases = Databases(s => s.MaxPoolSize = 1);
        using (var scope = new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            foreach (var tenant in Tenants.Concat(Tenants))
            {
                await using var db = LedgerContext.For(databases, tenant);
                db.Add(new Posting { Amount = 2, AccountId = await db.Accounts.Select(a => a.Id).SingleAsync() });
                await db.SaveChangesAsync();
                Assert.Equal(["of " + tenant], await Names(db));
            }

            if (completes)
            {
                scope.Complete();
            }
        }

        foreach (var tenant in Tenants)
        {
            Assert.Equal(completes ? 3 : 1, await _home.ScalarAsync<long>($"""SELECT count(*) FROM "{(await databases.FindAsync(tenant)).Schema}"."Postings" """));
            await using var db = LedgerContext.For(databases, tenant);
            Assert.Equal(["of " + tenant], await Names(db));
        }
    }

    [Fact]
    public async Task A_connection_that_outlives_its_transaction_scope_has_its_own_schema_or_none()
    {
        var databases = Databases(s => s.MaxPoolSize = 1);
        await using var db = LedgerContext.For(databases, "Green");
        using (new TransactionScope(TransactionScopeAsyncFlowOption.Enabled))
        {
            await using (var red = LedgerContext.For(databases, "Red"))
            {
                Assert.Equal(["of Red"], await Names(red));
            }

            // Opened inside of the transaction, so that its schema is rolled back with it.
            await db.Database.OpenConnectionAsync();
            Assert.Equal(["of Green"], await Names(db));
        }

        if (await Record.ExceptionAsync(() => Names(db)) is not { } exception)
        {
            Assert.Equal(["of Green"], await Names(db));
        }
        else
        {
            Assert.Equal(PostgresErrorCodes.UndefinedTable, Assert.IsType<PostgresException>(exception).SqlState);
        }
    }

    [Fact]
    public async Task Rolled_back_transactions_and_savepoints_leave_the_schema_set()
    {
        var databases = Databases(s => s.MaxPoolSize = 1);
        foreach (var tenant in Tenants.Concat(Tenants))
        {
            await using var db = LedgerContext.For(databases, tenant);
            await using (var transaction = await db.Database.BeginTransactionAsync())
            {
                await transaction.CreateSavepointAsync("before");
                await db.Accounts.ExecuteDeleteAsync(TestContext.Current.CancellationToken);
                await transaction.RollbackToSavepointAsync("before");
                Assert.Equal(["of " + tenant], await Names(db));
                await db.Postings.ExecuteDeleteAsync(TestContext.Current.CancellationToken);
                await transaction.RollbackAsync();
            }

            Assert.Equal(["of " + tenant], await Names(db));
        }

        await AssertUntouchedAsync();
    }

    [Fact]
    public async Task A_function_a_trigger_and_a_view_work_in_the_schema_that_calls_them()
    {
        // The function is one for all, and PL/pgSQL keeps the plans of its statements in the session.
        await _home.ExecuteAsync(
            """
            CREATE FUNCTION shared.names() RETURNS text LANGUAGE plpgsql AS $$
            BEGIN RETURN (SELECT string_agg("Name", ',') FROM "Accounts"); END $$;
            CREATE FUNCTION shared.log() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN INSERT INTO log VALUES (new."Name"); RETURN new; END $$
            """);
        var databases = Databases(s => s.MaxPoolSize = 1);
        foreach (var tenant in Tenants)
        {
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.ExecuteSqlAsync(
                $"""
                CREATE TABLE log (name text);
                CREATE TRIGGER log AFTER INSERT ON "Accounts" FOR EACH ROW EXECUTE FUNCTION shared.log();
                CREATE VIEW names AS SELECT "Name" AS "Value" FROM "Accounts"
                """);
        }

        for (var i = 0; i < 12; i++)
        {
            var tenant = Tenants[i % 2];
            await using var db = LedgerContext.For(databases, tenant);
            Assert.Equal(["of " + tenant], await db.Database.SqlQuery<string>($"SELECT shared.names() AS \"Value\"").ToListAsync());
            Assert.Equal(["of " + tenant], await db.Database.SqlQuery<string>($"SELECT * FROM names").ToListAsync());
            await using var transaction = await db.Database.BeginTransactionAsync();
            db.Add(new Account { Name = "new of " + tenant });
            await db.SaveChangesAsync();
            Assert.Equal(["new of " + tenant], await db.Database.SqlQuery<string>($"SELECT name AS \"Value\" FROM log").ToListAsync());
        }
    }

    [Fact]
    public async Task Each_schema_counts_by_itself()
    {
        var databases = Databases(s => s.MaxPoolSize = 1);
        var options = LedgerContext.Options(databases);
        var pool = new PooledDbContextFactory<LedgerContext>(options);
        for (var i = 0; i < 30; i++)
        {
            await using var db = await pool.CreateDbContextAsync(Tenants[i % 2]);
            db.Add(new Account { Name = "more", Postings = { new Posting { Amount = 1 } } });
            await db.SaveChangesAsync();
        }

        foreach (var tenant in Tenants)
        {
            var schema = (await databases.FindAsync(tenant)).Schema;

            // The first row of a process takes a block of numbers, and this one is the second to ask.
            Assert.Equal(Enumerable.Range(1, 16).Select(i => $"{i}"), await _home.ColumnAsync($"""SELECT "Id" FROM "{schema}"."Postings" ORDER BY 1"""));
            Assert.Equal(
                ["16 16"], await _home.ColumnAsync($"""SELECT count(*) || ' ' || count(DISTINCT "Id") FROM "{schema}"."Accounts" """));
            Assert.InRange(await _home.ScalarAsync<int>($"""SELECT max("Id") FROM "{schema}"."Accounts" """), 16, 40);
            Assert.Equal(
                await _home.ScalarAsync<long>($"""SELECT last_value FROM "{schema}"."EntityFrameworkHiLoSequence" """),
                await NextAsync(schema!) - 10);
        }

        async Task<long> NextAsync(string schema)
            => await _home.ScalarAsync<long>($"""SELECT nextval('"{schema}"."EntityFrameworkHiLoSequence"')""");
    }

    [Fact]
    public async Task Sixteen_workers_with_pooled_contexts_share_two_sessions()
    {
        var databases = Databases(s => (s.MaxPoolSize, s.MaxAutoPrepare, s.AutoPrepareMinUsages, s.Timeout) = (2, 20, 2, 120));
        var pool = new PooledDbContextFactory<LedgerContext>(LedgerContext.Options(databases), poolSize: 4);
        var answers = new ConcurrentBag<string>();

        // Rows with keys of the table: a block of a sequence is fetched under a lock of EF, which must not wait for a session.
        await Parallel.ForEachAsync(
            Enumerable.Range(0, 600),
            new ParallelOptions { MaxDegreeOfParallelism = 16 },
            async (i, cancellationToken) =>
            {
                var tenant = TenantOf(i);
                await using var db = await pool.CreateDbContextAsync(tenant, cancellationToken);
                await using var transaction = i % 5 == 0 ? await db.Database.BeginTransactionAsync(cancellationToken) : null;
                var account = await db.Accounts.SingleAsync(cancellationToken);
                answers.Add($"{tenant}: {account.Name}");
                db.Add(new Posting { AccountId = account.Id, Amount = i });
                await db.SaveChangesAsync(cancellationToken);
                await (transaction?.CommitAsync(cancellationToken) ?? Task.CompletedTask);
            });

        Assert.Equal(["Green: of Green", "Red: of Red"], answers.Distinct().Order());
        foreach (var tenant in Tenants)
        {
            Assert.Equal(
                Enumerable.Range(0, 600).Where(i => TenantOf(i) == tenant).Append(1).Order().Select(i => $"{i}"),
                await _home.ColumnAsync($"""SELECT "Amount" FROM "{(await databases.FindAsync(tenant)).Schema}"."Postings" ORDER BY 1"""));
        }

        static string TenantOf(int i)
            => Tenants[i * 7 / 3 % 2];
    }

    [Fact]
    public async Task A_tenant_that_is_found_after_the_context_was_returned_is_not_the_next_leases()
    {
        var databases = Databases(s => { });
        var pool = new PooledDbContextFactory<LedgerContext>(LedgerContext.Options(databases), poolSize: 1);
        await using var locked = new NpgsqlConnection(_home.ConnectionString);
        await locked.OpenAsync();
        var transaction = await locked.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE tenants.tenant_destinations", locked, transaction))
        {
            await command.ExecuteNonQueryAsync();
        }

        var first = pool.CreateDbContext();
        var found = first.Tenancy().UseAsync("Green");
        await first.DisposeAsync();
        await using var second = pool.CreateDbContext("Red");
        Assert.Same(first, second);
        Assert.False(found.IsCompleted);
        await transaction.RollbackAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => found);
        Assert.Equal("of Red", (await second.Accounts.SingleAsync()).Name);
    }

    [Fact]
    public async Task Sessions_that_are_not_reset_are_not_used()
    {
        var careless = Databases(s => (s.MaxPoolSize, s.NoResetOnClose) = (1, true));
        await using (var db = LedgerContext.For(careless, "Green"))
        {
            await db.Database.ExecuteSqlAsync($"""SET statement_timeout = '17s'""");
            Assert.NotEqual(["17s"], await db.Database.SqlQuery<string>($"SELECT current_setting('statement_timeout') AS \"Value\"").ToListAsync());
        }

        foreach (var change in (Action<NpgsqlConnectionStringBuilder>[])[s => s.NoResetOnClose = true, s => s.Multiplexing = true])
        {
            await using var source = NpgsqlDataSource.Create(ConnectionString(change));
            Assert.Throws<InvalidOperationException>(() => TenantDatabases.Create(x => x.MultiTenantedSchemas(source)));
        }

        Assert.Throws<InvalidOperationException>(() => Databases(s => s.Multiplexing = true));
    }

    [Fact]
    public async Task A_data_source_of_the_application_keeps_them_apart_as_well()
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString(s => (s.MaxPoolSize, s.MaxAutoPrepare, s.AutoPrepareMinUsages) = (1, 20, 2)));
        await using var databases = TenantDatabases.Create(x => x.MultiTenantedSchemas(source));
        foreach (var tenant in Tenants.Concat(Tenants).Concat(Tenants))
        {
            await using var db = LedgerContext.For(databases, tenant);
            Assert.Equal(["of " + tenant], await Names(db));
        }

        // What the application itself does with its data source is where it always was.
        await using var command = source.CreateCommand("SELECT to_regclass('\"Accounts\"') IS NULL");
        Assert.Equal(true, await command.ExecuteScalarAsync());
    }

    private async Task AssertUntouchedAsync()
    {
        foreach (var tenant in Tenants)
        {
            var schema = (await _home.ColumnAsync($"SELECT schema_name FROM tenants.tenant_destinations WHERE tenant_id = '{tenant}'")).Single();
            Assert.Equal(["of " + tenant], await _home.ColumnAsync($"""SELECT "Name" FROM "{schema}"."Accounts" """));
            Assert.Equal(["1"], await _home.ColumnAsync($"""SELECT "AccountId" FROM "{schema}"."Postings" """));
        }
    }

    private static async Task<List<string>> Names(LedgerContext db)
        => await db.Accounts.OrderBy(a => a.Id).Select(a => a.Name).ToListAsync(TestContext.Current.CancellationToken);

    private TenantDatabases Databases(Action<NpgsqlConnectionStringBuilder> change)
        => Own(TenantDatabases.Create(x => x.MultiTenantedSchemas(ConnectionString(change))));

    private string ConnectionString(Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(_home.ConnectionString);
        change(settings);
        return settings.ConnectionString;
    }
}
