using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace EfTenancy.Tests.TestUtilities;

public static class UnusedDatabaseOptions
{
    /// <summary>
    ///     Npgsql on a server that is never asked. The tests of one process have more sets of services than EF thinks an application
    ///     would.
    /// </summary>
    public static DbContextOptionsBuilder UseUnusedDatabase(this DbContextOptionsBuilder optionsBuilder)
        => optionsBuilder.UseNpgsql("Host=unused").ConfigureWarnings(w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning));
}
