using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>Marten's acceptance scenarios of tenant ids, under their numbers: their case, and what stands for none.</summary>
public class TenantIdScenariosTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Scenario_16_case_sensitive_tenants_are_apart()
    {
        var options = Options(t => t.PartitionMultiTenantedEntities(x => x.ByList().AddTenants("Acme", "acme")));
        foreach (var tenant in (string[])["Acme", "acme"])
        {
            await using var context = Context(options, tenant);
            await context.Database.EnsureCreatedAsync();
            context.Add(new Bill { Id = 1 });
            await context.SaveChangesAsync();
            await context.Tenancy().BulkInsertAsync(tenant, [new Bill { Id = 2 }]);
            Assert.Equal(2, await context.Bills.CountAsync());
            Assert.Equal(2, await context.Bills.CountAsync(b => b.TenantIsOneOf(tenant)));
        }

        Assert.Equal(
            ["Acme 2", "acme 2"],
            await _database.ColumnAsync(
                """SELECT "TenantId" || ' ' || count(*) FROM "Bills" GROUP BY "TenantId", tableoid ORDER BY "TenantId" COLLATE "C" """));
    }

    [Theory]
    [InlineData(TenantIdStyle.ForceLowerCase, "acme é")]
    [InlineData(TenantIdStyle.ForceUpperCase, "ACME É")]
    public async Task Scenario_17_forced_case_agrees_at_every_entrance(TenantIdStyle style, string stored)
    {
        Action<TenancyDbContextOptionsBuilder> policies
            = t => t.UseTenantIdStyle(style).PartitionMultiTenantedEntities(x => x.ByList().AddTenants("aCmE é", "oTHER", "*DEFAULT*"));
        var options = Options(policies);
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
            context.Add(new Bill { Id = 9 });
            context.Tenancy().ForTenant("Other").Add(new Bill { Id = 2 });
            await context.SaveChangesAsync();
            await context.Tenancy().BulkInsertAsync("ACme é", [new Bill { Id = 3, TenantId = "ACME É" }]);
            await context.Tenancy().BulkInsertAsync(_ => "acmE É", [new Bill { Id = 4 }]);
        }

        await using (var context = Context(options, "ACME é"))
        {
            context.Remove(new Bill { Id = 9, TenantId = "acmE é" });
            await context.SaveChangesAsync();
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

        await using (var named = await new Factory(options).CreateDbContextAsync("acmE É"))
        await using (var accessed = new ReadingContext(Options(policies + (t => t.UseTenantAccessor(_ => "aCmE É")))))
        {
            Assert.Equal((stored, stored), (named.Tenancy().TenantId, accessed.Tenancy().TenantId));
            Assert.Equal((3, 3), (await named.Bills.CountAsync(), await accessed.Bills.CountAsync()));
        }

        Assert.Equal(
            new[] { "*DEFAULT*", stored, stored == "acme é" ? "other" : "OTHER" }.Order(StringComparer.Ordinal),
            await _database.ColumnAsync("""SELECT DISTINCT "TenantId" COLLATE "C" FROM "Bills" ORDER BY 1"""));
        Assert.Equal(
            [$"FOR VALUES IN ('{stored}')"],
            await _database.ColumnAsync("SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE relkind = 'r' AND relname LIKE 'Bills\\_acme%'"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("*DEFAULT*")]
    public async Task Scenario_18_no_tenant_is_the_default_tenant_whatever_the_case_of_ids(string? nobody)
    {
        var id = 0;
        foreach (var style in Enum.GetValues<TenantIdStyle>())
        {
            var options = Options(t => t.UseTenantIdStyle(style).UseTenantAccessor(_ => nobody));
            await using var context = new ReadingContext(options);
            await context.Database.EnsureCreatedAsync();
            context.Add(new Bill { Id = ++id, TenantId = nobody });
            context.Add(new Alarm { Text = "x" });
            await context.SaveChangesAsync();
            await context.Tenancy().BulkInsertAsync([new Bill { Id = ++id, TenantId = nobody }]);
            await using var named = await new Factory(options).CreateDbContextAsync("*DEFAULT*");

            Assert.Equal(("*DEFAULT*", "*DEFAULT*"), (context.Tenancy().TenantId, named.Tenancy().TenantId));
            Assert.Equal(id, await context.Bills.CountAsync());
            Assert.Equal(id, await named.Bills.CountAsync(b => b.TenantIsOneOf("*DEFAULT*")));
            Assert.Equal(
                style == TenantIdStyle.ForceUpperCase ? id : 0, await context.Bills.CountAsync(b => b.TenantIsOneOf("*default*")));
        }

        Assert.Equal(["*DEFAULT*"], await _database.ColumnAsync("""SELECT DISTINCT "TenantId" FROM "Bills" """));
        Assert.Equal(["*DEFAULT*"], await _database.ColumnAsync("""SELECT DISTINCT "TenantId" FROM "Alarms" """));

        // Marten takes these for the default tenant here too. A caller that names a tenant and has none is mistaken.
        if (string.IsNullOrEmpty(nobody))
        {
            await using var context = new ReadingContext(Options(_ => { }));
            Assert.ThrowsAny<ArgumentException>(() => context.Tenancy().Use(nobody!));
            Assert.ThrowsAny<ArgumentException>(() => context.Tenancy().ForTenant(nobody!));
        }
    }

    [Fact]
    public async Task Scenario_19_a_disabled_default_tenant_throws_and_an_explicit_tenant_opens()
    {
        var options = Options(t => t.DisableDefaultTenant());
        await using (var nobody = new ReadingContext(options))
        {
            await nobody.Database.EnsureCreatedAsync();
            await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => nobody.Bills.ToListAsync());
            await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(async () => await nobody.Bills.FindAsync(1));
            await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => nobody.Bills.ExecuteDeleteAsync());
            await Assert.ThrowsAsync<DefaultTenantUsageDisabledException>(() => nobody.Tenancy().BulkInsertAsync([new Bill { Id = 1 }]));
            Assert.Throws<DefaultTenantUsageDisabledException>(() => nobody.Add(new Bill { Id = 1 }));
            Assert.Throws<DefaultTenantUsageDisabledException>(() => nobody.Tenancy().TenantId);
        }

        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Bills" """));

        var factory = new Factory(options);
        Assert.Throws<DefaultTenantUsageDisabledException>(() => factory.CreateDbContext().Bills.ToList());
        await using var green = await factory.CreateDbContextAsync("Green");
        await using var byUse = Context(options, "Green");
        green.Add(new Bill { Id = 1 });
        await green.SaveChangesAsync();
        Assert.Equal(1, await byUse.Bills.CountAsync());
        Assert.Equal(["Green"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Bills" """));
    }

    private DbContextOptions<ReadingContext> Options(Action<TenancyDbContextOptionsBuilder> configure)
        => new DbContextOptionsBuilder<ReadingContext>().UseTestDatabase(_database.ConnectionString)
            .UseTenancy(
                t =>
                {
                    t.AllEntitiesAreMultiTenanted();
                    configure(t);
                }).Options;

    private static ReadingContext Context(DbContextOptions<ReadingContext> options, string tenant)
    {
        var context = new ReadingContext(options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private sealed class Factory(DbContextOptions<ReadingContext> options) : IDbContextFactory<ReadingContext>
    {
        private readonly PooledDbContextFactory<ReadingContext> _pool = new(options);

        public ReadingContext CreateDbContext()
            => _pool.CreateDbContext();
    }
}
