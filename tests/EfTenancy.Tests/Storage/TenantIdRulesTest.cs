using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.Tests.Storage;

/// <summary>Through every public entrance.</summary>
public class TenantIdRulesTest
{
    public static TheoryData<string> Accepted
        =>
        [
            "a", "Green", "*DEFAULT*", "O'Reilly", "\"quoted\"", "'; DROP TABLE \"Blogs\"; --", "50%", "_%\\", "a b", " a ", "a;b", "{0}", "$$",
            "../..", "<b>", "Größe", "日本語", "עברית", "😀", "e\u0301", "-1",
            new string('é', 31) + "x", new string('x', 128), string.Concat(Enumerable.Repeat("😀", 64)),
        ];

    // Half a surrogate pair does not survive test discovery.
    public static TheoryData<string?, string> Refused
        => new()
        {
            { null, "at least one character" },
            { "", "at least one character" },
            { " ", "at least one character" },
            { "\u00A0\u3000", "at least one character" },
            { "a\tb", "control characters" },
            { "a\n", "control characters" },
            { "\0", "control characters" },
            { "a\u0085b", "control characters" },
            { "a\u007F", "control characters" },
            { new string('x', 129), "at most 128 characters" },
            { "a\uD83D", "valid Unicode" },
            { "\uDE00a", "valid Unicode" },
            { "\uDE00\uD83D", "valid Unicode" },
        };

    [Theory, MemberData(nameof(Accepted))]
    public async Task Ordinary_ids_pass(string tenantId)
    {
        await using var services = Services();
        var factory = services.GetRequiredService<IDbContextFactory<BlogContext>>();

        using var context = factory.CreateDbContext(tenantId);
        await using var contextOfAsync = await factory.CreateDbContextAsync(tenantId);
        Assert.Equal(tenantId, context.Tenancy().TenantId);
        Assert.Equal(tenantId, contextOfAsync.Tenancy().TenantId);

        context.Tenancy().Use(tenantId);
        Assert.Equal(tenantId, context.Tenancy().TenantOf(context.Add(new Invoice()).Entity));

        var model = ModelContext.ModelOf(
            b => b.Entity<Blog>().IsMultiTenanted().Ignore(x => x.Posts).IsPartitionedByTenant(x => x.ByList().AddTenants(tenantId)));
        Assert.Equal("TenantId, Id", model.Type<Blog>().FindPrimaryKey()!.Properties.Names());
    }

    [Theory, MemberData(nameof(Refused), DisableDiscoveryEnumeration = true)]
    public async Task Bad_ids_are_refused_with_the_rule(string? tenantId, string rule)
    {
        await using var services = Services();
        var factory = services.GetRequiredService<IDbContextFactory<BlogContext>>();
        using var context = factory.CreateDbContext("Green");

        ArgumentException[] exceptions =
        [
            Assert.Throws<ArgumentException>(() => context.Tenancy().Use(tenantId!)),
            Assert.Throws<ArgumentException>(() => factory.CreateDbContext(tenantId!)),
            await Assert.ThrowsAsync<ArgumentException>(() => factory.CreateDbContextAsync(tenantId!)),
            Assert.Throws<ArgumentException>(
                () => ModelContext.ModelOf(b => b.Entity<Blog>().IsPartitionedByTenant(x => x.ByList().AddTenants(tenantId!)))),
        ];

        Assert.All(exceptions, e => Assert.Contains(rule, e.Message, StringComparison.Ordinal));
        Assert.Equal("Green", context.Tenancy().TenantId);
    }

    private static ServiceProvider Services()
        => new ServiceCollection()
            .AddDbContextFactory<BlogContext>(o => o.UseUnusedDatabase().UseTenancy(t => t.AllEntitiesAreMultiTenanted()))
            .BuildServiceProvider(validateScopes: true);

    private sealed class BlogContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Invoice> Invoices => Set<Invoice>();
    }
}
