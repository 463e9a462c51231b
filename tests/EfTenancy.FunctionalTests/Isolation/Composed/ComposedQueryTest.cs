using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Composed queries, bulk writes and saves against tenants in one database.</summary>
public class ComposedQueryTest(PostgresFixture postgres)
{
    [Fact]
    public Task Tenants_in_hash_partitions()
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed),
            t => t.PartitionMultiTenantedEntities(x => x.ByHash("a", "b")));

    [Fact]
    public Task Tenants_in_list_partitions()
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed),
            t => t.PartitionMultiTenantedEntities(x => x.ByList().AddPartition("two", "Green", "O'Blue").AddPartition("one", "Red")));

    [Fact]
    public Task Tenants_that_are_Guids_at_the_end_of_keys()
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { Tenants = i => $"0000000{i + 1}-0000-7000-8000-00000000000{i + 1}" },
            t => t.UseTenantProperty<Guid>().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant));

    [Fact]
    public Task Tenants_that_are_in_no_key()
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { Context = typeof(UnsplitContext), KeysAreDisjoint = true, RefusesReferencesFirst = true },
            t => t.UseTenantKeyStyle(TenantKeyStyle.IdOnly));

    [Fact]
    public Task Tenants_that_share_a_pooled_context()
        => CompareSavesAsync(new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { ArePooled = true }, _ => { });

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public Task Tenants_that_share_rows(TenantKeyStyle style)
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed)
            {
                Context = Sharing(style), KeysAreDisjoint = true, RefusesReferencesFirst = style == TenantKeyStyle.IdOnly, HaveSharedRows = true,
            },
            t => t.UseTenantKeyStyle(style),
            Reach.Shared);

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public Task Tenants_that_share_rows_and_a_pooled_context(TenantKeyStyle style)
        => CompareSavesAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed)
            {
                Context = Sharing(style), KeysAreDisjoint = true, RefusesReferencesFirst = style == TenantKeyStyle.IdOnly, HaveSharedRows = true,
                ArePooled = true,
            },
            t => t.UseTenantKeyStyle(style));

    [Fact]
    public Task Several_tenants_in_one_unit_of_work()
        => CompareSavesAsync(new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { KeysAreDisjoint = true, PlainHasAllTenants = true }, _ => { });

    [Fact]
    public Task Several_tenants_in_one_unit_of_work_with_a_pooled_context()
        => CompareSavesAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { KeysAreDisjoint = true, PlainHasAllTenants = true, ArePooled = true }, _ => { });

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public Task Groups_of_tenants_and_one_of_them_in_turn(TenantKeyStyle style)
        => CompareSavesAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed)
            {
                Context = Plain(style), KeysAreDisjoint = true, RefusesReferencesFirst = style == TenantKeyStyle.IdOnly, PlainHasAllTenants = true,
                ArePooled = true, IsGroup = t => t != 1,
            },
            t => t.UseTenantKeyStyle(style));

    [Fact]
    public Task Several_tenants_that_are_in_no_key_in_one_unit_of_work()
        => CompareSavesAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed)
            {
                Context = typeof(UnsplitContext), KeysAreDisjoint = true, RefusesReferencesFirst = true, PlainHasAllTenants = true,
            },
            t => t.UseTenantKeyStyle(TenantKeyStyle.IdOnly));

    [Fact]
    public Task A_compiled_model()
        => CompareAsync(new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { ModelIsCompiled = true }, _ => { });

    [Theory]
    [InlineData(Reach.Group, TenantKeyStyle.TenantThenId)]
    [InlineData(Reach.Group, TenantKeyStyle.IdThenTenant)]
    [InlineData(Reach.Group, TenantKeyStyle.IdOnly)]
    [InlineData(Reach.AnyTenant, TenantKeyStyle.TenantThenId)]
    [InlineData(Reach.AcrossTenants, TenantKeyStyle.TenantThenId)]
    [InlineData(Reach.AcrossTenants, TenantKeyStyle.IdOnly)]
    [InlineData(Reach.IgnoredFilters, TenantKeyStyle.TenantThenId)]
    [InlineData(Reach.SomeSets, TenantKeyStyle.TenantThenId)]
    public Task Rows_of_several_tenants(Reach reach, TenantKeyStyle style)
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed) { Context = Plain(style), KeysAreDisjoint = true, PlainHasAllTenants = true },
            t => t.UseTenantKeyStyle(style),
            reach);

    [Theory]
    [InlineData(Reach.Group, TenantKeyStyle.TenantThenId)]
    [InlineData(Reach.Group, TenantKeyStyle.IdOnly)]
    [InlineData(Reach.SomeSets, TenantKeyStyle.TenantThenId)]
    public Task Rows_of_several_tenants_that_share_rows(Reach reach, TenantKeyStyle style)
        => CompareAsync(
            new BazaarDatabases(postgres, ComposedQueryOracle.Seed)
            {
                Context = Sharing(style), KeysAreDisjoint = true, PlainHasAllTenants = true, HaveSharedRows = true,
            },
            t => t.UseTenantKeyStyle(style),
            reach);

    private static Type Plain(TenantKeyStyle style)
        => style == TenantKeyStyle.IdOnly ? typeof(UnsplitContext) : typeof(BazaarContext);

    private static Type Sharing(TenantKeyStyle style)
        => style == TenantKeyStyle.IdOnly ? typeof(UnsplitSharingContext) : typeof(SharingContext);

    private static async Task CompareAsync(
        BazaarDatabases databases,
        Action<TenancyDbContextOptionsBuilder> tenancy,
        Reach reach = Reach.OneTenant)
    {
        await using (databases)
        {
            await databases.CreateAsync(t => tenancy(t.AllEntitiesAreMultiTenanted()));
            await new ComposedQueryOracle(databases, reach).CompareAsync();
            if (reach is Reach.OneTenant or Reach.Shared)
            {
                await new ComposedSaveOracle(databases).CompareAsync();
            }
        }
    }

    private static async Task CompareSavesAsync(BazaarDatabases databases, Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        await using (databases)
        {
            await databases.CreateAsync(t => tenancy(t.AllEntitiesAreMultiTenanted()));
            await new ComposedSaveOracle(databases).CompareAsync();
        }
    }

    private sealed class UnsplitContext(DbContextOptions options) : BazaarContext(options)
    {
        protected override bool SplitsEntities
            => false;
    }

    private sealed class UnsplitSharingContext(DbContextOptions options) : SharingContext(options)
    {
        protected override bool SplitsEntities
            => false;
    }
}
