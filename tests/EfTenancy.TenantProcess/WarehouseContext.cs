using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfTenancy.TenantProcess;

/// <summary>Ten related tables whose partitions follow the registry, one of them referencing itself, and a global table.</summary>
public class WarehouseContext(DbContextOptions<WarehouseContext> options) : DbContext(options)
{
    public const string Registry = "tenants";

    public DbSet<Category> Categories => Set<Category>();

    public DbSet<Product> Products => Set<Product>();

    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Order> Orders => Set<Order>();

    public DbSet<OrderLine> OrderLines => Set<OrderLine>();

    public static WarehouseContext Create(string connectionString, string? tenant = null)
    {
        var context = new WarehouseContext(
            new DbContextOptionsBuilder<WarehouseContext>()
                .UseNpgsql(connectionString)
                // The tests of one process try more kinds of services than EF thinks an application would.
                .ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged(Registry))
                .Options);
        if (tenant is not null)
        {
            context.Tenancy().Use(tenant);
        }

        return context;
    }

    /// <summary>A customer with an order, and a row in each other table.</summary>
    public void AddRows(int id)
    {
        var category = new Category { Id = id, Name = "root", Children = { new Category { Id = id + 1_000_000, Name = "child" } } };
        var product = new Product { Id = id, Category = category };
        var customer = new Customer { Id = id, RegionId = 1, Addresses = { new Address { Id = id } }, Remarks = { new Remark { Id = id } } };
        var order = new Order
        {
            Id = id,
            Customer = customer,
            Lines = { new OrderLine { Id = id, Product = product, Quantity = id } },
            Invoices = { new Invoice { Id = id, Payments = { new Payment { Id = id } } } },
            Shipments = { new Shipment { Id = id } },
        };
        Add(order);
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Region>().IsSingleTenanted().HasData(new Region { Id = 1, Name = "North" });
        modelBuilder.Entity<Category>().HasMany(c => c.Children).WithOne().HasForeignKey(c => c.ParentId);
        foreach (var entityType in modelBuilder.Model.GetEntityTypes())
        {
            entityType.FindProperty("Id")!.ValueGenerated = Microsoft.EntityFrameworkCore.Metadata.ValueGenerated.Never;
        }
    }
}

public class Region
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Category
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int? ParentId { get; set; }

    public List<Category> Children { get; } = [];
}

public class Product
{
    public int Id { get; set; }

    public int CategoryId { get; set; }

    public Category? Category { get; set; }
}

public class Customer
{
    public int Id { get; set; }

    public int? RegionId { get; set; }

    public Region? Region { get; set; }

    public List<Address> Addresses { get; } = [];

    public List<Remark> Remarks { get; } = [];
}

public class Address
{
    public int Id { get; set; }

    public int CustomerId { get; set; }
}

public class Remark
{
    public int Id { get; set; }

    public int CustomerId { get; set; }
}

public class Order
{
    public int Id { get; set; }

    public int CustomerId { get; set; }

    public Customer? Customer { get; set; }

    public List<OrderLine> Lines { get; } = [];

    public List<Invoice> Invoices { get; } = [];

    public List<Shipment> Shipments { get; } = [];
}

public class OrderLine
{
    public int Id { get; set; }

    public int OrderId { get; set; }

    public int ProductId { get; set; }

    public Product? Product { get; set; }

    public int Quantity { get; set; }
}

public class Invoice
{
    public int Id { get; set; }

    public int OrderId { get; set; }

    public List<Payment> Payments { get; } = [];
}

public class Payment
{
    public int Id { get; set; }

    public int InvoiceId { get; set; }
}

public class Shipment
{
    public int Id { get; set; }

    public int OrderId { get; set; }
}
