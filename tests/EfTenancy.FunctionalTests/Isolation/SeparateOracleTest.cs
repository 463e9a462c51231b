using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     The same oracle against tenants in databases, schemas and shards of their own. Contexts come from one pool, and few sessions with
///     prepared statements serve all tenants of a server, so that anything kept from one tenant meets the next.
/// </summary>
/// <remarks>What works for several tenants at once ends where their places do: <see cref="SeparateReachTest" />.</remarks>
public sealed class SeparateOracleTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    // Two that differ by their case only, and would be one schema or database if names were made carelessly.
    private static readonly string[] Tenants = ["Green", "Red", "O'Blue", "東京", "green"];

    private readonly IsolationOracle _oracle = new(postgres, share: 4);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_database_for_each_tenant(bool withTenantColumns)
    {
        var places = new Dictionary<string, string>();
        foreach (var tenant in Tenants)
        {
            places[tenant] = await ConnectionStringAsync();
        }

        await CompareAsync(
            x => x.MultiTenantedDatabases(
                d =>
                {
                    foreach (var (tenant, connectionString) in places)
                    {
                        d.AddSingleTenantDatabase(connectionString, tenant);
                    }
                }),
            withTenantColumns ? t => t.AllEntitiesAreMultiTenanted() : null,
            CreateTablesAsync);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_schema_for_each_tenant(bool withTenantColumns)
    {
        var home = await ConnectionStringAsync();
        await CompareAsync(
            x => x.MultiTenantedSchemas(home, s => s.CreateSchemasOnFirstUse()),
            withTenantColumns ? t => t.AllEntitiesAreMultiTenanted() : null,
            CreateTablesAsync);
    }

    [Fact]
    public async Task Shards_with_several_tenants_each()
    {
        var (home, one, two) = (await ConnectionStringAsync(), await ConnectionStringAsync(), await ConnectionStringAsync());
        await CompareAsync(
            x => x.MultiTenantedWithShardedDatabases(
                home,
                s =>
                {
                    s.NameDatabase("one", one);
                    s.NameDatabase("two", two);
                    s.AssignBy((tenant, _) => tenant is "Green" or "green" or "東京" ? "one" : "two");
                }),
            Partitioned,
            CreateTablesAsync);
    }

    [Fact]
    public async Task Some_share_one_has_a_schema_and_one_a_database()
    {
        var (home, own) = (await ConnectionStringAsync(), await ConnectionStringAsync());
        await CompareAsync(
            x => x.MultiTenantedDatabasesWithMasterDatabaseTable(
                home,
                t =>
                {
                    t.OthersShareTheHomeDatabase();
                    t.NameDatabase("own", own);
                }),
            Partitioned,
            async (databases, contextFor) =>
            {
                // As an application that began with everybody in one database.
                await using (var green = contextFor("Green"))
                {
                    await green.Database.EnsureCreatedAsync();
                }

                await databases.AddAsync("Red", TenantDestination.InSchema("red"));
                await databases.AddAsync("O'Blue", TenantDestination.InDatabase("own"));
                foreach (var tenant in (string[])["Red", "O'Blue"])
                {
                    await using var db = contextFor(tenant);
                    Assert.True(await db.Database.EnsureCreatedAsync());
                }
            });
    }

    private static void Partitioned(TenancyDbContextOptionsBuilder tenancy)
        => tenancy.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByHash("a", "b", "c"));

    private static async Task CreateTablesAsync(TenantDatabases databases, Func<string, OracleContext> contextFor)
    {
        foreach (var tenant in Tenants)
        {
            await using var db = contextFor(tenant);
            await db.Database.EnsureCreatedAsync();
        }
    }

    private async Task CompareAsync(
        Action<TenantDatabasesBuilder> build,
        Action<TenancyDbContextOptionsBuilder>? tenancy,
        Func<TenantDatabases, Func<string, OracleContext>, Task> createTables)
    {
        var databases = TenantDatabases.Create(build);
        Own(databases);
        var pool = new PooledDbContextFactory<OracleContext>(
            new DbContextOptionsBuilder<OracleContext>()
                .UseTestDatabase("Host=nowhere.invalid")
                .UseTenancy(
                    t =>
                    {
                        t.UseTenantDatabases(databases);
                        tenancy?.Invoke(t);
                    })
                .Options);

        await createTables(databases, ContextFor);
        await _oracle.CompareAsync(Tenants, ContextFor);

        OracleContext ContextFor(string tenant)
            => pool.CreateDbContext(tenant);
    }

    private async Task<string> ConnectionStringAsync()
    {
        var database = await DatabaseAsync();
        return new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = 2, MaxAutoPrepare = 30, AutoPrepareMinUsages = 2 }
            .ConnectionString;
    }
}
