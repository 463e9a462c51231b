using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Xunit;

[assembly: AssemblyFixture(typeof(CrowdedServiceProviderCache))]

namespace EfTenancy.Tests.TestUtilities;

/// <summary>
///     EF refuses more than twenty sets of services in a process. The tests together have more, so that one whose options do not
///     ignore that would fail only when twenty others ran before it. With this it fails at once, alone too.
/// </summary>
public sealed class CrowdedServiceProviderCache
{
    private const int Limit = 20;

    public CrowdedServiceProviderCache()
    {
        for (var i = 0; i < Limit; i++)
        {
            using var context = new DbContext(
                new DbContextOptionsBuilder().UseUnusedDatabase().ConfigureWarnings(w => w.Ignore(new EventId(i))).Options);
            context.GetInfrastructure();
        }
    }
}
