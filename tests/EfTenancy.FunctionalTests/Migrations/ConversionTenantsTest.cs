using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Whom tables with rows have rows of when they are made to follow the registry.</summary>
public class ConversionTenantsTest(PostgresFixture postgres) : IAsyncLifetime
{
    private const int Many = 300;

    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public Task Many_tenants_that_are_Guids_and_the_default_one_are_found_and_administered()
        => Tenants_that_are_no_text_work_on<Guid>(_ => { }, i => new Guid(i, 0, 0, new byte[8]).ToString());

    [Fact]
    public Task Many_tenants_that_are_numbers_and_the_default_one_are_found_and_administered()
        => Tenants_that_are_no_text_work_on<int>(_ => { }, i => $"{i - Many - 5}");

    [Fact]
    public Task Many_tenants_of_a_type_of_the_application_and_the_default_one_are_found_and_administered()
        => Tenants_that_are_no_text_work_on<CompanyId>(
            m => m.Entity<Leaflet<CompanyId>>().Property(l => l.TenantId).HasConversion(c => c.Value, v => new CompanyId(v)), i => $"{i}");

    private async Task Tenants_that_are_no_text_work_on<T>(Action<ModelBuilder> model, Func<int, string> idOf)
    {
        var contexts = new ConversionContexts(
            _database.ConnectionString,
            m =>
            {
                m.Entity<Leaflet<T>>().ToTable("Leaflets");
                model(m);
            });
        await contexts.CreatePlainAsync();
        var tenants = Enumerable.Range(1, Many).Select(idOf).Append(TenancyDefaults.DefaultTenantId).ToList();
        foreach (var tenant in tenants)
        {
            await WriteAsync(contexts.Plain(tenant), tenant);
        }

        await contexts.ConvertAsync();

        Assert.False(contexts.HasDifferences());
        foreach (var tenant in tenants)
        {
            await using var context = contexts.Managed(tenant);
            Assert.Equal(tenant, (await context.Set<Leaflet<T>>().SingleAsync()).Text);
        }

        await using var managed = contexts.Managed();
        var administration = managed.Tenancy().Administration;
        Assert.Equal(tenants.Order(StringComparer.Ordinal), (await administration.ListAsync()).Select(t => t.TenantId).Order(StringComparer.Ordinal));
        Assert.Empty(await administration.RepairAsync());
        foreach (var tenant in (string[])[tenants[0], TenancyDefaults.DefaultTenantId])
        {
            await administration.DisableAsync([tenant]);
            Assert.Throws<TenantDisabledException>(() => contexts.Managed(tenant).Set<Leaflet<T>>().Count());
            await administration.EnableAsync([tenant]);

            await administration.AddAsync([tenant]);
            await administration.SplitAsync([tenant]);
            await WriteAsync(contexts.Managed(tenant), tenant);
            Assert.Equal(2, await contexts.Managed(tenant).Set<Leaflet<T>>().CountAsync());

            await administration.RemoveAsync([tenant]);
            await administration.AddAsync([tenant]);
            Assert.Equal(0, await contexts.Managed(tenant).Set<Leaflet<T>>().CountAsync());
            await WriteAsync(contexts.Managed(tenant), tenant);
        }

        Assert.Empty(await administration.RepairAsync());
        Assert.Equal(tenants.Count, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Leaflets" """));

        async Task WriteAsync(DbContext context, string text)
        {
            await using var _ = context;
            context.Add(new Leaflet<T> { Text = text });
            await context.SaveChangesAsync();
        }
    }

    [Theory]
    [InlineData("ACME", TenantIdStyle.ForceLowerCase)]
    [InlineData("acme", TenantIdStyle.ForceUpperCase)]
    [InlineData("", TenantIdStyle.CaseSensitive)]
    [InlineData(" \t", TenantIdStyle.CaseSensitive)]
    [InlineData("a\nb", TenantIdStyle.CaseSensitive)]
    [InlineData("$long", TenantIdStyle.CaseSensitive)]
    public async Task Rows_that_no_context_reads_are_refused_with_their_tenants(string tenant, TenantIdStyle style)
    {
        tenant = tenant == "$long" ? new string('x', 129) : tenant;
        var good = style == TenantIdStyle.ForceUpperCase ? "ÄB" : "äb";
        var contexts = new ConversionContexts(
            _database.ConnectionString, m => m.Entity<Leaflet<string>>().ToTable("Leaflets"), t => t.UseTenantIdStyle(style));
        await contexts.CreatePlainAsync();
        await _database.ExecuteAsync(
            $"""INSERT INTO "Leaflets" ("TenantId", "Text") VALUES ('{good}', 'good'), ('*DEFAULT*', 'default'), ('{tenant}', 'odd')""");

        var exception = await Assert.ThrowsAsync<PostgresException>(contexts.ConvertAsync);

        Assert.Contains(tenant.Length > 128 ? "'xxxx" : $"'{tenant}'", exception.MessageText, StringComparison.Ordinal);
        Assert.Contains("Leaflets", exception.MessageText, StringComparison.Ordinal);
        Assert.DoesNotContain(good, exception.MessageText, StringComparison.Ordinal);
        Assert.Empty(await _database.ColumnAsync("SELECT partition_value FROM tenants.tenant_partitions"));
        await _database.ExecuteAsync("""INSERT INTO "Leaflets" ("TenantId", "Text") VALUES ('not closed to others', '')""");
        await _database.ExecuteAsync($"""DELETE FROM "Leaflets" WHERE "Text" = ''; UPDATE "Leaflets" SET "TenantId" = '{good}' WHERE "Text" = 'odd'""");
        await contexts.ConvertAsync();
        await using var context = contexts.Managed(good);
        Assert.Equal(2, await context.Set<Leaflet<string>>().CountAsync());
        Assert.Equal(["*DEFAULT*", good], (await context.Tenancy().Administration.ListAsync()).Select(t => t.TenantId));
    }

    public class Leaflet<T>
    {
        public T TenantId { get; set; } = default!;

        public int Id { get; set; }

        public required string Text { get; set; }
    }

    public readonly record struct CompanyId(int Value);
}
