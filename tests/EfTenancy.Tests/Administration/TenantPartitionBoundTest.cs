using EfTenancy.Administration.Internal;
using Xunit;

namespace EfTenancy.Tests.Administration;

public class TenantPartitionBoundTest
{
    [Theory]
    [InlineData("FOR VALUES IN ('a')", "a")]
    [InlineData("FOR VALUES IN ('a', 'b')", "a|b")]
    [InlineData("FOR VALUES IN ('O''Brien', 'x, y', ')', '''', '')", "O'Brien|x, y|)|'|")]
    [InlineData("FOR VALUES IN ('back\\slash', 'a''''b')", "back\\slash|a''b")]
    [InlineData("FOR VALUES IN (1, -2, 30)", "1|-2|30")]
    [InlineData("FOR VALUES IN ('3f2504e0-4f89-11d3-9a0c-0305e82c3301')", "3f2504e0-4f89-11d3-9a0c-0305e82c3301")]
    public void Values_are_read_as_postgres_writes_them(string bound, string values)
        => Assert.Equal(values.Split('|'), TenantPartitionBound.Parse(bound));

    [Theory]
    [InlineData("DEFAULT")]
    [InlineData("FOR VALUES FROM ('a') TO ('b')")]
    public void Other_bounds_have_no_values(string bound)
        => Assert.Null(TenantPartitionBound.Parse(bound));
}
