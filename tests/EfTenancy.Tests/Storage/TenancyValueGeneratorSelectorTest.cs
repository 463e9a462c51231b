using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ValueGeneration;
using Npgsql.EntityFrameworkCore.PostgreSQL.ValueGeneration.Internal;
using Xunit;

namespace EfTenancy.Tests.Storage;

public class TenancyValueGeneratorSelectorTest
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task Keys_of_one_property_that_nobody_generates_are_refused_as_without_tenancy(bool value)
    {
        using var plain = Context(withTenancy: false);
        using var tenancy = Context(withTenancy: true);

        var expected = Assert.Throws<NotSupportedException>(() => plain.Add(new Switch { IsOn = value }));
        Assert.Equal(expected.Message, Assert.Throws<NotSupportedException>(() => tenancy.Add(new Switch { IsOn = value })).Message);
        Assert.Equal(
            expected.Message,
            (await Assert.ThrowsAsync<NotSupportedException>(async () => await tenancy.AddAsync(new Switch { IsOn = value }))).Message);
    }

    [Theory, InlineData(false), InlineData(true)]
    public void Keys_of_several_properties_of_the_application_are_not(bool withTenancy)
    {
        using var context = Context(withTenancy);

        Assert.Equal(EntityState.Added, context.Add(new SwitchOfHouse { House = 7 }).State);
        Assert.Equal(EntityState.Added, context.Add(new SwitchOfTenant { TenantId = "*DEFAULT*" }).State);
    }

#pragma warning disable EF1001 // The provider's own selector stands for any other.
    [Fact]
    public void Selector_of_the_application_is_used()
    {
        using var context = Context(withTenancy: true, o => o.ReplaceService<IValueGeneratorSelector, NpgsqlValueGeneratorSelector>());

        Assert.Equal(EntityState.Added, context.Add(new Switch()).State);
    }
#pragma warning restore EF1001

    private static SwitchContext Context(bool withTenancy, Action<DbContextOptionsBuilder>? configure = null)
    {
        var options = new DbContextOptionsBuilder<SwitchContext>();
        options.UseUnusedDatabase();
        if (withTenancy)
        {
            options.UseTenancy(t => t.AllEntitiesAreMultiTenanted());
        }

        configure?.Invoke(options);
        return new SwitchContext(options.Options);
    }

    private sealed class SwitchContext(DbContextOptions<SwitchContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Switch>(
                s =>
                {
                    s.HasKey(e => e.IsOn);
                    s.Property(e => e.IsOn).ValueGeneratedOnAdd();
                });
            modelBuilder.Entity<SwitchOfHouse>(
                s =>
                {
                    s.HasKey(e => new { e.House, e.IsOn });
                    s.Property(e => e.IsOn).ValueGeneratedOnAdd();
                });
            modelBuilder.Entity<SwitchOfTenant>(
                s =>
                {
                    s.HasKey(e => new { e.TenantId, e.IsOn });
                    s.Property(e => e.IsOn).ValueGeneratedOnAdd();
                });
        }
    }

    private sealed class Switch
    {
        public bool IsOn { get; set; }
    }

    private sealed class SwitchOfHouse
    {
        public int House { get; set; }

        public bool IsOn { get; set; }
    }

    private sealed class SwitchOfTenant
    {
        public string TenantId { get; set; } = "";

        public bool IsOn { get; set; }
    }
}
