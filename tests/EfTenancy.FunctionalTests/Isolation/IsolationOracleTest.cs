using System.Globalization;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     Runs one random sequence of operations for five tenants against one conjoined database and against five databases of plain EF,
///     and compares every answer. Longer runs: <c>EFTENANCY_ORACLE_OPERATIONS=100000 dotnet test</c>; a failure names its seed for
///     <c>EFTENANCY_ORACLE_SEED</c>.
/// </summary>
public class IsolationOracleTest(PostgresFixture postgres)
{
    private static readonly string[] NamedTenants = ["Green", "Red", "O'Blue", "東京", "*DEFAULT*"];

    private static readonly string[] GuidTenants
        = ["*DEFAULT*", .. Enumerable.Range(1, 4).Select(i => $"0000000{i}-0000-7000-8000-00000000000{i}")];

    [Fact]
    public Task Tenants_in_one_database_answer_as_if_each_had_its_own()
        => CompareAsync(
            NamedTenants,
            Setting("EFTENANCY_ORACLE_OPERATIONS", 10_000),
            t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByHash("a", "b", "c")));

    [Fact]
    public Task So_do_tenants_that_are_Guids_at_the_end_of_keys()
        => CompareAsync(
            GuidTenants,
            Setting("EFTENANCY_ORACLE_OPERATIONS", 10_000) / 4,
            t => t.AllEntitiesAreMultiTenanted().UseTenantProperty<Guid>().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant));

    private async Task CompareAsync(string[] tenants, int count, Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        var seed = Setting("EFTENANCY_ORACLE_SEED", Random.Shared.Next());
        var random = new Random(seed);
        var operations = new OracleOperations(random);

        await using var shared = await postgres.CreateDatabaseAsync();
        var conjoined = Options(shared).UseTenancy(tenancy).Options;
        await using (var db = new OracleContext(conjoined))
        {
            await db.Database.EnsureCreatedAsync();
        }

        var plain = new Dictionary<string, (TestDatabase Database, DbContextOptions<OracleContext> Options)>();
        foreach (var tenant in tenants)
        {
            var database = await postgres.CreateDatabaseAsync();
            plain[tenant] = (database, Options(database).Options);
            await using var db = new OracleContext(plain[tenant].Options);
            await db.Database.EnsureCreatedAsync();
        }

        try
        {
            for (var i = 0; i < count; i++)
            {
                var tenant = tenants[random.Next(tenants.Length)];
                var (name, run) = operations.Next();

                var expected = await Answer(new OracleContext(plain[tenant].Options), run);
                var actual = await Answer(For(conjoined, tenant), run);
                AssertSame(expected, actual, $"Seed {seed}, operation {i}, tenant {tenant}: {name}");
            }

            foreach (var tenant in tenants)
            {
                AssertSame(
                    await Answer(new OracleContext(plain[tenant].Options), OracleOperations.Everything),
                    await Answer(For(conjoined, tenant), OracleOperations.Everything),
                    $"Seed {seed}, all rows of tenant {tenant} at the end");
            }
        }
        finally
        {
            foreach (var (database, _) in plain.Values)
            {
                await database.DisposeAsync();
            }
        }
    }

    private static void AssertSame(string expected, string actual, string what)
        => Assert.True(expected == actual, $"{what}\nown database: {expected}\nconjoined:    {actual}");

    private static DbContextOptionsBuilder<OracleContext> Options(TestDatabase database)
        => new DbContextOptionsBuilder<OracleContext>().UseTestDatabase(database.ConnectionString);

    private static OracleContext For(DbContextOptions<OracleContext> options, string tenant)
    {
        var context = new OracleContext(options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private static async Task<string> Answer(OracleContext context, Func<OracleContext, Task<string>> run)
    {
        await using var _ = context;
        try
        {
            return await run(context);
        }
        catch (DbUpdateException exception)
        {
            return exception.GetType().Name + " " + (exception.InnerException as PostgresException)?.SqlState;
        }
        catch (PostgresException exception)
        {
            return exception.GetType().Name + " " + exception.SqlState;
        }
        catch (InvalidOperationException exception)
        {
            return exception.GetType().Name;
        }
    }

    private static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
