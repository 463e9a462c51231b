using System.ComponentModel.DataAnnotations.Schema;
using Microsoft.EntityFrameworkCore.Query;

namespace Microsoft.EntityFrameworkCore;

/// <summary>
///     Each reason in expected.txt, without EfTenancy: EF does the same to a key of two columns and to a query filter that an application
///     writes by hand, and does not without them.
/// </summary>
public class EfLimitsTest
{
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

    private sealed class OrderContext(bool hasTenant) : DbContext
    {
        private readonly bool _hasTenant = hasTenant;

        public string Tenant { get; set; } = "a";

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder
                .UseNpgsql(new NpgsqlConnectionStringBuilder(TestEnvironment.DefaultConnection) { Database = "postgres" }.ConnectionString)
                .ReplaceService<IModelCacheKeyFactory, ByTenant>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            var order = modelBuilder.Entity<Order>();

            if (_hasTenant)
            {
                order.Property<string>("TenantId");
                order.HasKey("TenantId", nameof(Order.Id));
                order.HasQueryFilter(o => EF.Property<string>(o, "TenantId") == Tenant);
            }
        }

        private sealed class ByTenant : IModelCacheKeyFactory
        {
            public object Create(DbContext context, bool designTime)
                => (((OrderContext)context)._hasTenant, designTime);
        }
    }

    private sealed class Order
    {
        [DatabaseGenerated(DatabaseGeneratedOption.None)]
        public int Id { get; set; }

        public string Name { get; set; } = "";
        public DateTime Date { get; set; }
    }
}
