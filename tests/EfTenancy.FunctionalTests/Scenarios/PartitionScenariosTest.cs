using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenarios of partitions, under their numbers.</summary>
public class PartitionScenariosTest(PostgresFixture postgres)
{
    [Fact]
    public async Task Scenario_42_an_exempted_type_stays_unpartitioned()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = new ExemptContext(
                new DbContextOptionsBuilder<ExemptContext>().UseTestDatabase(database.ConnectionString)
                    .UseTenancy(
                        t => t.AllEntitiesAreMultiTenanted()
                            .PartitionMultiTenantedEntities(x => x.ByList().AddTenants("Green", "Red"))).Options);
            context.Tenancy().Use(tenant);
            await context.Database.EnsureCreatedAsync();
            context.AddRange(new Split { Id = 1 }, new Called { Id = 1 }, new Marked { Id = 1 });
            await context.SaveChangesAsync();
            Assert.Equal((1, 1), (await context.Set<Called>().CountAsync(), await context.Set<Marked>().CountAsync()));
        }

        // p: partitioned, r: an ordinary table. Each is of the tenants all the same.
        Assert.Equal(
            ["Called r", "Marked r", "Split p"],
            await database.ColumnAsync(
                """
                SELECT relname || ' ' || relkind::text FROM pg_class
                WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1
                """));
        Assert.Equal(
            ["Split", "Split"],
            await database.ColumnAsync("SELECT p.relname FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent AND p.relkind = 'p'"));
        foreach (var table in (string[])["Called", "Marked", "Split"])
        {
            Assert.Equal(["Green", "Red"], await database.ColumnAsync($"""SELECT "TenantId" FROM "{table}" ORDER BY 1"""));
        }
    }

    public class ExemptContext(DbContextOptions<ExemptContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Split>();
            modelBuilder.Entity<Called>().DoNotPartition();
            modelBuilder.Entity<Marked>();
        }
    }

    public class Split
    {
        public int Id { get; set; }
    }

    public class Called
    {
        public int Id { get; set; }
    }

    [DoNotPartition]
    public class Marked
    {
        public int Id { get; set; }
    }
}
