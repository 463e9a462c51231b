using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>Happenings with remarks, in whatever way a test wants them mapped; each instance has a model of its own.</summary>
public class PartitionContext(string connectionString, Action<ModelBuilder> onModelCreating) : DbContext
{
    public DbSet<Happening> Events => Set<Happening>();

    public DbSet<Remark> Remarks => Set<Remark>();

    public static PartitionContext For(string connectionString, string tenant, Action<ModelBuilder> onModelCreating)
    {
        var context = new PartitionContext(connectionString, onModelCreating);
        context.Tenancy().Use(tenant);
        return context;
    }

    public static Action<ModelBuilder> Partitioned(Action<TenantPartitioningBuilder> partitioning)
        => modelBuilder =>
        {
            modelBuilder.Entity<Happening>().IsPartitionedByTenant(partitioning);
            modelBuilder.Entity<Remark>().IsPartitionedByTenant(partitioning);
        };

    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        => optionsBuilder
            .UseTestDatabase(connectionString)
            .UseTenancy(tenancy => tenancy.AllEntitiesAreMultiTenanted())
            .ReplaceService<IModelCacheKeyFactory, PerInstance>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Happening>();
        modelBuilder.Entity<Remark>();
        onModelCreating(modelBuilder);
    }

    private sealed class PerInstance : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime)
            => (context, designTime);
    }
}

public class Happening
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public DateTime At { get; set; } = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    public List<Remark> Remarks { get; } = [];
}

public class Remark
{
    public int Id { get; set; }

    public int HappeningId { get; set; }

    public string? Text { get; set; }
}
