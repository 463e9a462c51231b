using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>The oracle against tenants in one database.</summary>
public class IsolationOracleTest(PostgresFixture postgres)
{
    private static readonly string[] NamedTenants = ["Green", "Red", "O'Blue", "東京", "*DEFAULT*"];

    private static readonly string[] GuidTenants
        = ["*DEFAULT*", .. Enumerable.Range(1, 4).Select(i => $"0000000{i}-0000-7000-8000-00000000000{i}")];

    [Fact]
    public Task Tenants_in_one_database_answer_as_if_each_had_its_own()
        => CompareAsync(
            NamedTenants,
            new IsolationOracle(postgres),
            t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByHash("a", "b", "c")));

    [Fact]
    public Task So_do_tenants_that_are_Guids_at_the_end_of_keys()
        => CompareAsync(
            GuidTenants,
            new IsolationOracle(postgres, share: 4),
            t => t.AllEntitiesAreMultiTenanted().UseTenantProperty<Guid>().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant));

    private async Task CompareAsync(string[] tenants, IsolationOracle oracle, Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        await using var shared = await postgres.CreateDatabaseAsync();
        var options = new DbContextOptionsBuilder<OracleContext>().UseTestDatabase(shared.ConnectionString).UseTenancy(tenancy).Options;
        await using (var db = new OracleContext(options))
        {
            await db.Database.EnsureCreatedAsync();
        }

        await oracle.CompareAsync(
            tenants,
            tenant =>
            {
                var context = new OracleContext(options);
                context.Tenancy().Use(tenant);
                return context;
            });
    }
}
