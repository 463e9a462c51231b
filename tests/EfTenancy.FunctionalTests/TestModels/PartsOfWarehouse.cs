using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestModels;

/// <summary>Knows one table of the warehouse.</summary>
public class PartialContext(DbContextOptions<PartialContext> options) : DbContext(options)
{
    public static PartialContext Create(string connectionString)
        => new(
            new DbContextOptionsBuilder<PartialContext>()
                .UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(WarehouseContext.Registry))
                .Options);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Category>().ToTable("Categories");
}

/// <summary>The warehouse after another migration.</summary>
public class LaterContext(DbContextOptions<WarehouseContext> options) : WarehouseContext(options)
{
    public DbSet<Survey> Surveys => Set<Survey>();

    public static LaterContext Create(string connectionString)
        => new(
            new DbContextOptionsBuilder<WarehouseContext>()
                .UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(Registry))
                .Options);

    public async Task CreateNewTableAsync()
    {
        await using var before = WarehouseContext.Create(Database.GetConnectionString()!);
        await ModelMigration.MigrateAsync(before, this);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Survey>().HasOne<TenantProcess.Customer>().WithMany().HasForeignKey(s => s.CustomerId);
        base.OnModelCreating(modelBuilder);
    }
}

public class Survey
{
    public int Id { get; set; }

    public int CustomerId { get; set; }
}
