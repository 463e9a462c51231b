using System.Data.Common;
using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.CommandLine;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Spectre.Console;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>One call migrates all databases and schemas, and names those that fail.</summary>
public sealed class TenantMigratorTest(PostgresFixture postgres, ITestOutputHelper output) : DatabasesTest(postgres)
{
    private const string Last = "20260202000000_Notes";

    private TestDatabase _home = null!;

    public override async ValueTask InitializeAsync()
        => _home = await DatabaseAsync();

    [Fact]
    public async Task Scenario_48_every_database_is_migrated_and_each_failure_is_reported_by_its_tenant()
    {
        var databases = new List<TestDatabase>();
        for (var i = 0; i < 4; i++)
        {
            databases.Add(await DatabaseAsync());
        }

        await databases[1].ExecuteAsync("""CREATE TABLE "Table3" (x int)""");
        var nowhere = new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Port = 1 }.ConnectionString;
        var services = Services(
            x => x.MultiTenantedDatabases(
                d =>
                {
                    for (var i = 0; i < 4; i++)
                    {
                        d.AddSingleTenantDatabase(databases[i].ConnectionString, $"t{i}");
                    }

                    d.AddSingleTenantDatabase(nowhere, "down");
                }));

        var failed = await Assert.ThrowsAsync<TenantMigrationException>(() => services.MigrateTenantsAsync<DepotContext>());

        Assert.Equal(["down", "t1"], failed.Results.Where(r => r.Outcome == TenantMigrationOutcome.Failed).SelectMany(r => r.TenantIds).Order());
        Assert.Contains("(t1): 42P07", failed.Message, StringComparison.Ordinal);
        Assert.Contains("(down): Tenant 'down' cannot be reached", failed.Message, StringComparison.Ordinal);
        foreach (var fine in (int[])[0, 2, 3])
        {
            Assert.Equal(["20260101000000_First", Last], await HistoryOf(databases[fine], "public"));
            Assert.Equal(11, await databases[fine].ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE tablename ~ '^(Table.|Units)$'"));
        }

        await databases[1].ExecuteAsync("""DROP TABLE "Table3" """);
        var again = await Assert.ThrowsAsync<TenantMigrationException>(() => services.MigrateTenantsAsync<DepotContext>());
        Assert.Equal(["down"], Assert.Single(again.Results, r => r.Outcome == TenantMigrationOutcome.Failed).TenantIds);
        Assert.Equal(["t1"], Assert.Single(again.Results, r => r.Outcome == TenantMigrationOutcome.Migrated).TenantIds);
    }

    [Fact]
    public async Task Schemas_are_migrated_side_by_side_after_what_they_share_and_a_second_call_does_nothing()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        var schemas = new List<string>();
        for (var i = 0; i < Scale.Schemas; i++)
        {
            schemas.Add((await databases.AddAsync($"t{i}")).Schema!);
        }

        var watch = Stopwatch.StartNew();
        var results = await services.MigrateTenantsAsync<DepotContext>();
        output.WriteLine($"{schemas.Count} schemas from empty: {watch.Elapsed.TotalSeconds:N1} s");

        Assert.Empty(results[0].TenantIds);
        Assert.All(results, r => Assert.Equal((TenantMigrationOutcome.Migrated, null, Last), (r.Outcome, r.Before, r.After)));
        Assert.Equal(schemas.Order(StringComparer.Ordinal), results.Skip(1).Select(r => r.Destination.Schema).Order(StringComparer.Ordinal));
        Assert.Equal(
            DepotContext.Tables * schemas.Count,
            await _home.ScalarAsync<int>("SELECT count(*) FROM pg_tables WHERE tablename ~ '^Table' AND schemaname ~ '^tenant_'"));
        Assert.Equal(["shared"], await _home.ColumnAsync("SELECT schemaname FROM pg_tables WHERE tablename = 'Units'"));
        Assert.Equal(["m"], await _home.ColumnAsync("""SELECT "Code" FROM shared."Units" """));
        Assert.Empty(await _home.ColumnAsync("SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename ~ '^Table'"));

        watch.Restart();
        Assert.All(await services.MigrateTenantsAsync<DepotContext>(), r => Assert.Equal(TenantMigrationOutcome.UpToDate, r.Outcome));
        output.WriteLine($"once more: {watch.Elapsed.TotalMilliseconds:N0} ms");

        // What is added later has everything that the others have.
        await databases.AddAsync("late");
        var late = Assert.Single(
            await services.GetRequiredService<ITenantMigrator<DepotContext>>().ListAsync(), r => r.Outcome == TenantMigrationOutcome.Behind);
        Assert.Equal(["late"], late.TenantIds);
        await services.MigrateTenantsAsync<DepotContext>();
        Assert.Equal(["20260101000000_First", Last], await HistoryOf(_home, late.Destination.Schema!));
    }

    [Fact]
    public async Task A_run_that_was_killed_is_finished_by_the_next_one()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        for (var i = 0; i < Scale.Schemas; i++)
        {
            await databases.AddAsync($"t{i}");
        }

        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "EfTenancy.TenantProcess.dll"));
        start.ArgumentList.Add(_home.ConnectionString);
        start.ArgumentList.Add("migrate");
        using (var process = Process.Start(start)!)
        {
            Assert.Equal("ready", await process.StandardOutput.ReadLineAsync());
            while (await Histories() < Scale.Schemas / 3 && !process.HasExited)
            {
                await Task.Delay(5);
            }

            process.Kill();
            await process.WaitForExitAsync();
        }

        var before = await Histories();
        output.WriteLine($"killed with {before} of {Scale.Schemas} schemas begun");
        Assert.InRange(before, 1, Scale.Schemas);

        await services.MigrateTenantsAsync<DepotContext>();
        Assert.Equal(
            DepotContext.Tables * Scale.Schemas,
            await _home.ScalarAsync<int>("""
                SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
                WHERE a.attname = 'Note' AND c.relname ~ '^Table' AND c.relkind = 'r'
                """));
        Assert.All(
            await services.GetRequiredService<ITenantMigrator<DepotContext>>().ListAsync(),
            r => Assert.Equal(TenantMigrationOutcome.UpToDate, r.Outcome));

        Task<long> Histories()
            => _home.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE tablename = '__EFMigrationsHistory' AND schemaname ~ '^tenant_'");
    }

    [Fact]
    public async Task Two_processes_at_once_do_the_work_once()
    {
        var services = (Services(x => x.MultiTenantedSchemas(_home.ConnectionString)), Services(x => x.MultiTenantedSchemas(_home.ConnectionString)));
        for (var i = 0; i < 6; i++)
        {
            await services.Item1.GetRequiredService<TenantDatabases>().AddAsync($"t{i}");
        }

        await Task.WhenAll(
            Task.Run(() => services.Item1.MigrateTenantsAsync<DepotContext>()), Task.Run(() => services.Item2.MigrateTenantsAsync<DepotContext>()));

        Assert.Equal(60, await _home.ScalarAsync<int>("SELECT count(*) FROM pg_tables WHERE tablename ~ '^Table' AND schemaname ~ '^tenant_'"));
    }

    [Theory]
    [InlineData("listed")]
    [InlineData("registered")]
    [InlineData("schemas")]
    public async Task Four_processes_at_once_make_what_is_missing_once(string style)
    {
        for (var round = 0; round < 2; round++)
        {
            var names = Enumerable.Range(0, 2).Select(i => $"{style}_{round}_{i}_{_home.Name}").ToList();
            try
            {
                await MigrateAtOnceAsync(style, names);
            }
            finally
            {
                foreach (var name in names)
                {
                    await _home.ExecuteAsync($"""DROP DATABASE IF EXISTS "{name}" WITH (FORCE)""");
                }
            }
        }
    }

    [Fact]
    public async Task A_database_that_somebody_else_makes_at_the_last_moment_is_taken()
    {
        var name = $"made_{_home.Name}";
        await using var services = new ServiceCollection()
            .AddTenantDatabases(x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(ConnectionStringOf(name), "acme")))
            .AddDbContextFactory<DepotContext>(
                (provider, options) => options.UseNpgsql()
                    .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                    .AddInterceptors(new FasterDatabaseCreator(_home, name))
                    .UseTenancy(t => t.UseTenantDatabases(provider.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<DepotContext>()
            .BuildServiceProvider();
        try
        {
            Assert.Equal(TenantMigrationOutcome.Migrated, Assert.Single(await services.MigrateTenantsAsync<DepotContext>()).Outcome);
            Assert.Equal(TenantMigrationOutcome.UpToDate, Assert.Single(await services.MigrateTenantsAsync<DepotContext>()).Outcome);
        }
        finally
        {
            await _home.ExecuteAsync($"""DROP DATABASE IF EXISTS "{name}" WITH (FORCE)""");
        }
    }

    [Fact]
    public async Task A_schema_that_somebody_else_makes_at_the_last_moment_is_taken()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddAsync("acme");
        await _home.ExecuteAsync("DROP SCHEMA tenant_acme");

        // Neither sees the other's until it is committed.
        await using var other = new NpgsqlConnection(_home.ConnectionString);
        await other.OpenAsync(TestContext.Current.CancellationToken);
        await using var transaction = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using (var command = new NpgsqlCommand("CREATE SCHEMA tenant_acme", other, transaction))
        {
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var migrating = services.MigrateTenantsAsync<DepotContext>();
        while (await _home.ScalarAsync<long>("SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'") == 0)
        {
            await Task.Delay(10, TestContext.Current.CancellationToken);
        }

        await transaction.CommitAsync(TestContext.Current.CancellationToken);
        Assert.All(await migrating, r => Assert.Equal(TenantMigrationOutcome.Migrated, r.Outcome));
        Assert.Equal(["20260101000000_First", Last], await HistoryOf(_home, "tenant_acme"));
    }

    private async Task MigrateAtOnceAsync(string style, List<string> names)
    {
        var processes = Enumerable.Range(0, 4).Select(
            _ => DepotContext.Services(
                x => x = style == "listed"
                    ? x.MultiTenantedDatabases(d => names.ForEach(n => d.AddSingleTenantDatabase(ConnectionStringOf(n), n)))
                    : x.MultiTenantedDatabasesWithMasterDatabaseTable(_home.ConnectionString))).ToList();
        if (style != "listed")
        {
            var databases = processes[0].GetRequiredService<TenantDatabases>();
            foreach (var name in names)
            {
                if (style == "registered")
                {
                    await databases.AddDatabaseAsync(name);
                }

                await databases.AddAsync(name, style == "schemas" ? TenantDestination.InSchema(name) : TenantDestination.InDatabase(name));
                await _home.ExecuteAsync($"""DROP SCHEMA IF EXISTS "{name}" """);
            }
        }

        try
        {
            await Task.WhenAll(processes.Select(p => Task.Run(() => p.MigrateTenantsAsync<DepotContext>())));
            foreach (var name in names)
            {
                await using var db = await processes[0].GetRequiredService<IDbContextFactory<DepotContext>>().CreateDbContextAsync(name);
                Assert.Equal(["20260101000000_First", Last], await db.Database.GetAppliedMigrationsAsync());
                Assert.Empty(await db.Set<Dictionary<string, object>>("Table9").ToListAsync());
            }
        }
        finally
        {
            foreach (var process in processes)
            {
                await process.DisposeAsync();
            }
        }
    }

    private string ConnectionStringOf(string database)
        => new NpgsqlConnectionStringBuilder(_home.ConnectionString) { Database = database }.ConnectionString;

    [Fact]
    public async Task Canaries_come_first_and_keep_the_others_from_what_fails_for_them()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        for (var i = 0; i < 5; i++)
        {
            await databases.AddAsync($"t{i}");
        }

        await _home.ExecuteAsync($"""CREATE TABLE "{(await databases.FindAsync("t3")).Schema}"."Table5" (x int)""");
        var failed = await Assert.ThrowsAsync<TenantMigrationException>(
            () => services.MigrateTenantsAsync<DepotContext>(o => o.CanaryTenants.Add("t3")));

        Assert.Equal(4, failed.Results.Count(r => r.Outcome == TenantMigrationOutcome.Behind));
        Assert.Equal(0, await _home.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE tablename = 'Table0'"));

        await _home.ExecuteAsync($"""DROP TABLE "{(await databases.FindAsync("t3")).Schema}"."Table5" """);
        Assert.Equal(5, (await services.MigrateTenantsAsync<DepotContext>(o => o.Canaries = 2)).Count(r => r.Outcome == TenantMigrationOutcome.Migrated));
    }

    [Fact]
    public async Task A_database_of_a_newer_application_is_left_and_named()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddAsync("newer");
        await databases.AddAsync("other");
        await services.MigrateTenantsAsync<DepotContext>();
        var schema = (await databases.FindAsync("newer")).Schema;
        await _home.ExecuteAsync($"""INSERT INTO "{schema}"."__EFMigrationsHistory" VALUES ('20270101000000_Later', '11.0.0')""");

        var failed = await Assert.ThrowsAsync<TenantMigrationException>(() => services.MigrateTenantsAsync<DepotContext>());

        var newer = Assert.Single(failed.Results, r => r.Outcome == TenantMigrationOutcome.Failed);
        var error = Assert.IsType<TenantDatabaseException>(newer.Error);
        Assert.Equal((TenantDatabaseError.MigrationsAhead, "newer"), (error.Error, error.TenantId));
        Assert.Contains("20270101000000_Later", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenant_whose_database_is_behind_or_ahead_is_not_opened_if_asked()
    {
        var services = DepotContext.Services(x => x.MultiTenantedSchemas(_home.ConnectionString), t => t.RefusePendingMigrations());
        Own(services);
        var databases = services.GetRequiredService<TenantDatabases>();
        var factory = services.GetRequiredService<IDbContextFactory<DepotContext>>();
        await databases.AddAsync("behind");
        await databases.AddAsync("fine");

        await using (var db = await factory.CreateDbContextAsync("behind"))
        {
            var behind = await Assert.ThrowsAsync<TenantDatabaseException>(() => db.Database.OpenConnectionAsync());
            Assert.Equal((TenantDatabaseError.MigrationsBehind, "behind"), (behind.Error, behind.TenantId));
            Assert.Contains("20260101000000_First", behind.Message, StringComparison.Ordinal);
            Assert.Equal(
                TenantDatabaseError.MigrationsBehind, Assert.Throws<TenantDatabaseException>(() => db.Database.OpenConnection()).Error);
        }

        await services.MigrateTenantsAsync<DepotContext>();
        await using (var db = await factory.CreateDbContextAsync("behind"))
        {
            await db.Database.OpenConnectionAsync();
        }

        await _home.ExecuteAsync(
            $"""INSERT INTO "{(await databases.FindAsync("fine")).Schema}"."__EFMigrationsHistory" VALUES ('20270101000000_Later', '11.0.0')""");
        await using var ahead = await factory.CreateDbContextAsync("fine");
        Assert.Equal(
            TenantDatabaseError.MigrationsAhead,
            (await Assert.ThrowsAsync<TenantDatabaseException>(() => ahead.Database.OpenConnectionAsync())).Error);
    }

    [Fact]
    public async Task Schemas_that_cannot_be_asked_in_time_are_named()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString).MaxConnections(1, TimeSpan.FromSeconds(3)));
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddAsync("acme");
        await databases.AddAsync("Globex");
        using var rental = databases.Sources.RentPlain(databases.Registered.Registry.Home);
        var first = await rental.EnterAsync(CancellationToken.None);

        // The registry is read between one who has the only connection and the next in line, who keeps it until the schemas are given up.
        var listing = services.GetRequiredService<ITenantMigrator<DepotContext>>().ListAsync();
        await WaitingAsync(1);
        var second = rental.EnterAsync(CancellationToken.None).AsTask();
        await WaitingAsync(2);
        first.Leave();
        var kept = await second;
        await Task.Delay(TimeSpan.FromSeconds(4.5));
        kept.Leave();

        var results = (await listing).Where(r => r.TenantIds.Count > 0).ToList();
        Assert.Equal(["Globex", "acme"], results.Select(r => r.TenantIds.Single()).Order(StringComparer.Ordinal));
        Assert.All(
            results,
            r =>
            {
                var error = Assert.IsType<TenantDatabaseException>(r.Error);
                Assert.Equal((TenantMigrationOutcome.Failed, TenantDatabaseError.TooManyConnections, r.TenantIds.Single()), (r.Outcome, error.Error, error.TenantId));
                Assert.Contains("MaxConnections(1)", error.Message, StringComparison.Ordinal);
            });

        async Task WaitingAsync(int count)
        {
            while (databases.Sources.Budget.Usage.Waiting < count)
            {
                await Task.Delay(10, TestContext.Current.CancellationToken);
            }
        }
    }

    [Fact]
    public async Task The_command_migrates_lists_and_names_who_failed()
    {
        var services = Services(x => x.MultiTenantedSchemas(_home.ConnectionString));
        var databases = services.GetRequiredService<TenantDatabases>();
        foreach (var tenant in (string[])["acme", "Globex", "broken"])
        {
            await databases.AddAsync(tenant);
        }

        await _home.ExecuteAsync($"""CREATE TABLE "{(await databases.FindAsync("broken")).Schema}"."Table5" (x int)""");
        var (exitCode, text) = await RunAsync("migrate", "--parallel", "2");
        Assert.Equal(1, exitCode);
        Assert.Contains("Migrated acme: - -> " + Last, text, StringComparison.Ordinal);
        Assert.Contains("Failed broken", text, StringComparison.Ordinal);
        Assert.Contains("already exists", text, StringComparison.Ordinal);

        (exitCode, text) = await RunAsync("migrate", "--list");
        Assert.Equal(0, exitCode);
        Assert.Contains("Behind", Assert.Single(text.Split('\n'), l => l.Contains("broken", StringComparison.Ordinal)), StringComparison.Ordinal);

        await _home.ExecuteAsync($"""DROP TABLE "{(await databases.FindAsync("broken")).Schema}"."Table5" """);
        Assert.Equal((0, true), await RunAsync("migrate").ContinueWith(
            t => (t.Result.ExitCode, t.Result.Text.Contains("1 migrated, 3 were up to date.", StringComparison.Ordinal))));

        async Task<(int ExitCode, string Text)> RunAsync(params string[] arguments)
        {
            var written = new StringWriter();
            var console = AnsiConsole.Create(
                new AnsiConsoleSettings { Ansi = AnsiSupport.No, ColorSystem = ColorSystemSupport.NoColors, Out = new AnsiConsoleOutput(written) });
            console.Profile.Width = 400;
            var code = await TenantCommands.Create<DepotContext>(services, console).Parse(arguments).InvokeAsync();
            return (code, written.ToString());
        }
    }

    private static Task<List<string>> HistoryOf(TestDatabase database, string schema)
        => database.ColumnAsync($"""SELECT "MigrationId" FROM "{schema}"."__EFMigrationsHistory" ORDER BY 1""");

    private ServiceProvider Services(Action<TenantDatabasesBuilder> databases)
    {
        var services = DepotContext.Services(databases);
        return Own(services);
    }

    // As another process would, between the look and the making.
    private sealed class FasterDatabaseCreator(TestDatabase home, string name) : DbCommandInterceptor
    {
        public override async ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
            DbCommand command,
            CommandEventData eventData,
            InterceptionResult<int> result,
            CancellationToken cancellationToken = default)
        {
            if (command.CommandText.StartsWith("CREATE DATABASE", StringComparison.Ordinal))
            {
                await home.ExecuteAsync($"""CREATE DATABASE "{name}" """);
            }

            return result;
        }
    }
}
