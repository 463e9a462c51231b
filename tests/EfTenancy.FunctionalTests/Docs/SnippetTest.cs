using System.Text.RegularExpressions;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Snippets;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Xunit;

namespace EfTenancy.FunctionalTests.Docs;

/// <summary>README and docs show only C# that compiles and SQL that is sent.</summary>
public partial class SnippetTest(PostgresFixture postgres)
{
    private static readonly string Pages = Path.Combine(AppContext.BaseDirectory, "Docs", "Pages");

    [Fact]
    public void Every_csharp_block_is_compiled_code()
    {
        var compiled = Directory.GetFiles(Path.Combine(Pages, "snippets"), "*.cs").Select(f => Normalize(File.ReadAllText(f))).ToList();
        var blocks = Blocks("csharp").ToList();

        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Assert.Contains(compiled, code => code.Contains(Normalize(block), StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Every_sql_block_is_what_the_database_is_sent()
    {
        var sent = new List<string>();
        foreach (var tenancy in (bool[])[false, true])
        {
            await using var database = await postgres.CreateDatabaseAsync();
            var options = new DbContextOptionsBuilder<ShopContext>().UseTestDatabase(database.ConnectionString)
                .LogTo(sent.Add, [RelationalEventId.CommandExecuted]);
            if (tenancy)
            {
                options.UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByList().AddTenants("Green")));
            }

            await using var db = new ShopContext(options.Options);
            if (tenancy)
            {
                db.Tenancy().Use("Green");
            }

            await db.Database.EnsureCreatedAsync();
            var customer = db.Add(new Customer { Email = "a@example.org" }).Entity;
            await db.SaveChangesAsync();
            customer.Email = "b@example.org";
            await db.SaveChangesAsync();
            _ = await db.Customers.Where(c => c.Email == "b@example.org").ToListAsync();
            _ = await db.Orders.Include(o => o.Customer).Where(o => o.Paid).ToListAsync();
        }

        var all = Normalize(string.Join('\n', sent));
        var statements = Blocks("sql").SelectMany(b => b.Split("\n\n")).ToList();
        Assert.NotEmpty(statements);
        Assert.All(statements, statement => Assert.Contains(Normalize(statement), all, StringComparison.Ordinal));
    }

    private static IEnumerable<string> Blocks(string language)
        => Directory.GetFiles(Pages, "*.md", SearchOption.AllDirectories)
            .SelectMany(f => Block().Matches(File.ReadAllText(f)))
            .Where(m => m.Groups["language"].Value == language)
            .Select(m => m.Groups["text"].Value);

    private static string Normalize(string text)
        => WhiteSpace().Replace(text, " ").Trim();

    [GeneratedRegex(@"^```(?<language>\w+)\r?\n(?<text>.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();

    [GeneratedRegex(@"\s+")]
    private static partial Regex WhiteSpace();
}
