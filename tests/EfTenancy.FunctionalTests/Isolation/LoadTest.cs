using System.Diagnostics;
using System.Globalization;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     Two tenants, 32 workers, one small pool of contexts, one process: requests of both tenants do everything at once, and no row
///     crosses. Longer runs: <c>EFTENANCY_LOAD_SECONDS=60 dotnet test</c>.
/// </summary>
public class LoadTest(PostgresFixture postgres, ITestOutputHelper output)
{
    private const int Workers = 32;

    private static int Seconds
        => int.TryParse(Environment.GetEnvironmentVariable("EFTENANCY_LOAD_SECONDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            ? value
            : 5;

    [Fact]
    public async Task No_row_crosses_between_two_tenants_under_load()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var connectionString = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 24, Timeout = 120 }.ConnectionString;
        await using var services = new ServiceCollection()
            .AddSingleton<ITenantAccessor, Ambient>()
            .AddDbContextPool<LoadContext>(Options, poolSize: 6)
            .AddPooledDbContextFactory<LoadContext>(Options, poolSize: 6)
            .BuildServiceProvider(validateScopes: true);

        await using (var scope = services.CreateAsyncScope())
        {
            await scope.ServiceProvider.GetRequiredService<LoadContext>().Database.EnsureCreatedAsync();
        }

        // Each once and alone, so that each has its turn however slow the machine is.
        var tally = new LoadTally();
        foreach (var (tenant, name) in ((string[])["Green", "Red"]).SelectMany(t => LoadRequest.Names.Select(n => (t, n))))
        {
            Ambient.Current = tenant;
            await new LoadRequest(services, tally, new Random(0), tenant).RunAsync(name);
        }

        var clock = Stopwatch.StartNew();
        var duration = TimeSpan.FromSeconds(Seconds);
        await Task.WhenAll(
            Enumerable.Range(0, Workers).Select(
                worker => Task.Run(
                    async () =>
                    {
                        var random = new Random(worker);
                        while (clock.Elapsed < duration)
                        {
                            Ambient.Current = random.Next(2) == 0 ? "Green" : "Red";
                            await new LoadRequest(services, tally, random, Ambient.Current).RunAsync();
                        }
                    })));

        output.WriteLine(tally.Describe(clock.Elapsed));
        Assert.Empty(tally.Crossings);
        Assert.Empty(tally.Surprises);
        Assert.All(LoadRequest.Names, name => Assert.True(tally.Done(name) > 1, $"'{name}' came to no end"));

        foreach (var table in (string[])["Shipments", "Legs", "Memos"])
        {
            Assert.Equal(0, await database.ScalarAsync<int>($"""SELECT count(*) FROM "{table}" WHERE split_part("Payload", '/', 1) <> "TenantId" """));
            foreach (var tenant in (string[])["Green", "Red"])
            {
                Assert.Equal(
                    tally.Rows(table, tenant),
                    await database.ScalarAsync<int>($"""SELECT count(*) FROM "{table}" WHERE "TenantId" = '{tenant}' """));
            }
        }

        Assert.Equal(
            0,
            await database.ScalarAsync<int>(
                """SELECT count(*) FROM "Legs" s LEFT JOIN "Shipments" j ON (j."TenantId", j."Id") = (s."TenantId", s."ShipmentId") WHERE j."Id" IS NULL"""));

        void Options(DbContextOptionsBuilder options)
            => options.UseTestDatabase(connectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted().DisableDefaultTenant());
    }

    /// <summary>As IHttpContextAccessor holds its request.</summary>
    private sealed class Ambient : ITenantAccessor
    {
        private static readonly AsyncLocal<string?> Tenant = new();

        public static string? Current
        {
            get => Tenant.Value;
            set => Tenant.Value = value;
        }

        public string? TenantId
            => Current;
    }
}
