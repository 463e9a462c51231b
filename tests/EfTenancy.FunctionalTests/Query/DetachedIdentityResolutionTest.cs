using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>
///     Identities of rows that are not tracked, where EF itself loads their navigations: it resolves them in a change tracker of its own, which
///     knows no tenant.
/// </summary>
public sealed class DetachedIdentityResolutionTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    [Theory]
    [InlineData(typeof(GlobalContext))]
    [InlineData(typeof(OwnPropertyContext))]
    [InlineData(typeof(IdOnlyContext))]
    public async Task Navigations_are_loaded_as_in_plain_EF(Type type)
    {
        var database = await DatabaseAsync();
        await using (var db = Context(type, database))
        {
            await db.Database.EnsureCreatedAsync();
            db.Add(new River { Name = "Elbe", Towns = { new Town { Name = "Pirna" }, new Town { Name = "Wedel" } } });
            await db.SaveChangesAsync();
        }

        await using var reader = Context(type, database);
        var town = await reader.Set<Town>().AsNoTracking().SingleAsync(t => t.Name == "Pirna");
        await reader.Entry(town).Reference(t => t.River).LoadAsync(LoadOptions.ForceIdentityResolution);
        reader.Entry(town.River!).Collection(r => r.Towns).Load(LoadOptions.ForceIdentityResolution);

        Assert.Equal(["Pirna", "Wedel"], town.River!.Towns.Select(t => t.Name).Order());
        Assert.Contains(town, town.River.Towns);
        Assert.Empty(reader.ChangeTracker.Entries());
    }

    private static DbContext Context(Type type, TestDatabase database)
    {
        var context = (DbContext)Activator.CreateInstance(type, database.ConnectionString)!;
        context.Tenancy().Use("Green");
        return context;
    }

    private abstract class RiverContext(string connectionString, TenantKeyStyle style) : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseTestDatabase(connectionString).UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style));

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<River>();
            modelBuilder.Entity<Town>();
        }
    }

    private sealed class GlobalContext(string connectionString) : RiverContext(connectionString, TenantKeyStyle.TenantThenId)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<River>().IsSingleTenanted();
            modelBuilder.Entity<Town>().IsSingleTenanted();
        }
    }

    private sealed class OwnPropertyContext(string connectionString) : RiverContext(connectionString, TenantKeyStyle.TenantThenId);

    private sealed class IdOnlyContext(string connectionString) : RiverContext(connectionString, TenantKeyStyle.IdOnly);

    private sealed class River
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }

        public List<Town> Towns { get; } = [];
    }

    private sealed class Town
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }

        public int? RiverId { get; set; }

        public River? River { get; set; }
    }
}
