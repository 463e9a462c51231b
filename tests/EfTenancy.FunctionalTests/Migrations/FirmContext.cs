using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>A table that references itself and a global one, one that references it, and one by itself, partitioned as a test wants it.</summary>
public class FirmContext(string connectionString, FirmTables tables) : DbContext
{
    public DbSet<Firm> Firms => Set<Firm>();

    public DbSet<Deal> Deals => Set<Deal>();

    public DbSet<Memo> Memos => Set<Memo>();

    public static FirmContext For(string connectionString, string tenant, FirmTables tables)
    {
        var context = new FirmContext(connectionString, tables);
        context.Tenancy().Use(tenant);
        return context;
    }

    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        => optionsBuilder
            .UseTestDatabase(connectionString)
            .UseTenancy(
                t =>
                {
                    t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(tables.KeyStyle);
                    tables.Policy(t);
                })
            .ReplaceService<IModelCacheKeyFactory, PerTables>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Land>().IsSingleTenanted().ToTable("Lands").HasData(new Land { Id = 1, Name = "Here" });
        modelBuilder.Entity<Firm>().HasOne<Land>().WithMany().HasForeignKey(f => f.LandId);
        modelBuilder.Entity<Firm>().HasOne<Firm>().WithMany().HasForeignKey(f => f.ParentId);
        tables.Model(modelBuilder);
    }

    internal FirmTables Tables
        => tables;

    private sealed class PerTables : IModelCacheKeyFactory
    {
        public object Create(DbContext context, bool designTime)
            => (((FirmContext)context).Tables, designTime);
    }
}

/// <summary>How they are partitioned.</summary>
public sealed record FirmTables(
    Action<TenancyDbContextOptionsBuilder> Policy,
    Action<ModelBuilder> Model,
    TenantKeyStyle KeyStyle = TenantKeyStyle.TenantThenId)
{
    public static readonly FirmTables Plain = new(_ => { }, _ => { });

    public static readonly FirmTables Managed = new(t => t.PartitionMultiTenantedEntitiesManaged("tenants"), _ => { });

    public static readonly FirmTables List = new(
        t => t.PartitionMultiTenantedEntities(x => x.ByList().AddTenants("acme", "O'Brien").AddPartition("small", "s1", "s2")), _ => { });

    public static readonly FirmTables External = new(t => t.PartitionMultiTenantedEntities(x => x.ByExternallyManagedListPartitions()), _ => { });

    /// <summary>Memos only.</summary>
    public static readonly FirmTables ManagedMemos = new(
        _ => { }, m => m.Entity<Memo>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")));
}

public class Land
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Firm
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int? LandId { get; set; }

    public int? ParentId { get; set; }

    public List<Deal> Deals { get; } = [];
}

public class Deal
{
    public int Id { get; set; }

    public int FirmId { get; set; }

    public string? Text { get; set; }
}

public class Memo
{
    public int Id { get; set; }

    public required string Text { get; set; }
}
