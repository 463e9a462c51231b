using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore.Query;

namespace Microsoft.EntityFrameworkCore;

/// <summary>
///     Each reason in expected.txt, without EfTenancy: EF does the same to a key of two columns and to a query filter that an application
///     writes by hand, and does not without them.
/// </summary>
public class EfLimitsTest(ITestOutputHelper output)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Collection_behind_Distinct_needs_the_whole_key(bool hasTenant)
        => AssertIsRefused(
            hasTenant,
            RelationalStrings.InsufficientInformationToIdentifyElementOfCollectionJoin,
            context => context.Set<Order>()
                .Select(o => new { o.Id, o.Date.Month })
                .Distinct()
                .Select(o => new { o.Id, o.Month, Orders = context.Set<Order>().Where(x => x.Id == o.Id).Select(x => x.Date).ToList() }));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Collection_that_is_a_Union_needs_a_key(bool hasTenant)
        => AssertIsRefused(
            hasTenant,
            RelationalStrings.InsufficientInformationToIdentifyElementOfCollectionJoin,
            context => context.Set<Order>()
                .Select(o => new { o.Id, Names = new[] { o.Name }.Union(context.Set<Order>().OrderBy(x => x.Id).Select(x => x.Name)).ToList() }));

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FromSql_that_lacks_a_column_is_refused_by_the_database_where_a_filter_is(bool hasTenant)
    {
        using var context = new OrderContext(hasTenant);
        var orders = context.Set<Order>().FromSqlRaw(
            """SELECT 'a' AS "TenantId", 1 AS "Id", DATE '2026-01-01' AS "Date" """);

        var exception = Assert.ThrowsAny<Exception>(() => orders.ToList());

        if (hasTenant)
        {
            Assert.Equal(PostgresErrorCodes.UndefinedColumn, Assert.IsType<PostgresException>(exception).SqlState);
        }
        else
        {
            Assert.Equal(RelationalStrings.FromSqlMissingColumn(nameof(Order.Name)), exception.Message);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Precompiled_Include_by_a_key_of_two_types_does_not_compile(bool hasTenant)
    {
        var (code, exception) = await Precompile("await context.Orders.Include(o => o.Lines).ToListAsync();", hasTenant);

        Assert.Equal(hasTenant, code.Contains("= left == null;", StringComparison.Ordinal));
        Assert.Equal(hasTenant, exception.Message.Contains("The name 'left' does not exist in the current context", StringComparison.Ordinal));
    }

    private static void AssertIsRefused<T>(bool isRefused, string message, Func<OrderContext, IQueryable<T>> query)
    {
        using var context = new OrderContext(isRefused);

        var exception = Record.Exception(() => query(context).ToQueryString());

        Assert.Equal(isRefused ? message : null, exception?.Message);
    }

    // It ends with an error in any case, since there are no tables.
    private async Task<(string Code, Exception Exception)> Precompile(string source, bool hasTenant)
    {
        var code = "";
        Type context = hasTenant ? typeof(OrderContextWithTenant) : typeof(OrderContextWithoutTenant);
        var exception = await Record.ExceptionAsync(() => NpgsqlPrecompiledQueryTestHelpers.Instance.Test(
            $"await using var context = new {context.FullName!.Replace('+', '.')}(dbContextOptions);\n{source}",
            OrderContext.Options,
            context,
            c => code = c,
            errorAsserter: null,
            output,
            alwaysPrintGeneratedSources: false,
            $"{nameof(EfLimitsTest)}_{Guid.NewGuid():N}"));

        return (code, exception!);
    }

    public class OrderContextWithTenant(DbContextOptions options) : OrderContext(options, hasTenant: true);

    public class OrderContextWithoutTenant(DbContextOptions options) : OrderContext(options, hasTenant: false);

    public class OrderContext(DbContextOptions options, bool hasTenant) : DbContext(options)
    {
        private readonly bool _hasTenant = hasTenant;

        public OrderContext(bool hasTenant)
            : this(Options, hasTenant)
        {
        }

        public static DbContextOptions Options => new DbContextOptionsBuilder()
            .UseNpgsql(new NpgsqlConnectionStringBuilder(TestEnvironment.DefaultConnection) { Database = "postgres" }.ConnectionString)
            .ReplaceService<IModelCacheKeyFactory, ByTenant>()
            .Options;

        public string Tenant { get; set; } = "a";

        public DbSet<Order> Orders { get; set; } = null!;

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            var order = modelBuilder.Entity<Order>();
            var lines = order.HasMany(o => o.Lines).WithOne();

            if (_hasTenant)
            {
                order.Property<string>("TenantId");
                order.HasKey("TenantId", nameof(Order.Id));
                order.HasQueryFilter(o => EF.Property<string>(o, "TenantId") == Tenant);
                lines.HasForeignKey("TenantId", "OrderId");
            }
        }

        private sealed class ByTenant : IModelCacheKeyFactory
        {
            public object Create(DbContext context, bool designTime)
                => (((OrderContext)context)._hasTenant, designTime);
        }
    }

    public class Order
    {
        [DatabaseGenerated(DatabaseGeneratedOption.None)]
        public int Id { get; set; }

        public string Name { get; set; } = "";
        public DateTime Date { get; set; }
        public List<Line> Lines { get; } = [];
    }

    public class Line
    {
        public int Id { get; set; }
    }
}
