using System.Globalization;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     Runs one random sequence of operations for several tenants and, beside it, against a database of plain EF for each of them, and
///     compares every answer. Longer runs: <c>EFTENANCY_ORACLE_OPERATIONS=100000 dotnet test</c>; a failure names its seed for
///     <c>EFTENANCY_ORACLE_SEED</c>.
/// </summary>
/// <param name="postgres">Has the databases of plain EF.</param>
/// <param name="share">Runs one of this many parts of the operations.</param>
public sealed class IsolationOracle(PostgresFixture postgres, int share = 1)
{
    /// <param name="tenants">Whose operations are run.</param>
    /// <param name="contextFor">A context of a tenant, whose tables are there.</param>
    public async Task CompareAsync(IReadOnlyList<string> tenants, Func<string, OracleContext> contextFor)
    {
        var seed = Setting("EFTENANCY_ORACLE_SEED", Random.Shared.Next());
        var count = Setting("EFTENANCY_ORACLE_OPERATIONS", 10_000) / share;
        var random = new Random(seed);
        var operations = new OracleOperations(random);

        var plain = new Dictionary<string, (TestDatabase Database, DbContextOptions<OracleContext> Options)>();
        try
        {
            foreach (var tenant in tenants)
            {
                var database = await postgres.CreateDatabaseAsync();
                plain[tenant] = (database, new DbContextOptionsBuilder<OracleContext>().UseTestDatabase(database.ConnectionString).Options);
                await using var db = new OracleContext(plain[tenant].Options);
                await db.Database.EnsureCreatedAsync();
            }

            for (var i = 0; i < count; i++)
            {
                var tenant = tenants[random.Next(tenants.Count)];
                var (name, run) = operations.Next();

                var expected = await Answer(new OracleContext(plain[tenant].Options), run);
                var actual = await Answer(contextFor(tenant), run);
                AssertSame(expected, actual, $"Seed {seed}, operation {i}, tenant {tenant}: {name}");
            }

            foreach (var tenant in tenants)
            {
                AssertSame(
                    await Answer(new OracleContext(plain[tenant].Options), OracleOperations.Everything),
                    await Answer(contextFor(tenant), OracleOperations.Everything),
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
        => Assert.True(expected == actual, $"{what}\nplain EF:     {expected}\nwith tenancy: {actual}");

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

    internal static int Setting(string name, int otherwise)
        => int.TryParse(Environment.GetEnvironmentVariable(name), NumberStyles.None, CultureInfo.InvariantCulture, out var value) ? value : otherwise;
}
