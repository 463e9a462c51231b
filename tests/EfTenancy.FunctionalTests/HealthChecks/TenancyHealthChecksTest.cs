using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.HealthChecks;

public sealed class TenancyHealthChecksTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    [Fact]
    public async Task Each_database_is_asked_once_however_many_tenants_it_has()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var run = Checks(x => x.MultiTenantedDatabases(
            d => d.AddMultipleTenantDatabase(one.ConnectionString, "a", "b", "c").AddSingleTenantDatabase(two.ConnectionString, "d")));

        var result = await run();

        Assert.Equal(HealthStatus.Healthy, result.Status);
        Assert.Equal((2, 2), (result.Data["databases"], result.Data["asked"]));
        Assert.Equal("2 of 2 databases of tenants answered.", result.Description);
    }

    [Fact]
    public async Task What_failed_is_named_without_its_password_and_makes_it_degraded_or_unhealthy()
    {
        var (one, two, three) = (await DatabaseAsync(), await DatabaseAsync(), await DatabaseAsync());
        var down = new NpgsqlConnectionStringBuilder(one.ConnectionString) { Port = 1, Password = "secret-of-down" }.ConnectionString;
        var missing = new NpgsqlConnectionStringBuilder(one.ConnectionString) { Database = "nothing", Password = "secret-of-missing" }.ConnectionString;
        void Tenants(TenantDatabaseListBuilder d)
            => d.AddSingleTenantDatabase(one.ConnectionString, "a").AddSingleTenantDatabase(two.ConnectionString, "b")
                .AddSingleTenantDatabase(three.ConnectionString, "c").AddSingleTenantDatabase(down, "down");

        var degraded = await Checks(x => x.MultiTenantedDatabases(Tenants))();
        Assert.Equal(HealthStatus.Degraded, degraded.Status);
        Assert.Equal(["database '" + TenantName(down) + "'"], Assert.IsType<string[]>(degraded.Data["failed"]));
        Assert.Contains(TenantName(down), degraded.Description, StringComparison.Ordinal);

        var unhealthy = await Checks(
            x => x.MultiTenantedDatabases(
                d =>
                {
                    Tenants(d);
                    d.AddSingleTenantDatabase(missing, "missing").AddSingleTenantDatabase(With(one, s => s.Port = 2), "down as well");
                }))();
        Assert.Equal(HealthStatus.Unhealthy, unhealthy.Status);
        Assert.Equal(3, Assert.IsType<string[]>(unhealthy.Data["failed"]).Length);
        foreach (var text in (string[])[degraded.Description!, unhealthy.Description!, degraded.Exception!.ToString(), unhealthy.Exception!.ToString()])
        {
            Assert.DoesNotContain("secret-of", text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_run_asks_so_many_and_the_next_goes_on_with_the_others()
    {
        var databases = new List<TestDatabase>();
        for (var i = 0; i < 5; i++)
        {
            databases.Add(await DatabaseAsync());
        }

        var run = Checks(
            x => x.MultiTenantedDatabases(
                d => databases.ForEach(b => d.AddSingleTenantDatabase(b.ConnectionString, b.Name))),
            o => (o.MaxDatabases, o.MaxParallelism) = (2, 1));

        Assert.Equal([(2, 2), (2, 4), (2, 5)], [Counts(await run()), Counts(await run()), Counts(await run())]);

        // It fails, is remembered while others are asked, and is asked again first.
        await databases[0].ExecuteAsync($"""ALTER DATABASE "{databases[3].Name}" ALLOW_CONNECTIONS false""");
        HealthReportEntry result = default;
        for (var i = 0; i < 3; i++)
        {
            result = await run();
        }

        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Contains(databases[3].Name, result.Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Degraded, (await run()).Status);
        await databases[0].ExecuteAsync($"""ALTER DATABASE "{databases[3].Name}" ALLOW_CONNECTIONS true""");
        Assert.Equal(HealthStatus.Healthy, (await run()).Status);

        static (object, object) Counts(HealthReportEntry entry)
            => (entry.Data["asked"], entry.Data["known"]);
    }

    [Fact]
    public async Task A_server_that_says_nothing_costs_the_time_of_one_run()
    {
        // Somebody listens there and never answers.
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        var one = await DatabaseAsync();
        var port = ((System.Net.IPEndPoint)silent.LocalEndpoint).Port;
        var run = Checks(
            x => x.MultiTenantedDatabases(
                d => d.AddSingleTenantDatabase(With(one, s => (s.Host, s.Port, s.Timeout) = ("127.0.0.1", port, 60)), "silent")
                    .AddSingleTenantDatabase(one.ConnectionString, "fine")),
            o => (o.Timeout, o.UnhealthyFrom) = (TimeSpan.FromSeconds(2), 1));

        var started = TimeProvider.System.GetTimestamp();
        var result = await run();

        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(1.5), TimeSpan.FromSeconds(15));
        Assert.Equal(HealthStatus.Degraded, result.Status);
        Assert.Equal([$"database '{one.Name}@127.0.0.1:{port}'"], Assert.IsType<string[]>(result.Data["failed"]));
    }

    [Fact]
    public async Task The_database_of_a_tenant_that_is_disabled_is_not_asked()
    {
        var home = await DatabaseAsync();
        await using var registry = TenantDatabases.Create(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(home.ConnectionString));
        await registry.AddDatabaseAsync("down", With(home, s => s.Port = 1));
        await registry.AddAsync("a", TenantDestination.InDatabase("down"));
        Assert.NotEqual(HealthStatus.Healthy, (await CheckAsync()).Status);

        await registry.DisableAsync("a");
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync()).Status);

        Task<HealthReportEntry> CheckAsync()
            => Checks(x => x.MultiTenantedDatabasesWithMasterDatabaseTable(home.ConnectionString))();
    }

    [Fact]
    public async Task Schemas_are_one_database_and_a_registry_that_is_down_is_unhealthy()
    {
        var home = await DatabaseAsync();
        var registry = TenantDatabases.Create(x => x.MultiTenantedSchemas(home.ConnectionString));
        await registry.AddAsync("a");
        await registry.AddAsync("b");
        await registry.DisposeAsync();

        var result = await Checks(x => x.MultiTenantedSchemas(home.ConnectionString))();
        Assert.Equal((HealthStatus.Healthy, 1), (result.Status, result.Data["asked"]));

        var down = await Checks(x => x.MultiTenantedSchemas(With(home, s => s.Port = 1)))();
        Assert.Equal(HealthStatus.Unhealthy, down.Status);
        Assert.Equal(["the home database"], Assert.IsType<string[]>(down.Data["failed"]));
    }

    [Fact]
    public async Task Probes_keep_to_the_ceiling_and_leave_nothing_behind()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = TenantDatabases.Create(
            x => x.MaxConnections(1).MultiTenantedDatabases(
                d => d.AddSingleTenantDatabase(one.ConnectionString, "a").AddSingleTenantDatabase(two.ConnectionString, "b")));
        Own(databases);
        var run = Checks(databases, o => o.Timeout = TimeSpan.FromSeconds(30));

        Assert.Equal(HealthStatus.Healthy, (await run()).Status);

        Assert.Equal(0, databases.Sources.Count);
        for (var attempt = 0; attempt < 50 && databases.Sources.Budget.Physical > 0; attempt++)
        {
            await Task.Delay(20);
        }

        Assert.Equal(0, databases.Sources.Budget.Physical);
    }

    private static string TenantName(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString);
        return $"{settings.Database}@{settings.Host}:{settings.Port}";
    }

    private static string With(TestDatabase database, Action<NpgsqlConnectionStringBuilder> change)
    {
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        change(settings);
        return settings.ConnectionString;
    }

    private Func<Task<HealthReportEntry>> Checks(Action<TenantDatabasesBuilder> databases, Action<EfTenancy.HealthChecks.TenancyHealthCheckOptions>? configure = null)
    {
        var created = TenantDatabases.Create(databases);
        Own(created);
        return Checks(created, configure);
    }

    private Func<Task<HealthReportEntry>> Checks(TenantDatabases databases, Action<EfTenancy.HealthChecks.TenancyHealthCheckOptions>? configure)
    {
        var services = new ServiceCollection();
        services.AddLogging().AddSingleton(databases).AddHealthChecks().AddTenancyHealthChecks(configure);
        var provider = services.BuildServiceProvider(validateScopes: true);
        Own(provider);
        return async () => (await provider.GetRequiredService<HealthCheckService>().CheckHealthAsync(TestContext.Current.CancellationToken)).Entries["tenancy"];
    }
}
