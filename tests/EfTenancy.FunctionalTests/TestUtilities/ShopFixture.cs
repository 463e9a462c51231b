using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>The shop with the tenants Green, Red and Blue: in each, order 1 and 2 with lines, of which order 2 is paid.</summary>
public class ShopFixture(PostgresFixture postgres) : DatabaseFixture<ShopContext>(postgres)
{
    public List<string> Sql { get; } = [];

    public override ShopContext CreateContext(string connectionString)
        => new(new DbContextOptionsBuilder<ShopContext>()
            .UseTestDatabase(connectionString)
            .ConfigureWarnings(w => w.Default(WarningBehavior.Throw))
            .LogTo(Sql.Add, [Microsoft.EntityFrameworkCore.Diagnostics.RelationalEventId.CommandExecuted])
            .UseTenancy(Configure)
            .Options);

    public ShopContext CreateContext(string connectionString, string tenant)
    {
        var context = CreateContext(connectionString);
        context.Tenancy().Use(tenant);
        return context;
    }

    public ShopContext For(string tenant)
        => CreateContext(ConnectionString, tenant);

    protected virtual void Configure(TenancyDbContextOptionsBuilder tenancy)
        => tenancy.AllEntitiesAreMultiTenanted();

#pragma warning disable EF1002 // The names of three tables.
    protected override async Task SeedTemplateAsync(ShopContext context)
    {
        await context.Database.EnsureCreatedAsync();
        context.Regions.Add(new Region { Id = 1, Name = "North" });
        await context.SaveChangesAsync();

        foreach (var tenant in (string[])["Green", "Red", "Blue"])
        {
            context.ChangeTracker.Clear();
            context.Tenancy().Use(tenant);
            context.Customers.Add(
                new Customer
                {
                    Id = 1,
                    Email = "a@x.org",
                    RegionId = 1,
                    Orders =
                    {
                        new Order { Id = 1, Title = tenant + " 1", Lines = { new OrderLine { Id = 1, Quantity = 10 } } },
                        new Order { Id = 2, Title = tenant + " 2", Paid = true, Lines = { new OrderLine { Id = 2, Quantity = 20 } } },
                        new Order { Id = 3, Title = tenant + " 3", Paid = true, IsDeleted = true },
                    },
                });
            context.Invoices.Add(new Invoice { Amount = 1 });
            await context.SaveChangesAsync();
        }

        // The rows above were given their ids; generated ones come after them.
        foreach (var table in (string[])["Customers", "Orders", "OrderLines"])
        {
            await context.Database.ExecuteSqlRawAsync($"ALTER TABLE \"{table}\" ALTER COLUMN \"Id\" RESTART WITH 100");
        }
    }
#pragma warning restore EF1002
}
