using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Composed queries against tenants in one database.</summary>
public class ComposedQueryTest(PostgresFixture postgres)
{
    [Fact]
    public Task Tenants_in_hash_partitions()
        => CompareAsync(
            new ComposedQueryOracle(postgres, Reach.OneTenant),
            t => t.PartitionMultiTenantedEntities(x => x.ByHash("a", "b")));

    [Fact]
    public Task Tenants_that_are_Guids_at_the_end_of_keys()
        => CompareAsync(
            new ComposedQueryOracle(postgres, Reach.OneTenant) { Tenants = i => $"0000000{i + 1}-0000-7000-8000-00000000000{i + 1}" },
            t => t.UseTenantProperty<Guid>().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant));

    [Fact]
    public Task Tenants_that_are_in_no_key()
        => CompareAsync(
            new ComposedQueryOracle(postgres, Reach.OneTenant) { Create = o => new UnsplitContext(o), KeysAreIdsOnly = true },
            t => t.UseTenantKeyStyle(TenantKeyStyle.IdOnly));

    [Theory]
    [InlineData(Reach.Group)]
    [InlineData(Reach.AnyTenant)]
    [InlineData(Reach.SomeSets)]
    public Task Rows_of_several_tenants(Reach reach)
        => CompareAsync(new ComposedQueryOracle(postgres, reach), _ => { });

    private static async Task CompareAsync(ComposedQueryOracle oracle, Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        await using (oracle)
        {
            await oracle.CompareAsync(
                t =>
                {
                    t.AllEntitiesAreMultiTenanted();
                    tenancy(t);
                });
        }
    }

    private sealed class UnsplitContext(DbContextOptions options) : BazaarContext(options)
    {
        protected override bool SplitsEntities
            => false;
    }
}
