using System.Diagnostics;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>A process that moves a tenant is killed at some moment: the application sees all of its rows all the time, and the same call ends the move.</summary>
public sealed class KilledMoveTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private static readonly string[] Tables = ["Teams", "Members", "Projects", "WorkItems", "Comments", "TimeEntries"];

    private readonly Dictionary<string, TestDatabase> _databases = [];

    public async ValueTask InitializeAsync()
    {
        foreach (var name in (string[])["", "own", "shard"])
        {
            _databases[name] = await postgres.CreateDatabaseAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _databases.Values)
        {
            await database.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_killed_move_loses_no_row_and_leaves_none_behind()
    {
        await using var services = StudioContext.Services(_databases[""].ConnectionString);
        await using (var db = Context(services))
        {
            await db.Database.EnsureCreatedAsync();
        }

        await _databases[""].ExecuteAsync(StudioContext.RowsSql("public", "acme", Scale.MoveRows));
        await _databases[""].ExecuteAsync(StudioContext.RowsSql("public", "globex", 400));
        var databases = services.GetRequiredService<TenantDatabases>();
        await databases.AddDatabaseAsync("own", _databases["own"].ConnectionString);
        await databases.AddDatabaseAsync("shard", _databases["shard"].ConnectionString);
        var expected = await ChecksumsAsync("", "public", "acme");
        var globex = await ChecksumsAsync("", "public", "globex");

        (string Database, string Schema)[] places = [("", ""), ("", "acme"), ("own", "acme"), ("shard", "")];
        var random = new Random(Seed);
        var at = 0;
        var moments = new List<string>();

        // Each step begins when the registry says so, and a step is not much longer than the time after which others know.
        string[] phases = ["moving", "emptying", "", "moved"];
        var longest = TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds * 1.5);
        for (var round = 0; round < Scale.MoveKills; round++)
        {
            var next = (at + random.Next(1, places.Length)) % places.Length;
            var phase = phases[round % phases.Length];
            var delay = (phase == "emptying" ? TimeSpan.FromSeconds(1) : longest) * random.NextDouble();
            var finished = await KillAsync(places[next], phase, delay);
            var state = await StateAsync();

            // Another process than the killed one sees the tenant whole.
            await using (var process = StudioContext.Services(_databases[""].ConnectionString))
            {
                await using var db = Context(process);
                Assert.Equal(
                    expected.Select(c => c.Split(' ')[1]),
                    new[]
                    {
                        await db.Teams.CountAsync(), await db.Members.CountAsync(), await db.Projects.CountAsync(), await db.WorkItems.CountAsync(),
                        await db.Comments.CountAsync(), await db.TimeEntries.CountAsync(),
                    }.Select(c => c.ToString(System.Globalization.CultureInfo.InvariantCulture)));
            }

            // Once in a while it is given up instead.
            var isGivenUp = state == "moving" && random.Next(4) == 0;
            var end = isGivenUp ? at : next;
            var started = Stopwatch.StartNew();
            await services.GetRequiredService<ITenantMover<StudioContext>>().MoveAsync("acme", DestinationOf(places[end]));
            moments.Add($"{state}{(finished ? ", had finished" : "")}{(isGivenUp ? ", given up" : "")}");
            output.WriteLine($"{places[at]} -> {places[next]}: killed {delay.TotalSeconds:0.0} s after '{phase}', {moments[^1]}, ended in {started.Elapsed.TotalSeconds:0.0} s");

            at = end;
            foreach (var (i, place) in places.Index())
            {
                var there = await ChecksumsAsync(place.Database, place.Schema.Length > 0 ? place.Schema : "public", "acme");
                if (i == at)
                {
                    Assert.Equal(expected, there);
                }
                else
                {
                    Assert.All(there, c => Assert.Equal("0", c.Split(' ')[1]));
                }
            }

            Assert.Equal("active", await StateAsync());
            Assert.Equal(globex, await ChecksumsAsync("", "public", "globex"));
        }

        foreach (var moment in moments.CountBy(m => m).OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{moment.Value} × {moment.Key}");
        }
    }

    private static int Seed
        => 7;

    private static TenantDestination DestinationOf((string Database, string Schema) place)
        => place switch
        {
            ("", "") => TenantDestination.Home,
            ("", _) => TenantDestination.InSchema(place.Schema),
            (_, "") => TenantDestination.InDatabase(place.Database),
            _ => TenantDestination.InDatabase(place.Database, place.Schema),
        };

    private async Task<string> StateAsync()
        => (await _databases[""].ColumnAsync("SELECT state FROM tenants.tenant_destinations WHERE tenant_id = 'acme'")).SingleOrDefault("unknown");

    private async Task<bool> KillAsync((string Database, string Schema) destination, string phase, TimeSpan delay)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])[
            Path.Combine(AppContext.BaseDirectory, "EfTenancy.TenantProcess.dll"), _databases[""].ConnectionString, "move", "acme",
            destination.Database, destination.Schema])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        if (await process.StandardOutput.ReadLineAsync() is not "ready")
        {
            Assert.Fail(await errors);
        }

        while (phase.Length > 0 && !process.HasExited && await StateAsync() != phase)
        {
            await Task.Delay(20);
        }

        await Task.Delay(delay);
        process.Kill();
        await process.WaitForExitAsync();
        Assert.Equal("", await errors);
        return await process.StandardOutput.ReadToEndAsync() is { Length: > 0 };
    }

    private static StudioContext Context(ServiceProvider services)
        => services.GetRequiredService<IDbContextFactory<StudioContext>>().CreateDbContext("acme");

    /// <summary>Name, count and checksum of each table; none where the schema or the tables are not there.</summary>
    private async Task<List<string>> ChecksumsAsync(string database, string schema, string tenant)
        => await _databases[database].ScalarAsync<bool>($"""SELECT to_regclass('"{schema}"."Teams"') IS NULL""")
            ? []
            : await _databases[database].ColumnAsync(
                string.Join(
                    " UNION ALL ",
                    Tables.Select(
                        (t, i) => $"""
                            SELECT {i} || '{t} ' || count(*) || ' ' || md5(COALESCE(string_agg(md5(r::text), '' ORDER BY md5(r::text)), ''))
                            FROM "{schema}"."{t}" r WHERE r."TenantId" = '{tenant}'
                            """))
                + " ORDER BY 1");
}
