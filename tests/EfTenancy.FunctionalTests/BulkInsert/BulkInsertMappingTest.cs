using EfTenancy.FunctionalTests.Mapping;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

/// <summary>Bulk inserts into the mappings of one kind, on plain and on partitioned tables. Each test finds the plain ones empty.</summary>
public abstract class BulkInsertMappingTest<TContext>(PlainDatabase<TContext> plain, HashedDatabase<TContext> hashed)
    : IClassFixture<PlainDatabase<TContext>>, IClassFixture<HashedDatabase<TContext>>, IAsyncLifetime
    where TContext : MappingContext
{
    public async ValueTask InitializeAsync()
        => await plain.Database.EmptyAsync();

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

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
