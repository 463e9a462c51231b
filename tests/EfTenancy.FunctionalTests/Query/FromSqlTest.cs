using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Query;

/// <summary>The application's own SQL, in which EF looks for the columns itself as long as nothing is composed over it.</summary>
public class FromSqlTest(ShopFixture fixture) : IClassFixture<ShopFixture>
{
    private const string AllLines = """SELECT * FROM "OrderLines" """;

    private static readonly Func<ShopContext, IAsyncEnumerable<OrderLine>> CompiledLines = EF.CompileAsyncQuery(
        (ShopContext db) => db.OrderLines.FromSqlRaw("""SELECT "Id" AS id, "OrderId", "Quantity", "TenantId" FROM "OrderLines"; """));

    private readonly ShopContext _blue = fixture.For("Blue");

    [Theory]
    [InlineData("""SELECT "Quantity" AS quantity, "OrderId", "TenantId", "Id" AS ID FROM "OrderLines" """)]
    [InlineData("""SELECT * FROM "OrderLines"; """)]
    [InlineData("-- all lines\n/* of the shop */\nSELECT * FROM \"OrderLines\" -- and no more")]
    [InlineData("""(SELECT * FROM "OrderLines" WHERE "Id" = 1) UNION ALL (SELECT * FROM "OrderLines" WHERE "Id" = 2)""")]
    [InlineData("""WITH lines AS (SELECT * FROM "OrderLines") SELECT * FROM lines""")]
    [InlineData("""TABLE "OrderLines" """)]
    public async Task Rows_are_the_tenants_whatever_the_SQL_is_made_of(string sql)
    {
        var lines = await _blue.OrderLines.FromSqlRaw(sql).ToListAsync();

        Assert.Equal([(1, 10), (2, 20)], lines.Select(l => (l.OrderId, l.Quantity)).Order());
        Assert.All(lines, l => Assert.Equal("Blue", _blue.Tenancy().TenantOf(l)));
    }

    [Fact]
    public void The_filter_stands_around_the_SQL()
        => Assert.Equal(
            """
            -- ef_filter__Tenancy='Blue' (Nullable = false)
            SELECT e.* FROM (
            SELECT * FROM "OrderLines"
            ) AS e
            WHERE e."TenantId" = @ef_filter__Tenancy
            """,
            _blue.OrderLines.FromSqlRaw(AllLines).ToQueryString().Trim(),
            ignoreLineEndingDifferences: true);

    [Fact]
    public async Task A_column_that_the_SQL_lacks_is_named_by_EF()
        => Assert.Equal(
            RelationalStrings.FromSqlMissingColumn("Quantity"),
            (await Assert.ThrowsAsync<InvalidOperationException>(
                () => _blue.OrderLines.FromSql($"""SELECT "Id", "TenantId", "OrderId" FROM "OrderLines" """).ToListAsync())).Message);

    [Theory]
    [InlineData("""SELECT "Id", "OrderId", "Quantity" FROM "OrderLines" """)]
    [InlineData("""SELECT "Id", "OrderId", "Quantity", "TenantId" AS tenantid FROM "OrderLines" """)]
    [InlineData("""SELECT *, "TenantId" FROM "OrderLines" """)]
    public async Task No_row_comes_without_the_tenants_one_column(string sql)
        => await Assert.ThrowsAsync<PostgresException>(() => _blue.OrderLines.FromSqlRaw(sql).ToListAsync());

    [Fact]
    public async Task No_row_comes_with_the_tenant_in_another_column_too()
        => await Assert.ThrowsAsync<ArgumentException>(
            () => _blue.OrderLines.FromSql($"""SELECT *, 'Blue' AS tenantid FROM "OrderLines" """).ToListAsync());

    [Theory]
    [InlineData("""UPDATE "OrderLines" SET "Quantity" = 0 RETURNING *""")]
    [InlineData("""-- SELECT * FROM "OrderLines" """ + "\nDELETE FROM \"OrderLines\" RETURNING *")]
    [InlineData("""/* none */ UPDATE "OrderLines" SET "Quantity" = /* of them */ (SELECT 0) RETURNING *""")]
    [InlineData("SELECTED")]
    public async Task SQL_that_is_no_query_is_refused(string sql)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => _blue.OrderLines.FromSqlRaw(sql).ToListAsync());

        Assert.Contains("'OrderLine' (table 'OrderLines')", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Arguments_are_those_of_the_application()
    {
        var id = new NpgsqlParameter("id", 2);
        var tenancy = new NpgsqlParameter("ef_filter__Tenancy", 20);

        Assert.Equal(2, (await SingleOfAsync($"""SELECT * FROM "OrderLines" WHERE "Id" = {2} AND "Quantity" = {20}""")).Id);
        Assert.Equal(2, (await SingleOfAsync($"""SELECT * FROM "OrderLines" WHERE "Id" = {id} AND "Quantity" = {20} AND "OrderId" = {2}""")).Id);
        Assert.Equal(2, (await SingleAsync("""SELECT * FROM "OrderLines" WHERE "Quantity" = {0} AND "Id" = @id""", 20, id)).Id);
        Assert.Equal(2, (await SingleAsync("""SELECT * FROM "OrderLines" WHERE "Id" = @id AND '{{}}' = '{{' || '}}' """, id)).Id);
        Assert.Equal(2, (await SingleAsync("""SELECT *, xmin FROM "OrderLines" WHERE "Id" = @p0 AND "Quantity" = @p1 FOR UPDATE""", 2, 20)).Id);
        Assert.Equal(2, (await SingleAsync("""SELECT * FROM "OrderLines" WHERE "Quantity" = {0} AND "Id" = {1}""", tenancy, 2)).Id);
        Assert.Equal(2, (await SingleAsync("""SELECT * FROM "OrderLines" WHERE "Id" = {0}""", 2, "one that it does not use")).Id);
        await Assert.ThrowsAsync<FormatException>(() => SingleAsync("""SELECT * FROM "OrderLines" WHERE "Id" = {0} AND "Quantity" = {1}""", 2));
        await Assert.ThrowsAsync<FormatException>(() => SingleAsync("""SELECT * FROM "OrderLines" WHERE "Id" = {1}""", 2));
    }

    [Fact]
    public async Task One_query_serves_all_tenants_and_each_enumeration()
    {
        foreach (var tenant in (string[])["Green", "Red", "Blue"])
        {
            await using var db = fixture.For(tenant);
            var lines = db.OrderLines.FromSql($"""SELECT * FROM "OrderLines" WHERE "Quantity" > {15}""");
            for (var i = 0; i < 2; i++)
            {
                var line = (await lines.ToListAsync()).Single();
                Assert.Equal((2, tenant), (line.Id, db.Tenancy().TenantOf(line)));
            }

            var compiled = CompiledLines(db);
            for (var i = 0; i < 2; i++)
            {
                Assert.Equal([(1, tenant), (2, tenant)], (await compiled.ToListAsync()).Select(l => (l.Id, db.Tenancy().TenantOf(l)!)).Order());
            }
        }
    }

    [Fact]
    public async Task What_is_asked_for_across_tenants_comes()
    {
        Assert.Equal(6, (await _blue.OrderLines.FromSqlRaw(AllLines).IgnoreQueryFilters().ToListAsync()).Count);
        Assert.Equal(6, (await _blue.OrderLines.FromSqlRaw(AllLines).Where(l => l.AnyTenant()).ToListAsync()).Count);
        Assert.Equal(4, (await _blue.OrderLines.FromSqlRaw(AllLines).Where(l => l.TenantIsOneOf("Red", "Green")).ToListAsync()).Count);
        using (_blue.Tenancy().AcrossTenants("a test"))
        {
            Assert.Equal(6, (await _blue.OrderLines.FromSqlRaw(AllLines).ToListAsync()).Count);
        }

        Assert.Equal(2, (await _blue.OrderLines.FromSqlRaw(AllLines).ToListAsync()).Count);
    }

    [Fact]
    public async Task A_context_without_tenant_reads_nothing()
    {
        await using var db = fixture.CreateContext(fixture.ConnectionString);

        Assert.Empty(await db.OrderLines.FromSqlRaw(AllLines).ToListAsync());
    }

    [Fact]
    public async Task What_is_composed_over_the_SQL_has_the_filter_too()
    {
        var lines = _blue.OrderLines.FromSqlRaw(AllLines);

        Assert.Equal(2, await lines.CountAsync());
        Assert.Equal(20, await lines.MaxAsync(l => l.Quantity));
        Assert.Equal([2, 1], await lines.OrderByDescending(l => l.Id).Select(l => l.Id).ToListAsync());
        Assert.Equal([10, 20], (await lines.Select(l => l.Quantity).ToListAsync()).Order());
        Assert.Equal(["Blue 1", "Blue 2"], (await lines.Include(l => l.Order).ToListAsync()).Select(l => l.Order!.Title).Order());
        Assert.Equal(2, (await lines.AsNoTracking().AsAsyncEnumerable().ToListAsync()).Count);
        Assert.Equal(2, (await lines.AsSplitQuery().TagWith("lines").ToListAsync()).Count);
        Assert.Single(await _blue.Invoices.FromSql($"""SELECT * FROM "Invoices" """).ToListAsync());
    }

    private Task<OrderLine> SingleOfAsync(FormattableString sql)
        => SingleAsync(_blue.OrderLines.FromSql(sql));

    private Task<OrderLine> SingleAsync(string sql, params object[] arguments)
        => SingleAsync(_blue.OrderLines.FromSqlRaw(sql, arguments));

    // SingleAsync itself would be composed over the SQL.
    private static async Task<OrderLine> SingleAsync(IQueryable<OrderLine> lines)
        => (await lines.ToListAsync()).Single();
}
