using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestModels;

/// <summary>Tenants' rows, global rows, and relations between all of them.</summary>
public class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Order> Orders => Set<Order>();

    public DbSet<OrderLine> OrderLines => Set<OrderLine>();

    public DbSet<Region> Regions => Set<Region>();

    public DbSet<Invoice> Invoices => Set<Invoice>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Region>().IsSingleTenanted();
        modelBuilder.Entity<Customer>().HasIndex(c => c.Email).IsUnique();
        modelBuilder.Entity<Order>().HasQueryFilter("Live", o => !o.IsDeleted);
        modelBuilder.Entity<Order>().HasMany(o => o.Lines).WithOne(l => l.Order!).OnDelete(DeleteBehavior.ClientCascade);
    }
}

public class Region
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Customer> Customers { get; } = [];
}

public class Customer
{
    public int Id { get; set; }

    public required string Email { get; set; }

    public int? RegionId { get; set; }

    public Region? Region { get; set; }

    public List<Order> Orders { get; } = [];
}

public class Order
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public bool Paid { get; set; }

    public bool IsDeleted { get; set; }

    public int? CustomerId { get; set; }

    public Customer? Customer { get; set; }

    public List<OrderLine> Lines { get; } = [];
}

public class OrderLine
{
    public int Id { get; set; }

    public int OrderId { get; set; }

    public Order? Order { get; set; }

    public int Quantity { get; set; }
}

/// <summary>Has a tenant property of its own.</summary>
public class Invoice
{
    public Guid Id { get; set; }

    public string? TenantId { get; set; }

    public decimal Amount { get; set; }
}
