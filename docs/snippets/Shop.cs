using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Snippets;

public class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
{
    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Order> Orders => Set<Order>();

    public DbSet<Country> Countries => Set<Country>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Country>().HasKey(c => c.Code);
        modelBuilder.Entity<Customer>().HasIndex(c => c.Email).IsUnique();
    }
}

[SingleTenanted]
public class Country
{
    public required string Code { get; set; }
}

public class Customer
{
    public int Id { get; set; }

    public required string Email { get; set; }

    public List<Order> Orders { get; } = [];
}

public class Order
{
    public int Id { get; set; }

    public string Title { get; set; } = "";

    public bool Paid { get; set; }

    public int CustomerId { get; set; }

    public Customer? Customer { get; set; }
}

public class HttpTenantAccessor(Microsoft.AspNetCore.Http.IHttpContextAccessor http) : ITenantAccessor
{
    public string? TenantId => http.HttpContext?.Request.Headers["X-Tenant"];
}
