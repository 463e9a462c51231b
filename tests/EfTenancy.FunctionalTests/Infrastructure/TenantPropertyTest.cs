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
    [InlineData("name")]
    public void A_column_type_that_makes_tenants_alike_is_refused(string columnType)
        => AssertMakesTenantsAlike<string>(p => p.HasColumnType(columnType), "the column type " + columnType);

    [Fact]
    public void A_conversion_that_makes_tenants_alike_is_refused()
    {
        AssertMakesTenantsAlike<string>(p => p.HasConversion<int>(), "the column type integer");
        AssertMakesTenantsAlike<string>(p => p.HasConversion<Guid>(), "the column type uuid");
        AssertMakesTenantsAlike<int>(p => p.HasColumnType("smallint"), "the column type smallint", "HasColumnType(\"integer\")");
        AssertMakesTenantsAlike<int>(p => p.HasColumnType("real"), "the column type real");
        AssertMakesTenantsAlike<int>(p => p.HasConversion<short>(), "the column type smallint");
        AssertMakesTenantsAlike<long>(p => p.HasColumnType("integer"), "the column type integer");
    }

    [Fact]
    public void Column_types_that_keep_ids_are_accepted()
    {
        AssertIsAccepted<string>(p => p.HasColumnType("varchar(20)"));
        AssertIsAccepted<string>(p => p.HasMaxLength(20));
        AssertIsAccepted<int>(p => p.HasColumnType("bigint"));
        AssertIsAccepted<long>(p => p.HasColumnType("int8"));
        AssertIsAccepted<Guid>(p => p.HasColumnType("uuid"));
        AssertIsAccepted<CompanyId>(p => p.HasConversion(c => c.Value, v => new CompanyId(v)));
    }

    [Fact]
    public void A_fixed_length_is_refused()
        => AssertMakesTenantsAlike<string>(p => p.IsFixedLength().HasMaxLength(12), "the column type character(12)");

    [Fact]
    public void A_collation_that_is_not_deterministic_is_refused()
        => AssertMakesTenantsAlike<string>(p => p.UseCollation("loose"), "the collation loose");

    [Fact]
    public void A_deterministic_collation_is_accepted()
        => AssertIsAccepted<string>(p => p.UseCollation("strict"));

    private static void AssertMakesTenantsAlike<TId>(Action<PropertyBuilder<TId>> map, params string[] message)
    {
        using var context = Lodges<TId>(map);
        var refusal = Assert.Throws<InvalidOperationException>(() => context.Model);
        Assert.All(message.Append(".TenantId'"), part => Assert.Contains(part, refusal.Message, StringComparison.Ordinal));
    }

    private static void AssertIsAccepted<TId>(Action<PropertyBuilder<TId>> map)
    {
        using var context = Lodges<TId>(map);
        Assert.NotNull(context.Model.FindEntityType(typeof(Lodge<TId>)));
    }

    // Without the services of others, there is no model of another test's.
    private static LodgeContext<TId> Lodges<TId>(Action<PropertyBuilder<TId>> map)
        => new(
            new DbContextOptionsBuilder<LodgeContext<TId>>().UseTestDatabase("Host=nowhere").EnableServiceProviderCaching(false)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options,
            map);

    private readonly record struct CompanyId(Guid Value);

    private sealed class Lodge<TId>
    {
        public int Id { get; set; }

        public TId TenantId { get; set; } = default!;
    }

    private sealed class LodgeContext<TId>(DbContextOptions<LodgeContext<TId>> options, Action<PropertyBuilder<TId>> map) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasCollation("loose", locale: "en-u-ks-primary", provider: "icu", deterministic: false);
            modelBuilder.HasCollation("strict", locale: "en", provider: "icu", deterministic: true);
            map(modelBuilder.Entity<Lodge<TId>>().Property(l => l.TenantId));
        }
    }
}
