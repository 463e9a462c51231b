using System.ComponentModel.DataAnnotations.Schema;

namespace Microsoft.EntityFrameworkCore;

/// <summary>The reason in expected.txt, without EfTenancy: EF does the same to a query filter that an application writes by hand.</summary>
public class EfLimitsTest
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void FromSql_that_lacks_a_column_is_refused_by_the_database_where_a_filter_is(bool hasFilter)
    {
        using DbContext context = hasFilter ? new FilteredContext() : new OrderContext();
        var orders = context.Set<Order>().FromSqlRaw("""SELECT 1 AS "Id", DATE '2026-01-01' AS "Date" """);

        var exception = Assert.ThrowsAny<Exception>(() => orders.ToList());

        if (hasFilter)
        {
            Assert.Equal(PostgresErrorCodes.UndefinedColumn, Assert.IsType<PostgresException>(exception).SqlState);
        }
        else
        {
            Assert.Equal(RelationalStrings.FromSqlMissingColumn(nameof(Order.Name)), exception.Message);
        }
    }

    private class OrderContext : DbContext
    {
        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder
                .UseNpgsql(new NpgsqlConnectionStringBuilder(TestEnvironment.DefaultConnection) { Database = "postgres" }.ConnectionString);

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Order>();
    }

    private sealed class FilteredContext : OrderContext
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Order>().HasQueryFilter(o => o.Id > 0);
    }

    private sealed class Order
    {
        [DatabaseGenerated(DatabaseGeneratedOption.None)]
        public int Id { get; set; }

        public string Name { get; set; } = "";
        public DateTime Date { get; set; }
    }
}
