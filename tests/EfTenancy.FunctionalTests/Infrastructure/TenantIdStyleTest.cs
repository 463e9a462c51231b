using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Infrastructure;

/// <summary>One tenant, written in many ways, at every entrance.</summary>
public class TenantIdStyleTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Theory]
    [InlineData(TenantIdStyle.ForceLowerCase, "acme é")]
    [InlineData(TenantIdStyle.ForceUpperCase, "ACME É")]
    public async Task Every_entrance_agrees(TenantIdStyle style, string stored)
    {
        var options = Options(style);
        await using (var context = Context(options, "*DEFAULT*"))
        {
            await context.Database.EnsureCreatedAsync();
            context.Add(new Bill { Id = 1 });
            await context.SaveChangesAsync();
        }

        await using (var context = Context(options, "Acme É"))
        {
            Assert.Equal(stored, context.Tenancy().TenantId);
            context.Add(new Bill { Id = 1, TenantId = "aCME é" });
            context.Tenancy().ForTenant("Other").Add(new Bill { Id = 2 });
            await context.SaveChangesAsync();
            await context.Tenancy().BulkInsertAsync("ACme é", [new Bill { Id = 3, TenantId = "ACME É" }]);
            await context.Tenancy().BulkInsertAsync(_ => "acmE É", [new Bill { Id = 4 }]);
        }

        await using (var context = Context(options, "ACME é"))
        {
            Assert.Equal(3, await context.Bills.CountAsync());
            var (one, two) = ("Acme É", "acme é");
            string[] list = ["AcMe É"];
            Assert.Equal(3, await context.Bills.CountAsync(b => b.TenantIsOneOf("Acme É")));
            Assert.Equal(3, await context.Bills.CountAsync(b => b.TenantIsOneOf(one, two)));
            Assert.Equal(3, await context.Bills.CountAsync(b => b.TenantIsOneOf(list)));
            Assert.Equal(1, await context.Tenancy().ForTenant("OTHER").Set<Bill>().CountAsync());
            Assert.Equal(stored, (await context.Bills.FindAsync(1))!.TenantId);
            context.Tenancy().Use("acme É");
            Assert.Equal(5, await context.Bills.CountAsync(b => b.AnyTenant()));
        }

        Assert.Equal(
            new[] { "*DEFAULT*", stored, stored == "acme é" ? "other" : "OTHER" }.Order(StringComparer.Ordinal),
            await _database.ColumnAsync("""SELECT DISTINCT "TenantId" COLLATE "C" FROM "Bills" ORDER BY 1"""));
        Assert.Equal(
            [$"FOR VALUES IN ('{stored}')"],
            await _database.ColumnAsync("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'Bills\\_acme%'"));
    }

    [Fact]
    public async Task Case_sensitive_tenants_are_apart_by_default()
    {
        foreach (var tenant in (string[])["Acme", "acme"])
        {
            await using var context = new ReadingContext(
                new DbContextOptionsBuilder<ReadingContext>().UseNpgsql(_database.ConnectionString)
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
            context.Tenancy().Use(tenant);
            await context.Database.EnsureCreatedAsync();
            context.Add(new Bill { Id = 1 });
            await context.SaveChangesAsync();
            Assert.Equal(1, await context.Bills.CountAsync());
        }

        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Bills" """));
    }

    [Fact]
    public async Task The_accessor_and_the_factory_agree()
    {
        var services = new ServiceCollection().AddPooledDbContextFactory<ReadingContext>(
            o => o.UseNpgsql(_database.ConnectionString).UseTenancy(
                t => t.AllEntitiesAreMultiTenanted().UseTenantIdStyle(TenantIdStyle.ForceLowerCase).UseTenantAccessor(_ => "ACME"))).BuildServiceProvider();
        await using var _ = services;
        var factory = services.GetRequiredService<IDbContextFactory<ReadingContext>>();

        await using var fromAccessor = await factory.CreateDbContextAsync();
        await using var named = await factory.CreateDbContextAsync("AcMe");
        Assert.Equal(("acme", "acme"), (fromAccessor.Tenancy().TenantId, named.Tenancy().TenantId));
    }

    private DbContextOptions<ReadingContext> Options(TenantIdStyle style)
        => new DbContextOptionsBuilder<ReadingContext>().UseNpgsql(_database.ConnectionString)
            .UseTenancy(
                t => t.AllEntitiesAreMultiTenanted().UseTenantIdStyle(style)
                    .PartitionMultiTenantedEntities(x => x.ByList().AddTenants("aCmE é", "oTHER", "*DEFAULT*"))).Options;

    private static ReadingContext Context(DbContextOptions<ReadingContext> options, string tenant)
    {
        var context = new ReadingContext(options);
        context.Tenancy().Use(tenant);
        return context;
    }
}
