using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

/// <summary>New objects with a tenant property of their own, found by EF behind a row of another tenant that was opened.</summary>
public sealed class OwnPropertyGraphTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    [Fact]
    public async Task A_new_object_that_says_no_tenant_becomes_that_of_the_row_that_references_it()
    {
        var database = await CreateAsync();

        await using (var green = Context(database))
        {
            var wolf = await green.Tenancy().ForTenant("Red").Set<Animal>().SingleAsync();
            wolf.Den = new Den { Name = "hill", Animals = { new Animal { Name = "cub" } } };
            wolf.Toys.Add(new Toy { Name = "bone" });
            await green.SaveChangesAsync();
        }

        Assert.Equal(["Red bone", "Red cub", "Red hill", "Red wolf"], await RowsAsync(database));
    }

    [Fact]
    public async Task A_new_object_that_says_another_tenant_is_refused()
    {
        var database = await CreateAsync();

        await using (var green = Context(database))
        {
            var wolf = await green.Tenancy().ForTenant("Red").Set<Animal>().SingleAsync();
            wolf.Den = new Den { TenantId = "Green", Name = "hill" };
            await Assert.ThrowsAnyAsync<InvalidOperationException>(() => green.SaveChangesAsync());
        }

        Assert.Equal(["Red wolf"], await RowsAsync(database));
    }

    [Fact]
    public async Task A_new_object_of_its_own_is_the_contexts()
    {
        var database = await CreateAsync();

        await using (var green = Context(database))
        {
            var wolf = await green.Tenancy().ForTenant("Red").Set<Animal>().SingleAsync();
            wolf.Toys.Add(new Toy { Name = "bone" });
            green.Add(new Den { Name = "hole" });
            await green.SaveChangesAsync();
        }

        Assert.Equal(["Green hole", "Red bone", "Red wolf"], await RowsAsync(database));
    }

    private async Task<TestDatabase> CreateAsync()
    {
        var database = await DatabaseAsync();
        await using var red = Context(database, "Red");
        await red.Database.EnsureCreatedAsync();
        red.Add(new Animal { Name = "wolf" });
        await red.SaveChangesAsync();
        return database;
    }

    private static async Task<string[]> RowsAsync(TestDatabase database)
        => [.. await database.ColumnAsync(
            """
            SELECT "TenantId" || ' ' || "Name" FROM (SELECT "TenantId", "Name" FROM "Animals" UNION ALL SELECT "TenantId", "Name" FROM "Dens"
                UNION ALL SELECT "TenantId", "Name" FROM "Toy") AS x ORDER BY 1
            """)];

    private static ZooContext Context(TestDatabase database, string tenant = "Green")
    {
        var context = new ZooContext(
            new DbContextOptionsBuilder<ZooContext>().UseTestDatabase(database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private sealed class ZooContext(DbContextOptions<ZooContext> options) : DbContext(options)
    {
        public DbSet<Animal> Animals => Set<Animal>();

        public DbSet<Den> Dens => Set<Den>();
    }

    private sealed class Animal
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }

        public Den? Den { get; set; }

        public List<Toy> Toys { get; } = [];
    }

    private sealed class Den
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }

        public List<Animal> Animals { get; } = [];
    }

    private sealed class Toy
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }
    }
}
