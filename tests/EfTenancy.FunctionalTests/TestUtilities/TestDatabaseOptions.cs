using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfTenancy.FunctionalTests.TestUtilities;

public static class TestDatabaseOptions
{
    /// <summary>
    ///     Npgsql on a database of the tests. Each of EfTenancy's policies needs services of its own, and the tests of one process try
    ///     more of them than EF thinks an application would: it would refuse whichever test comes after the twentieth.
    /// </summary>
    public static DbContextOptionsBuilder UseTestDatabase(this DbContextOptionsBuilder optionsBuilder, string connectionString)
        => optionsBuilder.UseNpgsql(connectionString).ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning));

    /// <inheritdoc cref="UseTestDatabase(DbContextOptionsBuilder, string)" />
    public static DbContextOptionsBuilder<TContext> UseTestDatabase<TContext>(
        this DbContextOptionsBuilder<TContext> optionsBuilder,
        string connectionString)
        where TContext : DbContext
        => (DbContextOptionsBuilder<TContext>)((DbContextOptionsBuilder)optionsBuilder).UseTestDatabase(connectionString);
}
