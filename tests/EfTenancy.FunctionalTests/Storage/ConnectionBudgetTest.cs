using System.Collections.Concurrent;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Storage;

/// <summary>
///     Many databases under one ceiling of connections. All of them and 200 tenants: <c>EFTENANCY_TENANT_DATABASES=200 dotnet test</c>.
/// </summary>
public sealed class ConnectionBudgetTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private const int Workers = 32;

    private readonly List<TestDatabase> _tests = [];
    private int _ceiling;

    public async ValueTask InitializeAsync()
    {
        _ceiling = Math.Min(20, Scale.TenantDatabases / 3);
        var template = await postgres.CreateDatabaseAsync();
        _tests.Add(template);
        await using (var databases = TenantDatabases.Create(
            x => x.MultiTenantedDatabases(d => d.AddSingleTenantDatabase(template.ConnectionString, "t"))))
        {
            await using var db = LedgerContext.For(databases, "t");
            await db.Database.EnsureCreatedAsync();
        }

        for (var i = 0; i < Scale.TenantDatabases; i++)
        {
            _tests.Add(await template.CloneAsync("tenant"));
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _tests)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task Many_databases_share_few_connections_and_nobody_starves()
    {
        var application = "budget" + Environment.ProcessId;
        await using var databases = TenantDatabases.Create(
            x => x
                .MaxConnections(_ceiling, TimeSpan.FromSeconds(60))
                .MaxDataSources(Math.Max(4, Scale.TenantDatabases / 2))
                .MultiTenantedDatabases(
                    d =>
                    {
                        for (var i = 1; i < _tests.Count; i++)
                        {
                            d.AddSingleTenantDatabase(
                                new NpgsqlConnectionStringBuilder(_tests[i].ConnectionString) { ApplicationName = application }.ConnectionString,
                                $"t{i}");
                        }
                    }));
        var options = LedgerContext.Options(databases);
        using var stop = new CancellationTokenSource();
        var most = WatchAsync(application, stop.Token);

        var reached = new ConcurrentDictionary<string, int>();
        var longest = TimeSpan.Zero;
        var visits = Scale.TenantDatabases * 10;
        await Parallel.ForEachAsync(
            Enumerable.Range(0, visits).Select(i => (i * 7919 % Scale.TenantDatabases) + 1),
            new ParallelOptions { MaxDegreeOfParallelism = Workers },
            async (number, cancellationToken) =>
            {
                var started = TimeProvider.System.GetTimestamp();
                await using var db = new LedgerContext(options);
                db.Tenancy().Use($"t{number}");
                db.Accounts.Add(new Account { Name = $"t{number}" });
                await db.SaveChangesAsync(cancellationToken);
                Assert.All(await db.Accounts.Select(a => a.Name).ToListAsync(cancellationToken), n => Assert.Equal($"t{number}", n));
                reached.AddOrUpdate($"t{number}", 1, (_, count) => count + 1);
                lock (reached)
                {
                    var took = TimeProvider.System.GetElapsedTime(started);
                    longest = took > longest ? took : longest;
                }
            });
        await stop.CancelAsync();

        output.WriteLine(
            $"{Scale.TenantDatabases} databases, ceiling {_ceiling}: {visits} visits of {Workers} workers, at most {await most} sessions, longest visit {longest.TotalMilliseconds:N0} ms");
        Assert.Equal(Scale.TenantDatabases, reached.Count);
        Assert.All(reached.Values, count => Assert.Equal(10, count));
        Assert.InRange(await most, 1, _ceiling);
        Assert.InRange(databases.Sources.Budget.Physical, 1, _ceiling);
        Assert.InRange(databases.Sources.Count, 1, Math.Max(4, Scale.TenantDatabases / 2));
        Assert.Equal(10L, await _tests[^1].ScalarAsync<long>("""SELECT count(*) FROM "Accounts" """));
    }

    [Fact]
    public async Task A_connection_that_never_becomes_free_is_told_with_the_setting()
    {
        await using var databases = TenantDatabases.Create(
            x => x
                .MaxConnections(1, TimeSpan.FromMilliseconds(200))
                .MultiTenantedDatabases(
                    d => d.AddSingleTenantDatabase(_tests[1].ConnectionString, "t1").AddSingleTenantDatabase(_tests[2].ConnectionString, "t2")));
        await using var first = LedgerContext.For(databases, "t1");
        await first.Database.OpenConnectionAsync();
        await using var second = LedgerContext.For(databases, "t2");

        var refused = await Assert.ThrowsAsync<TenantDatabaseException>(() => second.Database.OpenConnectionAsync());
        Assert.Equal((TenantDatabaseError.TooManyConnections, "t2"), (refused.Error, refused.TenantId));
        Assert.Contains("MaxConnections(1)", refused.Message, StringComparison.Ordinal);

        await first.Database.CloseConnectionAsync();
        await second.Database.OpenConnectionAsync();
        Assert.Equal(0, await second.Accounts.CountAsync());
    }

    private async Task<int> WatchAsync(string application, CancellationToken cancellationToken)
    {
        var most = 0;
        await using var connection = new NpgsqlConnection(_tests[0].ConnectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(
            $"SELECT count(*)::int FROM pg_stat_activity WHERE application_name = '{application}'", connection);
        while (!cancellationToken.IsCancellationRequested)
        {
            most = Math.Max(most, (int)(await command.ExecuteScalarAsync(CancellationToken.None))!);
            await Task.Delay(2, CancellationToken.None);
        }

        return most;
    }
}
