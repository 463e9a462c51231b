using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Infrastructure;

public class TenantPropertyTest(PostgresFixture postgres)
{
    [Fact]
    public async Task The_name_and_the_length_are_those_asked_for_and_hold_everywhere()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var options = new DbContextOptionsBuilder<ShopContext>().UseTestDatabase(database.ConnectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantProperty("Kunde", maxLength: 20)).Options;

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = new ShopContext(options);
            context.Tenancy().Use(tenant);
            await context.Database.EnsureCreatedAsync();
            context.Add(new Order { Id = 1, Title = tenant, Lines = { new OrderLine { Id = 1 } } });
            await context.SaveChangesAsync();
            Assert.Equal(tenant, (await context.Orders.Include(o => o.Lines).SingleAsync()).Title);
            Assert.Equal(2 - (tenant == "Green" ? 1 : 0), await context.Orders.CountAsync(o => o.AnyTenant()));
            Assert.Equal(tenant, (await context.Orders.FindAsync(1))!.Title);
            Assert.Throws<ArgumentException>(() => context.Tenancy().ForTenant(new string('x', 21)));
        }

        Assert.Equal(
            ["character varying(20)"],
            await database.ColumnAsync(
                """
                SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                WHERE attname = 'Kunde' AND relkind = 'r'
                """));

        // Invoice has a TenantId, which is an ordinary property now.
        Assert.Equal("YES", await database.ScalarAsync<string>(
            "SELECT is_nullable FROM information_schema.columns WHERE table_name = 'Invoices' AND column_name = 'TenantId'"));
    }

    [Fact]
    public void Bad_names_and_lengths_are_refused()
    {
        var options = new DbContextOptionsBuilder();
        Assert.Throws<ArgumentException>(() => options.UseTenancy(t => t.UseTenantProperty(" ")));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.UseTenancy(t => t.UseTenantProperty(maxLength: 8)));
        Assert.Throws<ArgumentOutOfRangeException>(() => options.UseTenancy(t => t.UseTenantProperty(maxLength: 129)));
    }
}
