using EfTenancy.FunctionalTests.Mapping;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

/// <summary>Bulk inserts into the mappings of one kind, on plain and on partitioned tables.</summary>
public abstract class BulkInsertMappingTest<TContext>(PlainDatabase<TContext> plain, HashedDatabase<TContext> hashed)
    : IClassFixture<PlainDatabase<TContext>>, IClassFixture<HashedDatabase<TContext>>
    where TContext : MappingContext
{
    protected async Task VerifyAsync<TEntity>(Tables tables, BulkInsertScenario<TEntity> scenario)
        where TEntity : class
    {
        if (tables == Tables.Plain)
        {
            await scenario.RunAsync(plain);
        }
        else
        {
            await scenario.RunAsync(hashed);
        }
    }

    protected TContext For(string tenant)
        => plain.For(tenant);
}
