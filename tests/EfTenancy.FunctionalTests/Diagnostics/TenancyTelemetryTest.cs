using System.Collections.Concurrent;
using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.Diagnostics;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;
using Xunit;

namespace EfTenancy.FunctionalTests.Diagnostics;

/// <summary>What OpenTelemetry's SDK gets. Other tests of the process are measured too, so that tenants have names of their own here.</summary>
public sealed class TenancyTelemetryTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly string _tenant = "metered-" + Guid.NewGuid();
    private readonly ConcurrentQueue<Activity> _activities = [];
    private readonly Exported _exported = new();
    private TestDatabase _database = null!;
    private MeterProvider _meters = null!;
    private TracerProvider _tracers = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        MeteredTenants.OfProcess.Limit = int.MaxValue;
        _meters = Sdk.CreateMeterProviderBuilder().AddMeter(TenancyTelemetry.MeterName).SetMaxMetricStreams(50)
            .AddReader(new BaseExportingMetricReader(_exported)).Build();
        _tracers = Sdk.CreateTracerProviderBuilder().AddSource(TenancyTelemetry.ActivitySourceName)
            .AddProcessor(new SimpleActivityExportProcessor(new ExportedActivities(_activities))).Build();
    }

    public async ValueTask DisposeAsync()
    {
        _meters.Dispose();
        _tracers.Dispose();
        MeteredTenants.OfProcess.Limit = 100;
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Contexts_scopes_refusals_and_connections_are_measured()
    {
        await using var databases = TenantDatabases.Create(
            x => x.MaxConnections(7).MultiTenantedDatabases(d => d.AddMultipleTenantDatabase(_database.ConnectionString, _tenant, _tenant + "2")));
        var options = LedgerContext.Options(databases, t => t.AllEntitiesAreMultiTenanted());
        var before = Measure();
        for (var i = 0; i < 3; i++)
        {
            await using var db = new LedgerContext(options);
            db.Tenancy().Use(_tenant);
            await db.Database.EnsureCreatedAsync();
            using (db.Tenancy().AcrossTenants("test"))
            {
                await db.Accounts.CountAsync();
            }

            db.Entry(db.Add(new Account { Name = "stray" }).Entity).Property("TenantId").CurrentValue = _tenant + "2";
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => db.SaveChangesAsync());
        }

        await using var open = new LedgerContext(options);
        open.Tenancy().Use(_tenant);
        await open.Database.OpenConnectionAsync();
        var after = Measure();

        Assert.Equal(4, after[$"eftenancy.contexts {TenancyTelemetry.TenantTag}={_tenant}"]);
        Assert.InRange(after["eftenancy.across_tenants "] - before.GetValueOrDefault("eftenancy.across_tenants "), 3, double.MaxValue);
        Assert.InRange(after["eftenancy.cross_tenant_writes "] - before.GetValueOrDefault("eftenancy.cross_tenant_writes "), 3, double.MaxValue);
        Assert.InRange(after["eftenancy.connection.count eftenancy.connection.state=used"], 1, double.MaxValue);
        Assert.InRange(after["eftenancy.connection.max "], 7, double.MaxValue);
        Assert.InRange(after["eftenancy.data_source.count "], 1, double.MaxValue);
        Assert.InRange(after["eftenancy.connection.wait_time "], 1, double.MaxValue);
    }

    [Fact]
    public async Task Waiting_for_a_connection_is_an_activity_and_a_gauge()
    {
        await using var databases = TenantDatabases.Create(
            x => x.MaxConnections(1).MultiTenantedDatabases(d => d.AddSingleTenantDatabase(_database.ConnectionString, _tenant)));
        await using var first = LedgerContext.For(databases, _tenant);
        await first.Database.OpenConnectionAsync();
        await using var second = LedgerContext.For(databases, _tenant);

        var waiting = second.Database.OpenConnectionAsync();
        Assert.False(waiting.IsCompleted);
        Assert.InRange(Measure()["eftenancy.connection.pending_requests "], 1, double.MaxValue);
        await first.Database.CloseConnectionAsync();
        await waiting;

        var activity = Assert.Single(_activities, a => Equals(a.GetTagItem(TenancyTelemetry.TenantTag), _tenant));
        Assert.Equal("eftenancy.wait_for_connection", activity.OperationName);
        Assert.Equal(ActivityStatusCode.Unset, activity.Status);
        Assert.InRange(activity.Duration, TimeSpan.FromTicks(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Waiting_in_vain_is_an_activity_that_failed()
    {
        await using var databases = TenantDatabases.Create(
            x => x.MaxConnections(1, TimeSpan.FromMilliseconds(50))
                .MultiTenantedDatabases(d => d.AddSingleTenantDatabase(_database.ConnectionString, _tenant)));
        await using var first = LedgerContext.For(databases, _tenant);
        await first.Database.OpenConnectionAsync();
        await using var second = LedgerContext.For(databases, _tenant);
        await Assert.ThrowsAsync<TenantDatabaseException>(() => second.Database.OpenConnectionAsync());

        Assert.Equal(
            ActivityStatusCode.Error, Assert.Single(_activities, a => Equals(a.GetTagItem(TenancyTelemetry.TenantTag), _tenant)).Status);
    }

    [Fact]
    public async Task Each_migrated_place_is_an_activity_and_counts_by_its_outcome()
    {
        await using var blocked = await postgres.CreateDatabaseAsync();
        await blocked.ExecuteAsync("""CREATE TABLE "Table3" (x int)""");
        await using var services = DepotContext.Services(
            x => x.MultiTenantedDatabases(
                d => d.AddSingleTenantDatabase(_database.ConnectionString, _tenant).AddSingleTenantDatabase(blocked.ConnectionString, _tenant + "2")));
        var before = Measure();

        await Assert.ThrowsAsync<TenantMigrationException>(() => services.MigrateTenantsAsync<DepotContext>());

        var activities = _activities.Where(a => a.OperationName == "eftenancy.migrate").ToDictionary(a => (string?)a.GetTagItem(TenancyTelemetry.TenantTag) ?? "");
        Assert.Equal(("Migrated", ActivityStatusCode.Unset), (activities[_tenant].GetTagItem("eftenancy.outcome"), activities[_tenant].Status));
        Assert.Equal(("Failed", ActivityStatusCode.Error), (activities[_tenant + "2"].GetTagItem("eftenancy.outcome"), activities[_tenant + "2"].Status));
        Assert.Contains(blocked.Name, (string)activities[_tenant + "2"].GetTagItem("eftenancy.destination")!, StringComparison.Ordinal);
        foreach (var outcome in (string[])["Migrated", "Failed"])
        {
            var name = "eftenancy.migration.duration eftenancy.outcome=" + outcome;
            Assert.InRange(Measure()[name] - before.GetValueOrDefault(name), 1, double.MaxValue);
        }
    }

    [Fact]
    public async Task A_move_of_a_tenant_is_an_activity_and_counts_by_its_outcome()
    {
        await using var services = new ServiceCollection()
            .AddTenantDatabases(x => x.MultiTenantedSchemas(_database.ConnectionString))
            .AddDbContextFactory<LedgerContext>(
                (s, options) => options.UseTestDatabase("Host=nowhere.invalid")
                    .UseTenancy(t => t.UseTenantDatabases(s.GetRequiredService<TenantDatabases>())))
            .AddTenantAdministration<LedgerContext>()
            .BuildServiceProvider();
        await _database.ExecuteAsync("""CREATE SCHEMA shared; CREATE TABLE shared."Currencies" ("Code" text PRIMARY KEY)""");
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddAsync(_tenant);
        await using (var db = LedgerContext.For(databases, _tenant))
        {
            await db.Database.EnsureCreatedAsync();
        }

        var mover = services.GetRequiredService<ITenantMover<LedgerContext>>();
        var before = Measure();
        await mover.MoveAsync(_tenant, TenantDestination.InSchema("elsewhere"));
        await mover.MoveAsync(_tenant, TenantDestination.InSchema("elsewhere"));
        await Assert.ThrowsAsync<InvalidOperationException>(() => mover.MoveAsync(_tenant, TenantDestination.InDatabase("nowhere")));

        var activities = _activities.Where(a => a.OperationName == "eftenancy.move" && Equals(a.GetTagItem(TenancyTelemetry.TenantTag), _tenant)).ToList();
        Assert.Equal(
            [("schema 'elsewhere' of the home database", ActivityStatusCode.Unset), ("schema 'elsewhere' of the home database", ActivityStatusCode.Unset), ("database 'nowhere'", ActivityStatusCode.Error)],
            activities.Select(a => ((string)a.GetTagItem("eftenancy.destination")!, a.Status)));
        foreach (var outcome in (string[])["Moved", "Failed"])
        {
            var name = "eftenancy.move.duration eftenancy.outcome=" + outcome;
            Assert.InRange(Measure()[name] - before.GetValueOrDefault(name), 1, double.MaxValue);
        }
    }

    [Fact]
    public async Task A_call_of_administration_is_an_activity()
    {
        await using var db = new LedgerContext(
            new DbContextOptionsBuilder<LedgerContext>().UseTestDatabase(_database.ConnectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        var enumerated = 0;

        await db.Tenancy().Administration.AddAsync(Ids());
        await Assert.ThrowsAsync<ArgumentException>(() => db.Tenancy().Administration.AddAsync([" ", _tenant]));

        Assert.Equal(1, enumerated);
        var activity = Assert.Single(_activities, a => Equals(a.GetTagItem(TenancyTelemetry.TenantTag), _tenant));
        Assert.Equal(("eftenancy.administration.add", ActivityStatusCode.Unset), (activity.OperationName, activity.Status));
        Assert.Contains(
            _activities, a => a.OperationName == "eftenancy.administration.add" && Equals(a.GetTagItem("eftenancy.tenants"), 2) && a.Status == ActivityStatusCode.Error);

        IEnumerable<string> Ids()
        {
            enumerated++;
            yield return _tenant;
        }
    }

    [Fact]
    public void A_metric_tells_so_many_tenants_apart_and_no_more()
    {
        var tenants = new MeteredTenants { Limit = 3 };

        Parallel.For(0, 1000, i => tenants.TagOf("t" + (i % 50)));

        Assert.Equal(3, Enumerable.Range(0, 50).Select(i => tenants.TagOf("t" + i).Value).Count(v => !Equals(v, TenancyTelemetry.OtherTenants)));
        tenants.Limit = 4;
        Assert.Equal("new", tenants.TagOf("new").Value);
        Assert.Equal(TenancyTelemetry.OtherTenants, tenants.TagOf("newer").Value);
        Assert.Equal(TenancyTelemetry.OtherTenants, new MeteredTenants { Limit = 0 }.TagOf("any").Value);
    }

    private Dictionary<string, double> Measure()
    {
        _meters.ForceFlush();
        return _exported.Values;
    }

    // OpenTelemetry's own one is in a package of its own.
    private sealed class Exported : BaseExporter<Metric>
    {
        public Dictionary<string, double> Values { get; private set; } = [];

        public override ExportResult Export(in Batch<Metric> batch)
        {
            var values = new Dictionary<string, double>();
            foreach (var metric in batch)
            {
                foreach (ref readonly var point in metric.GetMetricPoints())
                {
                    var tags = new List<string>();
                    foreach (var (key, value) in point.Tags)
                    {
                        tags.Add($"{key}={value}");
                    }

                    values[$"{metric.Name} {string.Join(',', tags)}"] = metric.MetricType switch
                    {
                        MetricType.Histogram => point.GetHistogramCount(),
                        MetricType.LongSumNonMonotonic or MetricType.LongSum => point.GetSumLong(),
                        var type => throw new NotSupportedException(type.ToString()),
                    };
                }
            }

            Values = values;
            return ExportResult.Success;
        }
    }

    private sealed class ExportedActivities(ConcurrentQueue<Activity> activities) : BaseExporter<Activity>
    {
        public override ExportResult Export(in Batch<Activity> batch)
        {
            foreach (var activity in batch)
            {
                activities.Enqueue(activity);
            }

            return ExportResult.Success;
        }
    }
}
