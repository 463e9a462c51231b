using System.Net;
using System.Net.Sockets;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>The administration of conjoined tenants, called for tenants that have a database or a schema: the same calls.</summary>
public sealed class SeparateAdministrationTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _home = null!;

    public async ValueTask InitializeAsync()
        => _home = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _home.DisposeAsync();

    [Fact]
    public async Task A_tenant_with_a_schema_is_added_with_its_tables_listed_emptied_disabled_and_removed()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();

        await tenants.AddAsync(["acme", "Globex"]);
        await tenants.AddAsync(["acme"]);
        await AddRowAsync("acme");
        await AddRowAsync("Globex");
        await _home.ExecuteAsync("ANALYZE");

        var listed = await tenants.ListAsync();
        Assert.Equal(["Globex", "acme"], listed.Select(t => t.TenantId));
        Assert.All(listed, t => Assert.Equal((TenantState.Active, 3), (t.State, t.EstimatedRows)));
        Assert.All(listed, t => Assert.InRange(t.Bytes, 1, 10_000_000));

        // Looking again and again opens no more pools.
        var sources = services.GetRequiredService<TenantDatabases>().Sources.Count;
        await tenants.ListAsync();
        await tenants.AddAsync(["acme"]);
        Assert.Equal(sources, services.GetRequiredService<TenantDatabases>().Sources.Count);

        await tenants.DeleteDataAsync(["acme"]);
        Assert.Equal(0, await CountAsync("acme"));
        Assert.Equal(1, await CountAsync("Globex"));
        Assert.Equal(["m"], await _home.ColumnAsync("""SELECT "Code" FROM shared."Units" """));

        await tenants.DisableAsync(["acme"]);
        await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync("acme"));
        await tenants.EnableAsync(["acme"]);
        Assert.Equal(0, await CountAsync("acme"));

        var globex = (await services.GetRequiredService<TenantDatabases>().FindAsync("Globex")).Schema!;
        Assert.Equal(["", "tenant_acme", globex], await JournalAsync());
        await tenants.RemoveAsync(["acme"]);
        Assert.Equal(["", globex], await JournalAsync());
        await Assert.ThrowsAsync<UnknownTenantException>(() => factory.CreateDbContextAsync("acme"));
        Assert.Equal(
            ["Globex"],
            (await tenants.ListAsync()).Select(t => t.TenantId));
        Assert.Single(await _home.ColumnAsync("SELECT nspname FROM pg_namespace WHERE nspname ~ '^tenant_'"));
        await Assert.ThrowsAsync<UnknownTenantException>(() => tenants.RemoveAsync(["acme"]));

        async Task AddRowAsync(string tenant)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            db.Set<Dictionary<string, object>>("Table0").Add(new Dictionary<string, object> { ["Name"] = tenant, ["UnitCode"] = "m" });
            await db.SaveChangesAsync();
        }

        Task<List<string>> JournalAsync()
            => _home.ColumnAsync("""SELECT schema_name FROM tenants.tenant_migrations ORDER BY schema_name COLLATE "C" """);

        async Task<int> CountAsync(string tenant)
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            return await db.Set<Dictionary<string, object>>("Table0").CountAsync();
        }
    }

    [Fact]
    public async Task A_tenant_with_a_database_of_its_own_is_added_and_removed_with_it()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedWithSingleServer(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();

        await tenants.AddAsync(["acme"]);
        var database = (await services.GetRequiredService<TenantDatabases>().FindAsync("acme")).Database!;
        Assert.Equal([database], await _home.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{database}'"));
        await using (var db = await services.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme"))
        {
            Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        }

        await tenants.RemoveAsync(["acme"]);
        Assert.Empty(await _home.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{database}'"));
        Assert.Empty(await tenants.ListAsync());
        Assert.Empty(await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_databases"));
        Assert.Empty(await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_migrations"));

        // The connections to the old database must not be taken for ones to the new.
        await tenants.AddAsync(["acme"]);
        await using (var db = await services.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme"))
        {
            Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        }

        await tenants.RemoveAsync(["acme"]);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_refused_removal_leaves_tenants_as_they_were(bool isOnlyRefusedWhenDisabled)
    {
        await using var first = await postgres.CreateDatabaseAsync();
        await using var services = DepotContext.Services(
            x => x.MultiTenantedWithShardedDatabases(
                _home.ConnectionString,
                s =>
                {
                    s.NameDatabase("first", first.ConnectionString);
                    s.NameDatabase("second", _home.ConnectionString);
                    s.AssignExplicitly();
                }),
            t => t.AllEntitiesAreMultiTenanted());
        var databases = services.GetRequiredService<TenantDatabases>();
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();
        foreach (var (tenant, shard) in ((string, string)[])[("a", "first"), ("b", "second"), ("c", "second"), ("d", "second")])
        {
            await databases.AddAsync(tenant, TenantDestination.InDatabase(shard));
            await using var db = await factory.CreateDbContextAsync(tenant);
            if (tenant is "a" or "b")
            {
                await db.GetService<IRelationalDatabaseCreator>().CreateTablesAsync();
                await db.GetService<IHistoryRepository>().CreateAsync();
            }

            db.Set<Dictionary<string, object>>("Table0").Add(new Dictionary<string, object> { ["Name"] = tenant });
            await db.SaveChangesAsync();
        }

        await databases.DisableAsync("c");
        const string LateRow = """INSERT INTO public."Later" VALUES ('b')""";
        await _home.ExecuteAsync(
            $"""
            INSERT INTO "__EFMigrationsHistory" VALUES ('20270101000000_Later', '10.0.0');
            CREATE TABLE public."Later" ("TenantId" text);
            {(isOnlyRefusedWhenDisabled ? "" : LateRow)};
            CREATE FUNCTION public.add_late() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {LateRow}; RETURN NULL; END $$;
            CREATE TRIGGER add_late AFTER UPDATE ON tenants.tenant_destinations FOR EACH ROW
                WHEN (NEW.tenant_id = 'b' AND NEW.is_disabled) EXECUTE FUNCTION public.add_late();
            """);
        const string Registered = "SELECT t::text FROM tenants.tenant_destinations t ORDER BY 1";
        var registered = await _home.ColumnAsync(Registered);
        var rows = await RowsAsync();
        Assert.Equal([1, 1, 1, 1], rows.Select(r => r.Count));

        var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => tenants.RemoveAsync(["a", "b", "c"]));

        Assert.Equal((TenantDatabaseError.MigrationsAhead, "b"), (refused.Error, refused.TenantId));
        if (isOnlyRefusedWhenDisabled)
        {
            // It had gone already, and is refused until the removal is repeated.
            rows[0] = [];
            registered = [.. registered.Select(r => r.StartsWith("(a,", StringComparison.Ordinal) ? r.Replace(",f,", ",t,", StringComparison.Ordinal) : r)];
        }

        Assert.Equal(registered, await _home.ColumnAsync(Registered));
        Assert.Equal(rows, await RowsAsync());
        foreach (var tenant in (string[])[.. rows[0] is [] ? [] : (string[])["a"], "b", "d"])
        {
            await using var db = await factory.CreateDbContextAsync(tenant);
            Assert.Equal(tenant, (await db.Set<Dictionary<string, object>>("Table0").SingleAsync())["Name"]);
        }

        await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync("c"));

        await _home.ExecuteAsync("""DROP TRIGGER add_late ON tenants.tenant_destinations; DELETE FROM "Later" """);
        await tenants.RemoveAsync(["a", "b", "c"]);
        Assert.Equal(["d"], (await tenants.ListAsync()).Select(t => t.TenantId));
        Assert.Equal([[], [], [], rows[3]], await RowsAsync());

        async Task<List<string>[]> RowsAsync()
            => [await RowsOfAsync(first, "a"), await RowsOfAsync(_home, "b"), await RowsOfAsync(_home, "c"), await RowsOfAsync(_home, "d")];

        static Task<List<string>> RowsOfAsync(TestDatabase shard, string tenant)
            => shard.ColumnAsync($"""SELECT concat_ws(' ', ctid, xmin, t::text) FROM "Table0" t WHERE "TenantId" = '{tenant}'""");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Who_may_not_drop_the_place_of_a_tenant_leaves_it_in_use(bool isSchema)
    {
        var clerk = $"clerk_{_home.Name}";
        await using var owner = Services(_home.ConnectionString);
        await owner.GetRequiredService<ITenantAdministration<DepotContext>>().AddAsync(["acme"]);
        var place = await owner.GetRequiredService<TenantDatabases>().FindAsync("acme");
        const string Registered = "SELECT t::text FROM tenants.tenant_destinations t";
        var registered = await _home.ColumnAsync(Registered);
        await _home.ExecuteAsync(
            $"""CREATE ROLE "{clerk}"; GRANT USAGE ON SCHEMA tenants TO "{clerk}"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tenants TO "{clerk}" """);
        try
        {
            await using var services = Services(
                new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Options = $"-c role={clerk}" }.ConnectionString);

            var refused = await Assert.ThrowsAnyAsync<NpgsqlException>(() => services.GetRequiredService<ITenantAdministration<DepotContext>>().RemoveAsync(["acme"]));

            Assert.Contains("must be owner of", refused.Message, StringComparison.Ordinal);
            Assert.Equal(registered, await _home.ColumnAsync(Registered));
            await using var db = await owner.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme");
            Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        }
        finally
        {
            await _home.ExecuteAsync($"""DROP OWNED BY "{clerk}"; DROP ROLE "{clerk}" """);
            await owner.GetRequiredService<ITenantAdministration<DepotContext>>().RemoveAsync(["acme"]);
        }

        Assert.Empty(await _home.ColumnAsync($"SELECT nspname FROM pg_namespace WHERE nspname = '{place.Schema}' UNION SELECT datname FROM pg_database WHERE datname = '{place.Database}'"));

        ServiceProvider Services(string connectionString)
            => DepotContext.Services(x => _ = isSchema ? x.MultiTenantedSchemas(connectionString) : x.MultiTenantedWithSingleServer(connectionString));
    }

    [Fact]
    public async Task A_database_that_was_not_made_here_is_not_dropped()
    {
        var given = await postgres.CreateDatabaseAsync();
        await using var services = DepotContext.Services(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddDatabaseAsync("given", given.ConnectionString);
        await databases.AddAsync("acme", TenantDestination.InDatabase("given"));

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => services.GetRequiredService<ITenantAdministration<DepotContext>>().RemoveAsync(["acme"]));

        Assert.Contains("TenantDatabases.RemoveAsync", refused.Message, StringComparison.Ordinal);
        Assert.Equal("given", (await databases.FindAsync("acme")).Database);

        // It is forgotten by the tenant, and still registered for others; what was told of its migrations goes with the last.
        await databases.AddAsync("Globex", TenantDestination.InDatabase("given"));
        await _home.ExecuteAsync("INSERT INTO tenants.tenant_migrations VALUES ('context', 'given', '', NULL, NULL, 1, now()), ('context', '', '', NULL, NULL, 1, now())");
        await databases.RemoveAsync("acme");
        Assert.Equal(["", "given"], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_migrations ORDER BY 1"));
        await databases.RemoveAsync("Globex");
        Assert.Equal([""], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_migrations"));
        Assert.Equal(["given"], await _home.ColumnAsync("SELECT database_name FROM tenants.tenant_databases"));
        await services.DisposeAsync();
        await given.DisposeAsync();
    }

    [Fact]
    public async Task A_tenant_that_is_only_half_added_is_not_let_in_and_is_finished_by_a_repair()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();
        await tenants.AddAsync(["other"]);
        await _home.ExecuteAsync("INSERT INTO tenants.tenant_destinations (tenant_id, schema_name, state) VALUES ('half', 'tenant_half', 'adding'), ('other half', 'other_half', 'adding')");
        await Task.Delay(300);
        Assert.Equal(
            [("half", TenantState.Adding), ("other", TenantState.Active), ("other half", TenantState.Adding)],
            (await tenants.ListAsync()).Select(t => (t.TenantId, t.State)));

        var half = await Assert.ThrowsAsync<UnknownTenantException>(() => factory.CreateDbContextAsync("half"));
        Assert.Contains("is being added in schema 'tenant_half'", half.Message, StringComparison.Ordinal);
        Assert.Contains("RepairAsync()", half.Message, StringComparison.Ordinal);
        Assert.Equal(["new", "other half"], (await tenants.AddAsync(["other half", "other", "new"])).Tenants);
        var repair = Assert.Single(await tenants.RepairAsync());
        Assert.Equal(("half", true), (repair.TenantId, repair.IsMended));

        await using var db = await factory.CreateDbContextAsync("half");
        Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        Assert.Empty(await tenants.RepairAsync());
    }

    [Fact]
    public async Task A_disabled_tenant_is_refused_for_use_and_goes_on_being_administered()
    {
        await using var services = DepotContext.Services(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString));
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var databases = services.GetRequiredService<TenantDatabases>();
        var mover = services.GetRequiredService<ITenantMover<DepotContext>>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();
        foreach (var tenant in (string[])["acme", "late"])
        {
            await databases.AddAsync(tenant, TenantDestination.InSchema(tenant));
        }

        await databases.DisableAsync("late");
        Assert.All(await services.MigrateTenantsAsync<DepotContext>(), r => Assert.Equal(TenantMigrationOutcome.Migrated, r.Outcome));
        Assert.Single(await _home.ColumnAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'late' AND tablename = 'Table9'"));
        await _home.ExecuteAsync("""INSERT INTO acme."Table0" ("Name") VALUES ('kept')""");

        // Half added and then disabled it is finished, and stays disabled.
        await _home.ExecuteAsync("INSERT INTO tenants.tenant_destinations (tenant_id, schema_name, state, is_disabled) VALUES ('half', 'half', 'adding', true)");
        var repair = Assert.Single(await tenants.RepairAsync());
        Assert.Equal(("half", true), (repair.TenantId, repair.IsMended));

        var directory = Directory.CreateTempSubdirectory("eftenancy");
        try
        {
            await databases.DisableAsync("acme");
            Assert.Equal(1, (await mover.ExportAsync("acme", directory.FullName)).Rows);
            await tenants.DeleteDataAsync(["acme"]);
            Assert.Equal(0, await _home.ScalarAsync<long>("""SELECT count(*) FROM acme."Table0" """));
            Assert.Equal(1, (await mover.ImportAsync("acme", directory.FullName)).Rows);
        }
        finally
        {
            directory.Delete(recursive: true);
        }

        await mover.MoveAsync("acme", TenantDestination.InSchema("moved"));
        await tenants.AddAsync(["acme"]);
        Assert.Equal(
            [("acme", TenantState.Disabled, "moved"), ("half", TenantState.Disabled, "half"), ("late", TenantState.Disabled, "late")],
            (await tenants.ListAsync()).Select(t => (t.TenantId, t.State, t.Destination!.Schema!)));
        foreach (var tenant in (string[])["acme", "half", "late"])
        {
            await Assert.ThrowsAsync<TenantDisabledException>(() => factory.CreateDbContextAsync(tenant));
        }

        await Assert.ThrowsAsync<UnknownTenantException>(() => mover.ExportAsync("nobody", Path.Combine(directory.FullName, "nobody")));
        await tenants.EnableAsync(["acme"]);
        await using var db = await factory.CreateDbContextAsync("acme");
        Assert.Single(await db.Set<Dictionary<string, object>>("Table0").ToListAsync());
    }

    [Theory]
    [InlineData("schemas")]
    [InlineData("single server")]
    [InlineData("listed")]
    public async Task A_tenant_whose_place_is_gone_is_reported_by_a_repair_and_gets_no_empty_one(string style)
    {
        var listed = $"listed_{_home.Name}";
        await using var services = DepotContext.Services(
            x => _ = style switch
            {
                "schemas" => x.MultiTenantedSchemas(_home.ConnectionString),
                "single server" => x.MultiTenantedWithSingleServer(_home.ConnectionString, s => s.UsePrefix(_home.Name)),
                _ => x.MultiTenantedDatabases(
                    d => d.AddSingleTenantDatabase(_home.ConnectionString, "other")
                        .AddSingleTenantDatabase(new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Database = listed }.ConnectionString, "acme")),
            });
        var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
        var databases = services.GetRequiredService<TenantDatabases>();
        if (style == "listed")
        {
            await services.MigrateTenantsAsync<DepotContext>();
        }
        else
        {
            await tenants.AddAsync(["acme", "other"]);
        }

        Assert.Empty(await tenants.RepairAsync());
        var place = await databases.FindAsync("acme");
        var drop = style switch
        {
            "schemas" => $"""DROP SCHEMA "{place.Schema}" CASCADE""",
            "listed" => $"""DROP DATABASE "{listed}" WITH (FORCE)""",
            _ => $"""DROP DATABASE "{place.Database}" WITH (FORCE)""",
        };
        await _home.ExecuteAsync(drop);

        for (var i = 0; i < 2; i++)
        {
            var repair = Assert.Single(await tenants.RepairAsync());
            Assert.Equal(("acme", false), (repair.TenantId, repair.IsMended));
            Assert.Contains($"{place}, which is gone", repair.Description, StringComparison.Ordinal);
            Assert.Contains(style == "listed" ? "MigrateTenantsAsync(" : "RemoveAsync([\"acme\"])", repair.Description, StringComparison.Ordinal);
            await using var lost = await services.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme");
            await Assert.ThrowsAsync<TenantDatabaseException>(() => lost.Set<Dictionary<string, object>>("Table9").ToListAsync());
            if (style != "listed")
            {
                var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => tenants.AddAsync(["acme", "other"]));
                Assert.Equal(("acme", place, repair.Description), (refused.TenantId, refused.Destination, refused.Message));
                Assert.Equal(
                    style == "schemas" ? TenantDatabaseError.SchemaMissing : TenantDatabaseError.DatabaseMissing, refused.Error);

                // A database is asked as soon as the journal says that it is behind.
                await _home.ExecuteAsync("UPDATE tenants.tenant_migrations SET migration_id = '20260101000000_First', error = 'cut off' WHERE concat(database_name, schema_name) <> ''");
                var failed = await Assert.ThrowsAsync<TenantMigrationException>(() => services.MigrateTenantsAsync<DepotContext>());
                var failure = Assert.Single(failed.Results, r => r.Outcome == TenantMigrationOutcome.Failed);
                Assert.Equal((refused.Message, "acme"), (failure.Error!.Message, Assert.Single(failure.TenantIds)));
            }
        }

        // What the report names makes it anew.
        if (style == "listed")
        {
            await services.MigrateTenantsAsync<DepotContext>(o => o.Verify = true);
        }
        else
        {
            await tenants.RemoveAsync(["acme"]);
            await tenants.AddAsync(["acme"]);
        }

        Assert.Empty(await tenants.RepairAsync());
        await using (var db = await services.GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync("acme"))
        {
            Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
        }

        await services.DisposeAsync();
        await _home.ExecuteAsync(drop);
        if (style == "single server")
        {
            await _home.ExecuteAsync($"""DROP DATABASE "{await _home.ScalarAsync<string>("SELECT database_name FROM tenants.tenant_destinations WHERE tenant_id = 'other'")}" WITH (FORCE)""");
        }
    }

    [Theory]
    [InlineData("repair", 100, 8)]
    [InlineData("repair", 2, 2)]
    [InlineData("migrations", 100, 8)]
    [InlineData("migrations", 2, 2)]
    [InlineData("sizes", 100, 8)]
    [InlineData("sizes", 2, 2)]
    public async Task Some_databases_are_asked_at_once_and_never_more_than_connections_may_be_there(string asked, int ceiling, int atMost)
    {
        var (open, most) = (0, 0);
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var listening = ListenAsync();
        var settings = new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = ((IPEndPoint)silent.LocalEndpoint).Port, Username = "nobody", SslMode = SslMode.Disable, Timeout = 1,
        };
        string[] ids = [.. Enumerable.Range(10, 12).Select(i => $"t{i}")];
        await using (var services = DepotContext.Services(
                         x => x.MaxConnections(ceiling, wait: TimeSpan.FromMilliseconds(100)).MultiTenantedDatabases(
                             d =>
                             {
                                 foreach (var id in ids)
                                 {
                                     settings.Database = id;
                                     d.AddSingleTenantDatabase(settings.ConnectionString, id);
                                 }
                             })))
        {
            var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
            List<(string TenantId, string Told)> told = asked switch
            {
                "repair" => [.. (await tenants.RepairAsync()).Select(r => (r.TenantId!, r.Description))],
                "migrations" => [
                    .. (await services.GetRequiredService<ITenantMigrator<DepotContext>>().ListAsync())
                        .Select(r => (Assert.Single(r.TenantIds), r.Error!.Message)),
                ],
                _ => [await Assert.ThrowsAsync<TenantDatabaseException>(() => tenants.ListAsync()) is var e ? (e.TenantId!, e.Message) : default],
            };

            Assert.Equal(asked == "sizes" ? [told[0].TenantId] : ids, told.Select(t => t.TenantId));
            Assert.All(told, t => Assert.Contains($"Tenant '{t.TenantId}' cannot be reached", t.Told, StringComparison.Ordinal));
            Assert.All(told, t => Assert.Contains("its server does not answer", t.Told, StringComparison.Ordinal));
            Assert.InRange(most, 2, atMost);
        }

        silent.Stop();
        await listening;

        // Takes connections, says nothing for a while, and closes them.
        async Task ListenAsync()
        {
            var closing = new List<Task>();
            try
            {
                while (true)
                {
                    closing.Add(CloseAsync(await silent.AcceptTcpClientAsync()));
                }
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                await Task.WhenAll(closing);
            }
        }

        async Task CloseAsync(TcpClient client)
        {
            using var _ = client;
            lock (silent)
            {
                most = Math.Max(most, ++open);
            }

            await Task.Delay(200);
            lock (silent)
            {
                open--;
            }
        }
    }

    [Fact]
    public async Task Few_connections_are_enough_for_many_databases()
    {
        var others = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => postgres.CreateDatabaseAsync()));
        await using (var services = DepotContext.Services(
                         x => x.MaxConnections(2, wait: TimeSpan.FromSeconds(5)).MultiTenantedDatabases(
                             d =>
                             {
                                 foreach (var (i, database) in others.Index())
                                 {
                                     d.AddSingleTenantDatabase(database.ConnectionString, $"t{i}");
                                 }
                             })))
        {
            await services.MigrateTenantsAsync<DepotContext>(o => o.MaxParallelism = 1);
            var migrations = await services.GetRequiredService<ITenantMigrator<DepotContext>>().ListAsync();
            Assert.Equal(Enumerable.Repeat(TenantMigrationOutcome.UpToDate, 5), migrations.Select(m => m.Outcome));

            await others[3].ExecuteAsync("""INSERT INTO "Table0" ("Name") VALUES ('a'), ('b'); ANALYZE "Table0" """);
            var tenants = services.GetRequiredService<ITenantAdministration<DepotContext>>();
            Assert.Empty(await tenants.RepairAsync());
            Assert.Equal([0, 0, 0, 2, 0], (await tenants.ListAsync()).Select(t => t.EstimatedRows));
            Assert.All(await tenants.ListAsync(), t => Assert.InRange(t.Bytes, 1, 10_000_000));
        }

        foreach (var database in others)
        {
            await database.DisposeAsync();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_registry_of_an_earlier_version_gets_what_it_lacks(bool readFirst)
    {
        await CreateOlderRegistryAsync();
        var processes = Enumerable.Range(0, 4).Select(_ => DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString))).ToList();
        var databases = processes.Select(p => p.GetRequiredService<TenantDatabases>()).ToList();

        if (readFirst)
        {
            var found = await Task.WhenAll(databases.Select(d => Task.Run(() => d.FindAsync("old"))));
            Assert.All(found, d => Assert.Equal("old", d.Schema));
        }

        await Task.WhenAll(databases.Select((d, i) => Task.Run(() => d.AddAsync($"new {i}"))));
        Assert.Equal(["new 0", "new 1", "new 2", "new 3", "old"], (await databases[0].ListAsync()).Select(t => t.TenantId));

        // As a registry of this version.
        await _home.ExecuteAsync("UPDATE tenants.tenant_destinations SET state = 'emptying' WHERE tenant_id = 'old'");
        Assert.True((await DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString)).GetRequiredService<TenantDatabases>().ListAsync())[^1].IsBeingMoved);
        await _home.ExecuteAsync("UPDATE tenants.tenant_destinations SET state = 'active'");
        await processes[0].GetRequiredService<ITenantAdministration<DepotContext>>().AddAsync(["old"]);
        Assert.Single(await _home.ColumnAsync("SELECT conname FROM pg_constraint WHERE conrelid = 'tenants.tenant_destinations'::regclass AND contype = 'c' AND conname ~ 'state'"));
        foreach (var process in processes)
        {
            await process.DisposeAsync();
        }
    }

    [Fact]
    public async Task Who_may_not_change_a_registry_of_an_earlier_version_is_told_who_may()
    {
        await CreateOlderRegistryAsync();
        var reader = $"reader_{_home.Name}";
        await _home.ExecuteAsync(
            $"""CREATE ROLE "{reader}"; GRANT USAGE ON SCHEMA tenants TO "{reader}"; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA tenants TO "{reader}" """);
        try
        {
            await using var databases = TenantDatabases.Create(
                x => x.MultiTenantedSchemas(new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Options = $"-c role={reader}" }.ConnectionString));

            var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => databases.FindAsync("old"));
            Assert.Contains("earlier version", refused.Message, StringComparison.Ordinal);
            Assert.Contains("must be owner of table", refused.Message, StringComparison.Ordinal);
            Assert.Equal(refused.Message, (await Assert.ThrowsAsync<InvalidOperationException>(() => databases.AddAsync("new"))).Message);

            await using var owner = TenantDatabases.Create(x => x.MultiTenantedSchemas(_home.ConnectionString));
            await owner.ListAsync();
            Assert.Equal("old", (await databases.FindAsync("old")).Schema);
        }
        finally
        {
            await _home.ExecuteAsync($"""DROP OWNED BY "{reader}"; DROP ROLE "{reader}" """);
        }
    }

    [Fact]
    public async Task Who_may_not_read_the_registry_is_told_what_to_grant()
    {
        var stranger = $"stranger_{_home.Name}";
        await using var owner = TenantDatabases.Create(x => x.MultiTenantedSchemas(_home.ConnectionString));
        await owner.AddAsync("acme");
        await _home.ExecuteAsync($"""CREATE ROLE "{stranger}" """);
        try
        {
            await using var databases = TenantDatabases.Create(
                x => x.MultiTenantedSchemas(new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Options = $"-c role={stranger}" }.ConnectionString));

            var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => databases.FindAsync("acme"));
            Assert.Equal((TenantDatabaseError.AccessDenied, "acme", TenantDestination.Home), (refused.Error, refused.TenantId, refused.Destination));
            Assert.Contains("USAGE on the registry's schema", refused.Message, StringComparison.Ordinal);
            Func<Task>[] others =
            [
                () => databases.ListAsync(), () => databases.AddAsync("globex"), () => databases.DisableAsync("acme"),
                () => databases.RemoveAsync("acme"), () => databases.AddDatabaseAsync("other"),
            ];
            foreach (var other in others)
            {
                Assert.Equal(TenantDatabaseError.AccessDenied, (await Assert.ThrowsAsync<TenantDatabaseException>(other)).Error);
            }
        }
        finally
        {
            await _home.ExecuteAsync($"""DROP OWNED BY "{stranger}"; DROP ROLE "{stranger}" """);
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("CREATE SCHEMA tenants; GRANT USAGE ON SCHEMA tenants TO {0}")]
    public async Task Who_may_not_create_the_registry_is_told_what_to_grant(string before)
    {
        var stranger = $"stranger_{_home.Name}";
        await _home.ExecuteAsync($"""CREATE ROLE "{stranger}"; {before.Replace("{0}", $"\"{stranger}\"", StringComparison.Ordinal)}""");
        try
        {
            await using var services = DepotContext.Services(
                x => x.MultiTenantedSchemas(new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Options = $"-c role={stranger}" }.ConnectionString));
            var databases = services.GetRequiredService<TenantDatabases>();
            Func<Task>[] calls =
            [
                () => databases.AddAsync("acme"), () => databases.AddDatabaseAsync("other"),
                () => services.GetRequiredService<ITenantAdministration<DepotContext>>().AddAsync(["acme"]),
            ];
            foreach (var call in calls)
            {
                var refused = await Assert.ThrowsAsync<TenantDatabaseException>(call);
                Assert.Equal((TenantDatabaseError.AccessDenied, TenantDestination.Home), (refused.Error, refused.Destination));
                Assert.Contains("schema 'tenants'", refused.Message, StringComparison.Ordinal);
                Assert.Contains("CREATE on the database", refused.Message, StringComparison.Ordinal);
                Assert.Contains("permission denied for", refused.Message, StringComparison.Ordinal);
            }

            Assert.Empty(await _home.ColumnAsync("SELECT oid FROM pg_class WHERE relname LIKE 'tenant!_%' ESCAPE '!'"));
            await _home.ExecuteAsync($"""GRANT CREATE ON DATABASE "{_home.Name}" TO "{stranger}"; {(before == "" ? "" : $"GRANT CREATE ON SCHEMA tenants TO \"{stranger}\"")}""");
            Assert.Equal("tenant_acme", (await databases.AddAsync("acme")).Schema);
        }
        finally
        {
            await _home.ExecuteAsync($"""DROP OWNED BY "{stranger}"; DROP ROLE "{stranger}" """);
        }
    }

    // As versions before the moving of tenants made it.
    private Task CreateOlderRegistryAsync()
        => _home.ExecuteAsync(
            """
            CREATE SCHEMA tenants;
            CREATE TABLE tenants.tenant_databases (
                database_name text PRIMARY KEY CHECK (database_name <> ''),
                connection_string text,
                is_full boolean NOT NULL DEFAULT false
            );
            CREATE TABLE tenants.tenant_destinations (
                tenant_id text COLLATE "C" PRIMARY KEY CHECK (tenant_id <> ''),
                database_name text REFERENCES tenants.tenant_databases,
                schema_name text CHECK (schema_name <> ''),
                is_disabled boolean NOT NULL DEFAULT false,
                state text NOT NULL DEFAULT 'active' CHECK (state IN ('adding', 'active', 'moving')),
                assigned_at timestamptz NOT NULL DEFAULT now()
            );
            INSERT INTO tenants.tenant_destinations (tenant_id, schema_name) VALUES ('old', 'old');
            CREATE SCHEMA old;
            """);

    [Fact]
    public async Task The_tables_of_a_schema_have_no_partitions_and_those_of_a_database_do()
    {
        await using var services = new ServiceCollection()
            .AddTenantDatabases(x => x.MultiTenantedSchemas(_home.ConnectionString))
            .AddDbContextFactory<WarehouseContext>(
                (s, options) => options.UseNpgsql()
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .UseTenancy(
                        t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry)
                            .UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<WarehouseContext>()
            .BuildServiceProvider();
        await services.GetRequiredService<ITenantAdministration<WarehouseContext>>().AddAsync(["acme"]);

        await using var db = await services.GetRequiredService<IDbContextFactory<WarehouseContext>>().CreateDbContextAsync("acme");
        db.AddRows(1);
        await db.SaveChangesAsync();

        Assert.Equal(
            ["acme r"],
            await _home.ColumnAsync("""SELECT o."TenantId" || ' ' || c.relkind::text FROM tenant_acme."Orders" o JOIN pg_class c ON c.oid = o.tableoid"""));
        Assert.Equal(0, await _home.ScalarAsync<long>("SELECT count(*) FROM pg_inherits"));
        Assert.Throws<InvalidOperationException>(() => db.Tenancy().Administration);
    }
}
