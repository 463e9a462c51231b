using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>Mappings of one kind, on plain and on partitioned tables. Each mapping has tables of its own, so they share the databases.</summary>
public abstract class MappingTest<TContext>(PlainDatabase<TContext> plain, HashedDatabase<TContext> hashed)
    : IClassFixture<PlainDatabase<TContext>>, IClassFixture<HashedDatabase<TContext>>
    where TContext : MappingContext
{
    /// <summary>Tables that the policy does not partition.</summary>
    protected virtual string[] PlainTables => [];

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Every_table_leads_its_key_with_the_tenant(Tables tables)
    {
        Assert.Empty(
            await Database(tables).ColumnAsync(
                """
                SELECT c.relname
                FROM pg_class c
                WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
                    AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
                    AND NOT EXISTS (
                        SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
                        WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'TenantId' AND a.attnotnull)
                ORDER BY 1
                """));

    }

    [Fact]
    public async Task Every_table_is_partitioned()
        => Assert.Equal(
            PlainTables,
            await Database(Tables.Hashed).ColumnAsync(
                """
                SELECT relname FROM pg_class
                WHERE relkind = 'r' AND NOT relispartition AND relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
                """));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Every_foreign_key_between_tenants_rows_holds_the_tenant(Tables tables)
        => Assert.Empty(
            await Database(tables).ColumnAsync(
                """
                SELECT f.conrelid::regclass || '.' || f.conname
                FROM pg_constraint f
                WHERE f.contype = 'f' AND f.conparentid = 0
                    AND (SELECT attname FROM pg_attribute WHERE attrelid = f.conrelid AND attnum = f.conkey[1]) <> 'TenantId'
                    AND EXISTS (SELECT FROM pg_attribute WHERE attrelid = f.confrelid AND attname = 'TenantId')
                """));

    protected Task VerifyAsync<TEntity>(Tables tables, MappingScenario<TEntity> scenario)
        where TEntity : class
        => scenario.RunAsync(tenant => For(tables, tenant), Database(tables));

    protected TContext For(Tables tables, string tenant)
        => (tables == Tables.Plain ? (MappingDatabase<TContext>)plain : hashed).For(tenant);

    protected TestDatabase Database(Tables tables)
        => tables == Tables.Plain ? plain.Database : hashed.Database;
}
