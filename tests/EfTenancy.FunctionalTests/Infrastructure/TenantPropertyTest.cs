using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
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

    [Theory]
    [InlineData("citext")]
    [InlineData("public.CITEXT")]
    [InlineData("char(12)")]
    [InlineData("character(12)")]
    [InlineData("bpchar")]
    public void A_column_type_that_makes_tenants_alike_is_refused(string columnType)
        => AssertMakesTenantsAlike<TypeOf>(p => p.HasColumnType(columnType), "the column type " + columnType);

    [Fact]
    public void A_fixed_length_is_refused()
        => AssertMakesTenantsAlike<FixedLength>(p => p.IsFixedLength().HasMaxLength(12), "the column type character(12)");

    [Fact]
    public void A_collation_that_is_not_deterministic_is_refused()
        => AssertMakesTenantsAlike<Collation>(p => p.UseCollation("loose"), "the collation loose");

    [Fact]
    public void A_deterministic_collation_is_accepted()
    {
        using var context = Lodges<Accepted>(p => p.UseCollation("strict"));
        Assert.NotNull(context.Model.FindEntityType(typeof(Lodge)));
    }

    private static void AssertMakesTenantsAlike<T>(Action<PropertyBuilder<string>> map, string mapping)
    {
        using var context = Lodges<T>(map);
        var refusal = Assert.Throws<InvalidOperationException>(() => context.Model);
        Assert.Contains("'Lodge.TenantId'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(mapping, refusal.Message, StringComparison.Ordinal);
    }

    // A refused model is not kept.
    private static LodgeContext<T> Lodges<T>(Action<PropertyBuilder<string>> map)
        => new(
            new DbContextOptionsBuilder<LodgeContext<T>>().UseTestDatabase("Host=nowhere").UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options,
            map);

    private sealed class TypeOf;

    private sealed class FixedLength;

    private sealed class Collation;

    private sealed class Accepted;

    private sealed class Lodge
    {
        public int Id { get; set; }

        public string TenantId { get; set; } = "";
    }

    private sealed class LodgeContext<T>(DbContextOptions<LodgeContext<T>> options, Action<PropertyBuilder<string>> map) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasCollation("loose", locale: "en-u-ks-primary", provider: "icu", deterministic: false);
            modelBuilder.HasCollation("strict", locale: "en", provider: "icu", deterministic: true);
            map(modelBuilder.Entity<Lodge>().Property(l => l.TenantId));
        }
    }
}
