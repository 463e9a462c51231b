using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenarios about databases for tenants, by their numbers, and the same for schemas.</summary>
public sealed class SeparateScenariosTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private TestDatabase _home = null!;

    public override async ValueTask InitializeAsync()
        => _home = await DatabaseAsync();

    [Fact]
    public async Task Scenario_15_a_nested_tenant_of_another_database_is_refused_and_one_of_the_same_is_not()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = Databases(
            x => x.MultiTenantedDatabases(
                d => d.AddMultipleTenantDatabase(one.ConnectionString, "Green", "Red").AddSingleTenantDatabase(two.ConnectionString, "Blue")));
        var options = LedgerContext.Options(databases, t => t.AllEntitiesAreMultiTenanted());
        await using var green = new LedgerContext(options);
        green.Tenancy().Use("Green");
        await green.Database.EnsureCreatedAsync();

        green.Accounts.Add(new Account { Name = "of Green" });
        green.Tenancy().ForTenant("Red").Add(new Account { Name = "of Red" });
        await green.SaveChangesAsync();
        var elsewhere = Assert.Throws<InvalidTenantForDatabaseException>(() => green.Tenancy().ForTenant("Blue"));

        Assert.Equal("Blue", elsewhere.TenantId);
        Assert.Contains("CreateDbContext(\"Blue\")", elsewhere.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidTenantForDatabaseException>(() => new LedgerContext(options).Tenancy().Use(["Green", "Blue"]));
        Assert.Equal(
            ["Green of Green", "Red of Red"],
            await one.ColumnAsync("""SELECT "TenantId" || ' ' || "Name" FROM "Accounts" ORDER BY 1"""));
    }

    [Fact]
    public async Task A_bulk_insert_for_a_tenant_who_is_elsewhere_is_refused()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = Databases(
            x => x.MultiTenantedDatabases(
                d => d.AddSingleTenantDatabase(one.ConnectionString, "Green").AddSingleTenantDatabase(two.ConnectionString, "Blue")));
        var options = LedgerContext.Options(databases, t => t.AllEntitiesAreMultiTenanted());
        foreach (var tenant in (string[])["Green", "Blue"])
        {
            await using var db = new LedgerContext(options);
            await db.Tenancy().UseAsync(tenant);
            await db.Database.EnsureCreatedAsync();
        }

        await using var green = new LedgerContext(options);
        green.Tenancy().Use("Green");
        Account[] accounts = [new Account { Name = "Green" }, new Account { Name = "Blue" }];

        var elsewhere = await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => green.Tenancy().BulkInsertAsync("Blue", accounts));
        Assert.Equal("Blue", elsewhere.TenantId);
        await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => green.Tenancy().BulkInsertAsync(a => a.Name, accounts));
        await Assert.ThrowsAsync<UnknownTenantException>(() => green.Tenancy().BulkInsertAsync("Nobody", accounts));
        Assert.Empty(await one.ColumnAsync("""SELECT "Name" FROM "Accounts" """));
        Assert.Empty(await two.ColumnAsync("""SELECT "Name" FROM "Accounts" """));

        Assert.Equal(1, await green.Tenancy().BulkInsertAsync("Green", accounts[..1]));
        Assert.Equal(["Green"], await one.ColumnAsync("""SELECT "Name" FROM "Accounts" """));
    }

    [Fact]
    public async Task Scenario_20_the_default_tenant_is_disabled_by_itself()
    {
        var databases = Databases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(_home.ConnectionString, "Green")));

        await using var unset = new LedgerContext(LedgerContext.Options(databases));
        await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => unset.Accounts.ToListAsync());
        Assert.Throws<DefaultTenantUsageDisabledException>(() => unset.Database.GetDbConnection());
        Refused<UnknownTenantException>(databases, TenancyDefaults.DefaultTenantId);
    }

    [Fact]
    public async Task Scenario_45_tenants_go_where_they_are_listed_and_an_unknown_one_throws()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = Databases(
            x => x.MultiTenantedDatabases(
                d => d.AddSingleTenantDatabase(one.ConnectionString, "Green").AddSingleTenantDatabase(two.ConnectionString, "Red")));

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.EnsureCreatedAsync();
            db.Accounts.Add(new Account { Name = tenant });
            await db.SaveChangesAsync();
        }

        Assert.Equal(["Green"], await one.ColumnAsync("""SELECT "Name" FROM "Accounts" """));
        Assert.Equal(["Red"], await two.ColumnAsync("""SELECT "Name" FROM "Accounts" """));
        Assert.Equal("Blue", Refused<UnknownTenantException>(databases, "Blue").TenantId);
        await using var blue = new LedgerContext(LedgerContext.Options(databases));
        Assert.Equal("Blue", (await Assert.ThrowsAsync<UnknownTenantException>(() => blue.Tenancy().UseAsync("Blue"))).TenantId);
    }

    [Fact]
    public async Task Scenario_46_first_use_creates_the_database_from_the_template()
    {
        var template = await DatabaseAsync();
        await using (var empty = Databases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(template.ConnectionString, "T"))))
        {
            await using var db = LedgerContext.For(empty, "T");
            await db.Database.EnsureCreatedAsync();
        }

        var databases = Databases(
            x => x.MultiTenantedWithSingleServer(
                _home.ConnectionString, s => s.UseTemplate(template.Name).CreateDatabasesOnFirstUse()));
        var contexts = await Task.WhenAll(
            Enumerable.Range(0, 6).Select(i => Task.Run(() => LedgerContext.For(databases, i % 2 == 0 ? "green" : "O'Red; DROP"))));
        foreach (var db in contexts)
        {
            await using var _ = db;
            db.Accounts.Add(new Account { Name = db.Tenancy().TenantId });
            await db.SaveChangesAsync();
        }

        var destinations = await databases.ListAsync();
        Assert.Equal(["O'Red; DROP", "green"], destinations.Select(d => d.TenantId));
        Assert.Equal($"{_home.Name}_green", destinations[1].Destination.Database);
        Assert.Equal(
            destinations.Select(d => d.Destination.Database).Order(StringComparer.Ordinal),
            await _home.ColumnAsync($"""SELECT datname FROM pg_database WHERE datname LIKE '{_home.Name}\_%' ORDER BY datname COLLATE "C" """));
        Assert.Equal(["green", "green", "green"], await NamesIn(databases, "green"));
        Assert.Equal(["O'Red; DROP", "O'Red; DROP", "O'Red; DROP"], await NamesIn(databases, "O'Red; DROP"));
        await databases.DisposeAsync();
        foreach (var destination in destinations)
        {
            await _home.ExecuteAsync($"""DROP DATABASE "{destination.Destination.Database}" WITH (FORCE)""");
        }
    }

    [Fact]
    public async Task Without_being_asked_to_no_database_is_created_at_first_use()
    {
        var databases = Databases(x => x.MultiTenantedWithSingleServer(_home.ConnectionString));

        Refused<UnknownTenantException>(databases, "green");
        Assert.Empty(await _home.ColumnAsync($"""SELECT datname FROM pg_database WHERE datname LIKE '{_home.Name}\_%'"""));
    }

    [Fact]
    public async Task Scenario_47_a_registered_tenant_resolves_without_a_restart_and_may_be_disabled_enabled_and_removed()
    {
        var green = await DatabaseAsync();
        var here = Databases(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString));
        var elsewhere = Databases(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString));
        Refused<UnknownTenantException>(here, "Green");

        await elsewhere.AddDatabaseAsync("green-db", green.ConnectionString);
        await elsewhere.AddAsync("Green", TenantDestination.InDatabase("green-db"));
        await Task.Delay(300);
        await using (var db = LedgerContext.For(here, "Green"))
        {
            await db.Database.EnsureCreatedAsync();
            db.Accounts.Add(new Account { Name = "found" });
            await db.SaveChangesAsync();
        }

        await here.DisableAsync("Green");
        Assert.Equal("Green", Refused<TenantDisabledException>(here, "Green").TenantId);
        await Eventually(() => Refused<TenantDisabledException>(elsewhere, "Green"));
        await here.EnableAsync("Green");
        await using (var db = LedgerContext.For(here, "Green"))
        {
            Assert.Equal("found", (await db.Accounts.SingleAsync()).Name);
        }

        await here.RemoveAsync("Green");
        Refused<UnknownTenantException>(here, "Green");
        await Assert.ThrowsAsync<UnknownTenantException>(() => here.DisableAsync("Green"));
        Assert.Equal(1L, await green.ScalarAsync<long>("""SELECT count(*) FROM "Accounts" """));
    }

    [Fact]
    public async Task Scenario_50_owned_data_sources_are_closed_and_those_of_the_caller_are_not()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        await using var ofCaller = NpgsqlDataSource.Create(two.ConnectionString);
        var databases = TenantDatabases.Create(
            x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(one.ConnectionString, "Green").AddSingleTenantDatabase(ofCaller, "Red")));
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.EnsureCreatedAsync();
            Assert.Empty(await db.Accounts.ToListAsync());
        }

        Assert.NotEqual(0, await SessionsIn(one));
        await databases.DisposeAsync();

        await Eventually(async () => Assert.Equal(0, await SessionsIn(one)));
        await using var connection = await ofCaller.OpenConnectionAsync();
        Assert.Throws<ObjectDisposedException>(() => LedgerContext.For(databases, "Green").Database.OpenConnection());
    }

    [Fact]
    public async Task Schemas_hold_the_rows_of_one_tenant_each_and_share_what_the_model_puts_into_a_schema()
    {
        var databases = await SchemasAsync("Green", "Red");
        foreach (var tenant in (string[])["Green", "Red", "Green"])
        {
            await using var db = LedgerContext.For(databases, tenant);
            db.Accounts.Add(new Account { Name = tenant, CurrencyCode = "EUR", Postings = { new Posting { Amount = 1 } } });
            await db.SaveChangesAsync();
        }

        var green = (await databases.FindAsync("Green")).Schema;
        var red = (await databases.FindAsync("Red")).Schema;
        Assert.NotEqual(green, red);
        Assert.Equal(["1 Green", "2 Green"], await _home.ColumnAsync($"""SELECT concat_ws(' ', "Id", "Name") FROM "{green}"."Accounts" ORDER BY 1"""));
        Assert.Equal(["1 Red"], await _home.ColumnAsync($"""SELECT concat_ws(' ', "Id", "Name") FROM "{red}"."Accounts" """));
        Assert.Equal(
            ["shared.Currencies", $"{green}.Accounts", $"{green}.Postings", $"{red}.Accounts", $"{red}.Postings"],
            await _home.ColumnAsync(
                """SELECT schemaname || '.' || tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema', 'tenants') ORDER BY (schemaname || '.' || tablename) COLLATE "C" """));

        Refused<UnknownTenantException>(databases, "Blue");
        Assert.Throws<InvalidTenantForDatabaseException>(() => LedgerContext.For(databases, "Green").Tenancy().ForTenant("Red"));
    }

    [Fact]
    public async Task Scenario_15_for_schemas_a_nested_tenant_of_another_schema_is_refused()
    {
        var databases = await SchemasAsync("Green", "Red");
        await using var green = LedgerContext.For(databases, "Green");

        Assert.Equal("Red", Assert.Throws<InvalidTenantForDatabaseException>(() => green.Tenancy().ForTenant("Red")).TenantId);
        Assert.Throws<InvalidTenantForDatabaseException>(() => new LedgerContext(LedgerContext.Options(databases)).Tenancy().Use(["Green", "Red"]));
        green.Tenancy().ForTenant("Green").Add(new Account { Name = "own" });
        await green.SaveChangesAsync();
    }

    [Fact]
    public async Task Scenario_20_for_schemas_the_default_tenant_is_disabled_by_itself()
    {
        var databases = await SchemasAsync("Green");

        await using var unset = new LedgerContext(LedgerContext.Options(databases));
        await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => unset.Accounts.ToListAsync());
        await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => unset.Currencies.ToListAsync());
    }

    [Fact]
    public async Task Scenario_46_for_schemas_first_use_creates_the_schema()
    {
        await _home.ExecuteAsync("""CREATE SCHEMA shared; CREATE TABLE shared."Currencies" ("Code" text PRIMARY KEY)""");
        var databases = Databases(x => x.MultiTenantedSchemas(_home.ConnectionString, s => s.CreateSchemasOnFirstUse()));

        await using (var db = LedgerContext.For(databases, "O'Green; DROP"))
        {
            await db.Database.EnsureCreatedAsync();
            db.Accounts.Add(new Account { Name = "first" });
            await db.SaveChangesAsync();
        }

        var schema = (await databases.FindAsync("O'Green; DROP")).Schema;
        Assert.Equal(["first"], await _home.ColumnAsync($"""SELECT "Name" FROM "{schema}"."Accounts" """));
    }

    [Fact]
    public async Task Scenario_47_for_schemas_a_registered_tenant_resolves_and_may_be_disabled_enabled_and_removed()
    {
        var databases = await SchemasAsync("Green");
        var elsewhere = Databases(x => x.MultiTenantedSchemas(_home.ConnectionString));
        Refused<UnknownTenantException>(elsewhere, "Red");
        await databases.AddAsync("Red");
        await Task.Delay(300);
        await using (var db = LedgerContext.For(elsewhere, "Red"))
        {
            await db.Database.EnsureCreatedAsync();
        }

        await databases.DisableAsync("Green");
        Refused<TenantDisabledException>(databases, "Green");
        await Eventually(() => Refused<TenantDisabledException>(elsewhere, "Green"));
        await databases.EnableAsync("Green");
        await using (var db = LedgerContext.For(databases, "Green"))
        {
            Assert.Equal(0, await db.Accounts.CountAsync());
        }

        await databases.RemoveAsync("Green");
        Refused<UnknownTenantException>(databases, "Green");
    }

    [Fact]
    public async Task A_session_never_brings_one_tenants_schema_to_the_next()
    {
        var databases = await SchemasAsync("Green", "Red");
        await using (var db = LedgerContext.For(databases, "Green"))
        {
            db.Accounts.Add(new Account { Name = "of Green" });
            await db.SaveChangesAsync();
            await db.Database.OpenConnectionAsync();

            // The schema outlives a transaction that is rolled back.
            await using (var transaction = await db.Database.BeginTransactionAsync())
            {
                await db.Database.ExecuteSqlAsync($"SET LOCAL lock_timeout = '1s'");
                await transaction.RollbackAsync();
            }

            Assert.Equal(1, await db.Accounts.CountAsync());
        }

        // The same session, which nobody tells a schema.
        using var rental = databases.Sources.Rent(
            databases.Directory.Find("Red").Database, forSchemas: true, this, NpgsqlDataSource.Create);
        await using (var connection = await rental.DataSource.OpenConnectionAsync())
        {
            await using var command = new NpgsqlCommand("""SELECT count(*) FROM "Accounts" """, connection);
            Assert.Equal("42P01", (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync())).SqlState);
        }

        // Opened past EF.
        await using (var db = LedgerContext.For(databases, "Red"))
        {
            var connection = db.Database.GetDbConnection();
            await connection.OpenAsync();
            await using var command = connection.CreateCommand();
            command.CommandText = """SELECT count(*) FROM "Accounts" """;
            Assert.Equal(0L, await command.ExecuteScalarAsync());
        }
    }

    [Fact]
    public async Task Nothing_asks_where_a_named_tenant_is_before_it_is_used_and_nothing_blocks_then()
    {
        await SchemasAsync("Green");
        var databases = Databases(x => x.MultiTenantedSchemas(_home.ConnectionString));
        await using var locked = new NpgsqlConnection(_home.ConnectionString);
        await locked.OpenAsync();
        await using var transaction = await locked.BeginTransactionAsync();
        await using (var command = new NpgsqlCommand("LOCK TABLE tenants.tenant_destinations", locked, transaction))
        {
            await command.ExecuteNonQueryAsync();
        }

        await using var reader = LedgerContext.For(databases, "Green");
        await using var updater = LedgerContext.For(databases, "Green");
        await using var writer = LedgerContext.For(databases, "Green");
        await using var beginner = LedgerContext.For(databases, "Green");
        await using var adder = LedgerContext.For(databases, "Green");
        writer.Add(new Currency { Code = "NOK" });
        var reading = reader.Accounts.CountAsync();
        var updating = updater.Accounts.Where(a => a.Id > 1).ExecuteDeleteAsync();
        var writing = writer.SaveChangesAsync();
        var beginning = beginner.Database.BeginTransactionAsync();
        var adding = adder.AddAsync(new Account { Name = "of a sequence" }).AsTask();

        Task[] all = [reading, updating, writing, beginning, adding];
        Assert.DoesNotContain(all, t => t.IsCompleted);
        await transaction.RollbackAsync();
        await Task.WhenAll(all);
        Assert.Equal(1, await writing);
    }

    [Fact]
    public async Task Deleting_a_tenant_with_a_schema_leaves_the_others()
    {
        var databases = await SchemasAsync("Green", "Red");
        await using var green = LedgerContext.For(databases, "Green");

        await green.Database.EnsureDeletedAsync();

        Assert.Equal(
            ["shared", (await databases.FindAsync("Red")).Schema!, "tenants"],
            await _home.ColumnAsync("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema|public)' ORDER BY nspname COLLATE \"C\""));
        var missing = await Assert.ThrowsAsync<TenantDatabaseException>(() => green.Accounts.ToListAsync());
        Assert.Equal((TenantDatabaseError.SchemaMissing, "Green"), (missing.Error, missing.TenantId));
    }

    [Fact]
    public async Task What_is_wrong_with_a_database_is_told_with_tenant_and_destination_and_others_go_on()
    {
        string With(Action<NpgsqlConnectionStringBuilder> change)
        {
            var settings = new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Timeout = 3 };
            change(settings);
            return settings.ConnectionString;
        }

        var databases = Databases(
            x => x.MultiTenantedDatabases(
                d => d
                    .AddSingleTenantDatabase(With(s => s.Port = 1), "down")
                    .AddSingleTenantDatabase(With(s => s.Database = "nothing"), "missing")
                    .AddSingleTenantDatabase(With(s => (s.Database, s.Password) = ("postgres", "secret-of-green")), "denied")
                    .AddSingleTenantDatabase(_home.ConnectionString, "fine")));
        var password = new NpgsqlConnectionStringBuilder(_home.ConnectionString).Password ?? "secret-of-green";

        foreach (var (tenant, error) in ((string, TenantDatabaseError)[])[
                     ("down", TenantDatabaseError.Unreachable), ("missing", TenantDatabaseError.DatabaseMissing),
                     ("denied", TenantDatabaseError.AccessDenied)])
        {
            await using var db = LedgerContext.For(databases, tenant);
            // What may pass by itself, EF wraps once more to say that retries are not configured.
            var thrown = await Record.ExceptionAsync(() => db.Database.OpenConnectionAsync());
            var exception = Assert.IsType<TenantDatabaseException>(thrown as TenantDatabaseException ?? thrown?.InnerException);
            Assert.Equal((error, tenant), (exception.Error, exception.TenantId));
            Assert.Contains($"'{tenant}'", exception.Message, StringComparison.Ordinal);
            Assert.Contains(exception.Destination.ToString(), exception.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("secret-of-green", exception.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(password, exception.ToString(), StringComparison.Ordinal);
        }

        await using var fine = LedgerContext.For(databases, "fine");
        await fine.Database.OpenConnectionAsync();
        await fine.Database.CloseConnectionAsync();
    }

    public static TheoryData<string> StylesWithRegistry()
        => ["schemas", "single server", "shards", "mixed"];

    [Theory]
    [MemberData(nameof(StylesWithRegistry))]
    public async Task A_registry_that_cannot_be_read_is_told_with_the_tenant_and_read_again_later(string style)
    {
        const string Password = "secret-of-home";
        var down = new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Port = 1, Timeout = 3, Password = Password }.ConnectionString;
        await RefusedAsync(Databases(x => Configure(x, down)), TenantDatabaseError.Unreachable);
        var denied = new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Password = Password }.ConnectionString;
        await RefusedAsync(Databases(x => Configure(x, denied)), TenantDatabaseError.AccessDenied);

        var databases = Databases(x => Configure(x, _home.ConnectionString));
        var tenant = await databases.AddAsync("Green", style == "mixed" ? TenantDestination.InSchema("green") : null);
        await using var later = Databases(x => Configure(x, _home.ConnectionString));
        var other = await DatabaseAsync();
        await RenameAsync(_home.Name, "away_" + _home.Name);
        try
        {
            await RefusedAsync(later, TenantDatabaseError.DatabaseMissing);
        }
        finally
        {
            await RenameAsync("away_" + _home.Name, _home.Name);
        }

        Assert.Equal(tenant, await later.FindAsync("Green"));
        await using (var db = new LedgerContext(LedgerContext.Options(later, t => t.AllEntitiesAreMultiTenanted())))
        {
            db.Tenancy().Use("Green");
            Assert.Contains(style == "single server" ? tenant.Database! : _home.Name, db.Database.GetConnectionString(), StringComparison.Ordinal);
        }

        if (style == "single server")
        {
            await other.ExecuteAsync($"""DROP DATABASE "{tenant.Database}" WITH (FORCE)""");
        }

        void Configure(TenantDatabasesBuilder builder, string home)
            => _ = style switch
            {
                "schemas" => builder.MultiTenantedSchemas(home),
                "single server" => builder.MultiTenantedWithSingleServer(home, s => s.UsePrefix(_home.Name)),
                "shards" => builder.MultiTenantedWithShardedDatabases(home, s =>
                {
                    s.NameDatabase("one", _home.ConnectionString);
                    s.AssignToSmallest();
                }),
                _ => builder.MultiTenantedDatabasesWithMasterDatabaseTable(home, t => t.OthersShareTheHomeDatabase()),
            };

        static async Task RefusedAsync(TenantDatabases databases, TenantDatabaseError error)
        {
            await using var db = new LedgerContext(LedgerContext.Options(databases, t => t.AllEntitiesAreMultiTenanted().UseTenantAccessor(_ => "Green")));
            Func<Task>[] uses =
            [
                () => databases.FindAsync("Green"),
                () => Task.Run(() => LedgerContext.For(databases, "Green").Accounts.Count()),
                () => new LedgerContext(LedgerContext.Options(databases)).Tenancy().UseAsync("Green"),
                () => db.Accounts.ToListAsync(),
                () => Task.Run(() => db.Accounts.ToList()),
            ];
            foreach (var use in uses)
            {
                var thrown = await Record.ExceptionAsync(use);
                var exception = Assert.IsType<TenantDatabaseException>(thrown as TenantDatabaseException ?? thrown?.InnerException);
                Assert.Equal((error, "Green", TenantDestination.Home), (exception.Error, exception.TenantId, exception.Destination));
                Assert.Contains("registry of tenants in the home database", exception.Message, StringComparison.Ordinal);
                Assert.Contains("'Green'", exception.Message, StringComparison.Ordinal);
                Assert.Equal(error == TenantDatabaseError.Unreachable, exception.IsTransient);
                Assert.DoesNotContain(Password, thrown!.ToString(), StringComparison.Ordinal);
            }

            // What asks for no tenant.
            var administration = await Assert.ThrowsAsync<TenantDatabaseException>(() => databases.ListAsync());
            Assert.Equal((error, null), (administration.Error, administration.TenantId));
            Assert.Equal(error, (await Assert.ThrowsAsync<TenantDatabaseException>(() => databases.AddAsync("Blue", TenantDestination.InSchema("b")))).Error);
        }

        async Task RenameAsync(string from, string to)
        {
            using (var pooled = new NpgsqlConnection(_home.ConnectionString))
            {
                NpgsqlConnection.ClearPool(pooled);
            }

            await other.ExecuteAsync($"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{from}'");
            await other.ExecuteAsync($"""ALTER DATABASE "{from}" RENAME TO "{to}" """);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_connection_that_its_server_ended_is_told_with_tenant_and_destination(bool isOpen)
    {
        var own = await DatabaseAsync();
        var databases = Databases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(own.ConnectionString, "Green")));
        await using var db = LedgerContext.For(databases, "Green");
        await db.Database.EnsureCreatedAsync();
        Func<Task>[] commands =
        [
            () => db.Accounts.ToListAsync(),
            () => Task.FromResult(db.Accounts.Count()),
            () => db.Accounts.Where(a => a.Name == "x").ExecuteDeleteAsync(),
            () => db.SaveChangesAsync(),
            () => Task.FromResult(db.SaveChanges()),
            () => db.Tenancy().BulkInsertAsync([new Account { Name = "copied" }]),
        ];
        foreach (var command in commands)
        {
            db.ChangeTracker.Clear();
            await db.Accounts.CountAsync();
            db.Add(new Account { Name = "new" });
            if (isOpen)
            {
                await db.Database.OpenConnectionAsync();
            }

            await _home.ExecuteAsync($"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{own.Name}'");
            var thrown = await Record.ExceptionAsync(command);
            while (thrown is not null and not TenantDatabaseException)
            {
                thrown = thrown.InnerException;
            }

            var exception = Assert.IsType<TenantDatabaseException>(thrown);
            Assert.Equal((TenantDatabaseError.Unreachable, "Green"), (exception.Error, exception.TenantId));
            Assert.True(exception.IsTransient);
            Assert.Contains(exception.Destination.ToString(), exception.Message, StringComparison.Ordinal);
            if (isOpen)
            {
                await db.Database.CloseConnectionAsync();
            }

            await db.Accounts.CountAsync();
        }

        // What a command asks for is not the place's fault.
        Assert.Equal("42P01", (await Assert.ThrowsAsync<PostgresException>(() => db.Database.ExecuteSqlRawAsync("SELECT 1 FROM nothing"))).SqlState);
    }

    [Fact]
    public async Task A_connection_that_its_server_ends_while_rows_are_read_is_told_with_tenant_and_destination()
    {
        var own = await DatabaseAsync();
        var databases = Databases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(own.ConnectionString, "Green")));
        await using var db = LedgerContext.For(databases, "Green");
        await db.Database.EnsureCreatedAsync();

        // More than fits into what the server sends ahead.
        await own.ExecuteAsync("""INSERT INTO "Accounts" ("Id", "Name") SELECT i, repeat('x', 20000) FROM generate_series(1, 3000) AS i""");
        Func<Func<Task>, Task>[] queries =
        [
            async read =>
            {
                await foreach (var _ in db.Accounts.AsNoTracking().AsAsyncEnumerable())
                {
                    await read();
                }
            },
            async read =>
            {
                foreach (var _ in db.Accounts.AsNoTracking())
                {
                    await read();
                }
            },
            async read =>
            {
                await foreach (var _ in db.Accounts.FromSql($"SELECT * FROM \"Accounts\"").AsAsyncEnumerable())
                {
                    await read();
                }
            },
            async read =>
            {
                await foreach (var _ in db.Database.SqlQuery<string>($"SELECT \"Name\" FROM \"Accounts\"").AsAsyncEnumerable())
                {
                    await read();
                }
            },
        ];
        foreach (var (number, query) in queries.Index())
        {
            var rows = 0;
            var thrown = await Record.ExceptionAsync(
                () => query(
                    async () =>
                    {
                        if (++rows == 10)
                        {
                            await _home.ExecuteAsync($"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{own.Name}'");
                        }
                    }));
            Assert.True(thrown is TenantDatabaseException, $"query {number} after {rows} rows: {thrown}");
            var exception = (TenantDatabaseException)thrown;
            Assert.Equal((TenantDatabaseError.Unreachable, "Green"), (exception.Error, exception.TenantId));
            Assert.True(exception.IsTransient);
            Assert.NotNull(exception.InnerException);
            db.ChangeTracker.Clear();
            Assert.Equal(3000, await db.Accounts.CountAsync());
        }

        // A cancellation is one still.
        using var cancelled = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () =>
            {
                await foreach (var _ in db.Accounts.AsAsyncEnumerable().WithCancellation(cancelled.Token))
                {
                    await cancelled.CancelAsync();
                }
            });

        // A row that cannot be read is not the place's fault.
        await db.Database.ExecuteSqlAsync($"UPDATE \"Accounts\" SET \"Name\" = CASE WHEN \"Id\" % 2 = 0 THEN '1' ELSE 'x' END");
        await Assert.ThrowsAsync<PostgresException>(() => db.Database.SqlQuery<int>($"SELECT \"Name\"::int AS \"Value\" FROM \"Accounts\"").ToListAsync());
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(true, true)]
    [InlineData(false, false)]
    [InlineData(false, true)]
    public async Task A_connection_that_ends_while_generated_values_are_read_back_names_the_tenant(bool isAsync, bool inTransaction)
    {
        var own = await DatabaseAsync();
        var databases = Databases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(own.ConnectionString, "Green")));
        await using var db = LedgerContext.For(databases, "Green");
        await db.Database.EnsureCreatedAsync();

        // The results of the rows before it are on their way then.
        await own.ExecuteAsync(
            """
            CREATE FUNCTION public.end_session() RETURNS trigger LANGUAGE plpgsql AS
            $$ BEGIN IF NEW."Amount" = 100 THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF; RETURN NEW; END $$;
            CREATE TRIGGER end_session BEFORE INSERT ON "Postings" FOR EACH ROW EXECUTE FUNCTION public.end_session();
            """);
        var account = new Account { Name = "Green" };
        db.Add(account);
        await db.SaveChangesAsync();
        account.Postings.AddRange(Enumerable.Range(0, 101).Select(i => new Posting { Amount = i }));
        await using (var transaction = inTransaction ? await db.Database.BeginTransactionAsync() : null)
        {
            var thrown = isAsync ? await Record.ExceptionAsync(() => db.SaveChangesAsync()) : Record.Exception(() => db.SaveChanges());

            // As of any error that may pass by itself, EF says once more that no retries are configured.
            Assert.True(thrown is InvalidOperationException { InnerException: TenantDatabaseException }, $"{thrown}");
            var exception = (TenantDatabaseException)thrown.InnerException;
            Assert.Equal((TenantDatabaseError.Unreachable, "Green"), (exception.Error, exception.TenantId));
            Assert.True(exception.IsTransient);
            Assert.Contains("Batch.Consume", exception.InnerException!.StackTrace, StringComparison.Ordinal);
        }

        Assert.Empty(await own.ColumnAsync("""SELECT "Amount" FROM "Postings" """));
        await own.ExecuteAsync("""DROP TRIGGER end_session ON "Postings" """);
        Assert.Equal(101, await db.SaveChangesAsync());
    }

    [Fact]
    public async Task A_retrying_strategy_tries_again_when_the_server_ended_the_connection()
    {
        var own = await DatabaseAsync();
        var databases = Databases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(own.ConnectionString, "Green")));
        await using var db = new LedgerContext(
            new DbContextOptionsBuilder<LedgerContext>(LedgerContext.Options(databases))
                .UseNpgsql("Host=nowhere.invalid", n => n.EnableRetryOnFailure(3, TimeSpan.FromMilliseconds(50), null)).Options);
        db.Tenancy().Use("Green");
        await db.Database.EnsureCreatedAsync();
        Task EndConnectionsAsync()
            => _home.ExecuteAsync($"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{own.Name}'");

        await EndConnectionsAsync();
        Assert.Equal(0, await db.Accounts.CountAsync());

        db.Add(new Account { Name = "new" });
        await EndConnectionsAsync();
        await db.SaveChangesAsync();

        await EndConnectionsAsync();
        Assert.Equal(1, await db.Accounts.Where(a => a.Name == "new").ExecuteUpdateAsync(x => x.SetProperty(a => a.Name, "newer")));
        Assert.Equal("newer", await own.ScalarAsync<string>("""SELECT string_agg("Name", ',') FROM "Accounts" """));
    }

    [Fact]
    public async Task Tenants_in_the_same_tables_need_a_tenant_column()
    {
        var databases = Databases(x => x.MultiTenantedDatabases(d => d.AddMultipleTenantDatabase(_home.ConnectionString, "Green", "Red")));
        await using var db = LedgerContext.For(databases, "Green");

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Accounts.ToListAsync());
        Assert.Contains("AllEntitiesAreMultiTenanted()", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_of_another_place_is_refused()
    {
        var databases = await SchemasAsync("Green", "Red");
        await using var green = LedgerContext.For(databases, "Green");
        await using var sibling = LedgerContext.For(databases, "Green");
        await using var red = LedgerContext.For(databases, "Red");
        await using var transaction = await green.Database.BeginTransactionAsync();
        green.Accounts.Add(new Account { Name = "of Green" });
        await green.SaveChangesAsync();

        Assert.Throws<InvalidOperationException>(() => red.Database.SetDbConnection(green.Database.GetDbConnection()));
        Assert.Throws<InvalidOperationException>(() => red.Database.SetConnectionString(_home.ConnectionString));
        Assert.Throws<InvalidOperationException>(() => green.Tenancy().Use("Red"));
        green.ChangeTracker.Clear();
        green.Tenancy().Use("Red");
        await Assert.ThrowsAsync<InvalidOperationException>(() => green.Accounts.ToListAsync());
        green.Tenancy().Use("Green");

        sibling.Database.SetDbConnection(green.Database.GetDbConnection());
        await sibling.Database.UseTransactionAsync(Microsoft.EntityFrameworkCore.Storage.DbContextTransactionExtensions.GetDbTransaction(transaction));
        Assert.Equal(1, await sibling.Accounts.CountAsync());
    }

    private static TException Refused<TException>(TenantDatabases databases, string tenant)
        where TException : Exception
    {
        using var db = LedgerContext.For(databases, tenant);
        return Assert.Throws<TException>(() => db.Accounts.Count());
    }

    private async Task<TenantDatabases> SchemasAsync(params string[] tenants)
    {
        var databases = Databases(x => x.MultiTenantedSchemas(_home.ConnectionString));
        await _home.ExecuteAsync("""CREATE SCHEMA shared; CREATE TABLE shared."Currencies" ("Code" text PRIMARY KEY); INSERT INTO shared."Currencies" VALUES ('EUR')""");
        foreach (var tenant in tenants)
        {
            await databases.AddAsync(tenant);
            await using var db = LedgerContext.For(databases, tenant);
            await db.Database.EnsureCreatedAsync();
        }

        return databases;
    }

    private static async Task<List<string>> NamesIn(TenantDatabases databases, string tenant)
    {
        await using var db = LedgerContext.For(databases, tenant);
        return await db.Accounts.Select(a => a.Name).ToListAsync();
    }

    private async Task<int> SessionsIn(TestDatabase database)
        => (await _home.ColumnAsync($"SELECT pid FROM pg_stat_activity WHERE datname = '{database.Name}'")).Count;

    private TenantDatabases Databases(Action<TenantDatabasesBuilder> build)
    {
        var databases = TenantDatabases.Create(build);
        return Own(databases);
    }

    private static Task Eventually(Action assert)
        => Eventually(
            () =>
            {
                assert();
                return Task.CompletedTask;
            });

    private static async Task Eventually(Func<Task> assert)
    {
        for (var attempt = 0;; attempt++)
        {
            try
            {
                await assert();
                return;
            }
            catch (Xunit.Sdk.XunitException) when (attempt < 60)
            {
                await Task.Delay(100);
            }
        }
    }
}
