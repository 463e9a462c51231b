using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>
///     Runs random units of work with tenancy and with plain EF, and compares all that came of each step: what is tracked, what was
///     saved or refused, and all rows. Other tenants' rows must stay as they were. Each unit of work is rolled back. Their number is that
///     of the queries of <see cref="ComposedQueryOracle" />, or <c>EFTENANCY_ORACLE_SAVES</c>.
/// </summary>
public sealed class ComposedSaveOracle(BazaarDatabases databases)
{
    private readonly int _count
        = IsolationOracle.Setting("EFTENANCY_ORACLE_SAVES", IsolationOracle.Setting("EFTENANCY_ORACLE_QUERIES", 14));

    public async Task CompareAsync()
    {
        await using var model = databases.Plain(0);
        for (var i = 0; i < _count; i++)
        {
            var seed = ComposedQueryOracle.Seed * 1_000_003 + i;
            var own = new Random(seed).Next(BazaarSeed.Tenants);

            await using var plain = new PlainSide(databases, own);
            var withoutTenancy = new ComposedSave(new Random(seed), plain, databases, model.Model);
            var expected = await withoutTenancy.RunAsync();

            await using var tenanted = new TenantedSide(databases, own);
            var withTenancy = new ComposedSave(new Random(seed), tenanted, databases, model.Model);
            var actual = await withTenancy.RunAsync();

            var same = expected.Zip(actual).TakeWhile(lines => lines.First == lines.Second).Count();
            Assert.True(
                same == expected.Count && same == actual.Count,
                $"""
                Seed {ComposedQueryOracle.Seed}, save {i}, tenant {databases.Tenants(own)}:
                {Lines(expected.Take(same).Where(l => l.StartsWith('>')))}
                plain EF:
                {Lines(expected.Skip(same).Take(3))}
                {withoutTenancy.Failures.GetValueOrDefault(same)}
                with tenancy:
                {Lines(actual.Skip(same).Take(3))}
                {withTenancy.Failures.GetValueOrDefault(same)}
                """);
        }

        static string Lines(IEnumerable<string> lines)
            => string.Join('\n', lines);
    }
}
