using System.Reflection;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>
///     Composes queries and bulk writes at random, runs each with tenancy and with plain EF, and compares the answers. The queries are the
///     same at each run, since EF has faults of its own with keys of several properties; for others, and more:
///     <c>EFTENANCY_ORACLE_SEED=7 EFTENANCY_ORACLE_QUERIES=20000 dotnet test</c>.
/// </summary>
/// <param name="databases">With tables of their own for each tenant unless a query is to read those of several.</param>
/// <param name="reach">Whose rows are read.</param>
public sealed class ComposedQueryOracle(BazaarDatabases databases, Reach reach)
{
    private readonly int _count = IsolationOracle.Setting("EFTENANCY_ORACLE_QUERIES", 20);

    public static int Seed { get; } = IsolationOracle.Setting("EFTENANCY_ORACLE_SEED", 1);

    public async Task CompareAsync()
    {
        await using var model = databases.Plain(0);
        var answers = new QueryAnswer(model.Model);
        var same = 0;
        for (var i = 0; i < _count; i++)
        {
            var random = new Random(Seed * 1_000_003 + i);
            var own = random.Next(BazaarSeed.Tenants);
            var composer = new QueryComposer(random, model.Model, databases.FirstKey(own)) { IsOfOneTenant = reach == Reach.OneTenant };
            IComposedOperation operation = reach is Reach.OneTenant or Reach.Shared && random.Next(4) == 0
                ? new ComposedWrite(composer, random)
                : new ComposedQuery(composer, random);
            var choice = random.Next();
            List<int> tenants = operation is ComposedQuery { IsCompiled: true } ? [own, (own + 1) % BazaarSeed.Tenants] : [own];
            same += tenants.Count(t => IsSame(operation, new ReachedSets(reach, t, choice, databases.HaveSharedRows), t, answers, i)) / tenants.Count;
        }

        Assert.True(same >= _count / 2, $"{same} of {_count} queries could be compared.");
    }

    private bool IsSame(IComposedOperation operation, ReachedSets sets, int own, QueryAnswer answers, int number)
    {
        using var db = databases.Plain(own);
        var expected = Answer(() => operation.Run(db, sets.WithoutTenancy(db), answers));
        if (expected.Error is not null)
        {
            return false;
        }

        using var tenanted = databases.Tenanted();
        sets.Use(tenanted, databases.Tenants);
        var actual = Answer(() => operation.Run(tenanted, sets.WithTenancy(tenanted, databases.Tenants), answers));
        if (IsLimit(actual.Error))
        {
            return false;
        }

        Assert.True(
            expected.Text == actual.Text,
            $"Seed {Seed}, query {number}, tenant {databases.Tenants(own)}: {operation}\nplain EF:     {expected.Text}\nwith tenancy: {actual.Text}{actual.Error}");
        return true;
    }

    // What docs/limits.md says of keys of several properties, of sets with a filter, and of navigations from shared rows.
    private static bool IsLimit(Exception? error)
        => error is KeyNotFoundException or PostgresException { SqlState: PostgresErrorCodes.DatatypeMismatch }
            || (error is InvalidOperationException
                && (error.Message.Contains("composite", StringComparison.Ordinal) || error.Message.Contains("shared rows", StringComparison.Ordinal)));

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
}
