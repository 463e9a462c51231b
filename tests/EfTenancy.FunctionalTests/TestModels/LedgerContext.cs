using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestModels;

/// <summary>An ordinary context without a word about tenants; currencies are in a schema of their own, which tenants share.</summary>
public class LedgerContext(DbContextOptions<LedgerContext> options) : DbContext(options)
{
    public DbSet<Account> Accounts => Set<Account>();

    public DbSet<Posting> Postings => Set<Posting>();

    public DbSet<Currency> Currencies => Set<Currency>();

    public static DbContextOptions<LedgerContext> Options(
        TenantDatabases databases,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        => new DbContextOptionsBuilder<LedgerContext>()
            .UseTestDatabase("Host=nowhere.invalid")
            .UseTenancy(
                t =>
                {
                    t.UseTenantDatabases(databases);
                    tenancy?.Invoke(t);
                })
            .Options;

    public static LedgerContext For(TenantDatabases databases, string tenant)
    {
        var context = new LedgerContext(Options(databases));
        context.Tenancy().Use(tenant);
        return context;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Account>().Property(a => a.Id).UseHiLo();
        modelBuilder.Entity<Currency>().ToTable("Currencies", "shared");
    }
}

public class Account
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public string? CurrencyCode { get; set; }

    public Currency? Currency { get; set; }

    public List<Posting> Postings { get; } = [];
}

public class Posting
{
    public int Id { get; set; }

    public int AccountId { get; set; }

    public Account? Account { get; set; }

    public decimal Amount { get; set; }
}

public class Currency
{
    [System.ComponentModel.DataAnnotations.Key]
    public required string Code { get; set; }
}
