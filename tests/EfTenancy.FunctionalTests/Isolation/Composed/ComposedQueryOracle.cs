using System.Reflection;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>
///     Composes queries and bulk writes at random, runs each with tenancy and with plain EF, and compares the answers. The queries are the
///     same at each run, since EF has faults of its own with keys of several properties; for others, and more:
///     <c>EFTENANCY_ORACLE_SEED=7 EFTENANCY_ORACLE_QUERIES=20000 dotnet test</c>.
/// </summary>
public sealed class ComposedQueryOracle(PostgresFixture postgres, Reach reach) : IAsyncDisposable
{
    private readonly List<TestDatabase> _databases = [];
    private readonly int _seed = IsolationOracle.Setting("EFTENANCY_ORACLE_SEED", 1);
    private readonly int _count = IsolationOracle.Setting("EFTENANCY_ORACLE_QUERIES", 50);

    /// <summary>The contexts; with tables of their own for each tenant unless a query is to read those of several.</summary>
    public Func<DbContextOptions, BazaarContext> Create { get; init; } = o => new BazaarContext(o);

    public Func<int, string> Tenants { get; init; } = i => ((string[])["Green", "Red", "O'Blue"])[i];

    /// <summary>Whether an id may be in one tenant only.</summary>
    public bool KeysAreIdsOnly { get; init; }

    public async Task CompareAsync(Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        var conjoined = Options(await DatabaseAsync(), o => o.UseTenancy(tenancy));
        await SeedAsync(conjoined, Enumerable.Range(0, BazaarSeed.Tenants), (db, tenant) => db.Tenancy().Use(Tenants(tenant)));

        var plain = new List<DbContextOptions>();
        foreach (var tenant in Enumerable.Range(0, BazaarSeed.Tenants))
        {
            plain.Add(Options(await DatabaseAsync()));
            await SeedAsync(plain[tenant], reach == Reach.OneTenant ? [tenant] : Enumerable.Range(0, BazaarSeed.Tenants));
        }

        await using var model = Create(plain[0]);
        var answers = new QueryAnswer(model.Model);
        var same = 0;
        for (var i = 0; i < _count; i++)
        {
            var random = new Random(_seed * 1_000_003 + i);
            var own = random.Next(BazaarSeed.Tenants);
            var composer = new QueryComposer(random, model.Model, FirstKey(own))
            {
                IsOfOneTenant = reach == Reach.OneTenant, AllowsRightJoin = reach is Reach.OneTenant or Reach.AnyTenant,
            };
            IComposedOperation operation = reach == Reach.OneTenant && random.Next(4) == 0
                ? new ComposedWrite(composer, random)
                : new ComposedQuery(composer, random);
            var sets = new ReachedSets(reach, own, random.Next());

            await using var db = Create(plain[own]);
            var expected = Answer(() => operation.Run(db, sets.WithoutTenancy(db), answers));
            if (expected.Error is not null)
            {
                continue;
            }

            await using var tenanted = Create(conjoined);
            sets.Use(tenanted, Tenants);
            var actual = Answer(() => operation.Run(tenanted, sets.WithTenancy(tenanted, Tenants), answers));
            if (IsLimit(actual.Error))
            {
                continue;
            }

            Assert.True(
                expected.Text == actual.Text,
                $"Seed {_seed}, query {i}, tenant {Tenants(own)}: {operation}\nplain EF:     {expected.Text}\nwith tenancy: {actual.Text}{actual.Error}");
            same++;
        }

        Assert.True(same > _count / 2, $"{same} of {_count} queries could be compared.");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }
    }

    private static DbContextOptions Options(TestDatabase database, Action<DbContextOptionsBuilder>? configure = null)
    {
        var options = new DbContextOptionsBuilder().UseTestDatabase(database.ConnectionString)
            .ConfigureWarnings(w => w.Ignore(RelationalEventId.MultipleCollectionIncludeWarning, CoreEventId.RowLimitingOperationWithoutOrderByWarning));
        configure?.Invoke(options);
        return options.Options;
    }

    // What docs/limits.md says of keys of several properties, and of sets with a filter.
    private static bool IsLimit(Exception? error)
        => error is KeyNotFoundException or PostgresException { SqlState: PostgresErrorCodes.DatatypeMismatch }
            || (error is InvalidOperationException && error.Message.Contains("composite", StringComparison.Ordinal));

    private static (string? Text, Exception? Error) Answer(Func<string> run)
    {
        try
        {
            return (run(), null);
        }
        catch (TargetInvocationException exception)
        {
            return (null, exception.InnerException);
        }
        catch (Exception exception)
        {
            return (null, exception);
        }
    }

    private int FirstKey(int tenant)
        => reach == Reach.OneTenant && !KeysAreIdsOnly ? 1 : 100 * (tenant + 1);

    private async Task<TestDatabase> DatabaseAsync()
    {
        _databases.Add(await postgres.CreateDatabaseAsync());
        return _databases[^1];
    }

    private async Task SeedAsync(DbContextOptions options, IEnumerable<int> tenants, Action<BazaarContext, int>? use = null)
    {
        foreach (var tenant in tenants)
        {
            await using var db = Create(options);
            use?.Invoke(db, tenant);
            await db.Database.EnsureCreatedAsync();
            await new BazaarSeed(new Random(_seed + tenant), tenant, FirstKey(tenant)).SaveAsync(db);
        }
    }
}
