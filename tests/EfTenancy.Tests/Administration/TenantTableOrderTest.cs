using EfTenancy.Administration.Internal;
using Xunit;

namespace EfTenancy.Tests.Administration;

public class TenantTableOrderTest
{
    [Theory]
    [InlineData("", "1 2 3")]
    [InlineData("1>2 2>3", "3 2 1")]
    [InlineData("3>1 3>2 2>1", "1 2 3")]
    [InlineData("1>1 2>1", "1 3 2")]
    [InlineData("1>2 2>1 3>1", "1,2 3")]
    [InlineData("1>3 2>1 3>2", "1,2,3")]
    [InlineData("1>2 2>9 9>1", "2 3 1")]
    public void Levels_come_one_by_one_and_circles_together(string references, string groups)
        => Assert.Equal(
            groups,
            string.Join(
                ' ',
                TenantTableOrder.ParentsFirst(
                        [.. Enumerable.Range(1, 3).Select(i => new TenantTable((uint)i, "s", $"t{i}", "TenantId", TenantTableKind.Managed, 1))],
                        references.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                            .Select(r => new TenantForeignKey((uint)(r[0] - '0'), (uint)(r[2] - '0'), "fk")))
                    .Select(g => string.Join(',', g.Select(t => t.Oid).Order()))));
}
