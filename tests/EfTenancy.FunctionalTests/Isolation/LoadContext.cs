using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>Each row carries a payload that its writer begins with its own tenant, so that a row tells by itself whose it is.</summary>
public class LoadContext(DbContextOptions<LoadContext> options) : DbContext(options)
{
    public DbSet<Shipment> Shipments => Set<Shipment>();

    public DbSet<Leg> Legs => Set<Leg>();

    public DbSet<Memo> Memos => Set<Memo>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Shipment>().HasMany(j => j.Legs).WithOne(s => s.Shipment).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<Memo>().IsPartitionedByTenant(x => x.ByList().AddTenants("Green", "Red"));
    }
}

public interface IPayload
{
    string Payload { get; set; }
}

public class Shipment : IPayload
{
    public int Id { get; set; }

    public required string Payload { get; set; }

    public List<Leg> Legs { get; } = [];
}

public class Leg : IPayload
{
    public int Id { get; set; }

    public required string Payload { get; set; }

    public int ShipmentId { get; set; }

    public Shipment? Shipment { get; set; }
}

public class Memo : IPayload
{
    public int Id { get; set; }

    public string? TenantId { get; set; }

    public required string Payload { get; set; }
}
