using System.Text;
using EfTenancy.Storage.Internal;
using Xunit;

namespace EfTenancy.Tests.Storage;

public class TenantPartitionNamingTest
{
    [Theory]
    [InlineData("a")]
    [InlineData("t1")]
    [InlineData("_x_")]
    [InlineData("0123456789012345678901234567890123456789")]
    public void Plain_id_is_its_own_suffix(string tenantId)
        => Assert.Equal(tenantId, TenantPartitionNaming.SuffixOf(tenantId));

    // The hashes are part of the names of tables in databases of users: they must never change.
    [Theory]
    [InlineData("Green", "green$d486dfbd5f")]
    [InlineData("a-b", "a_b$d44362d67d")]
    [InlineData("Größe", "gr__e$aedc3f8098")]
    [InlineData("😀", "__$f0443a342c")]
    [InlineData("'; DROP TABLE \"Blogs\"; --", "___drop_table__blogs____$28020fe57d")]
    [InlineData("x$y", "x_y$7eb2e8ecc7")]
    [InlineData("a\n", "a_$87428fc522")]
    [InlineData("01234567890123456789012345678901234567890", "012345678901234567890123$79f002c49e")]
    [InlineData("3F2504E0-4F89-11D3-9A0C-0305E82C3301", "3f2504e0_4f89_11d3_9a0c_$4ce2fd6137")]
    [InlineData("{3f2504e0-4f89-11d3-9a0c-0305e82c3301}", "_3f2504e0_4f89_11d3_9a0c$2ddd70035a")]
    public void Other_ids_become_a_stem_and_a_hash(string tenantId, string suffix)
        => Assert.Equal(suffix, TenantPartitionNaming.SuffixOf(tenantId));

    [Fact]
    public void Guid_is_written_without_hyphens()
        => Assert.Equal(
            "3f2504e04f8911d39a0c0305e82c3301", TenantPartitionNaming.SuffixOf("3f2504e0-4f89-11d3-9a0c-0305e82c3301"));

    [Fact]
    public void Ids_that_look_alike_have_suffixes_of_their_own()
    {
        string[] ids =
        [
            "a-b", "a_b", "A_B", "a b", "A-B", "a.b", "a'b", "a\"b", "aéb", "ae\u0301b", "a😀b", "a_b$", "a-b ", " a-b",
            new('x', 40), new('x', 41), new('x', 42), "i", "I", "İ", "ı",
        ];

        Assert.Distinct(ids.Select(TenantPartitionNaming.SuffixOf));
    }

    [Fact]
    public void Suffix_of_one_tenant_is_not_what_another_tenant_is_named()
    {
        var suffix = TenantPartitionNaming.SuffixOf("a-b");

        Assert.NotEqual(suffix, TenantPartitionNaming.SuffixOf(suffix));
        Assert.NotEqual(suffix.Replace('$', '_'), suffix);
    }

    [Fact]
    public void Short_name_is_table_and_suffix()
        => Assert.Equal("Blogs_t1", TenantPartitionNaming.PartitionName("Blogs", "t1"));

    [Theory]
    [InlineData("T", 1)]
    [InlineData("T", 60)]
    [InlineData("T", 61)]
    [InlineData("T", 63)]
    [InlineData("Ü", 30)]
    [InlineData("Ü", 31)]
    [InlineData("表", 21)]
    [InlineData("😀", 15)]
    public void Names_fit_into_an_identifier_and_stay_apart(string letter, int count)
    {
        var table = string.Concat(Enumerable.Repeat(letter, count));
        string[] suffixes = ["a", "b", new('a', 40), new string('a', 39) + "b", TenantPartitionNaming.SuffixOf("a-b"), TenantPartitionNaming.SuffixOf("A-B")];

        var names = suffixes.Select(s => TenantPartitionNaming.PartitionName(table, s)).ToList();

        Assert.All(names, n => Assert.InRange(Encoding.UTF8.GetByteCount(n), 1, 63));
        Assert.All(names, n => Assert.DoesNotContain('\uFFFD', n));
        Assert.Distinct(names);
        Assert.DoesNotContain(table, names);
    }

    [Fact]
    public void Name_of_exactly_63_bytes_is_not_cut()
    {
        var table = new string('T', 61);

        Assert.Equal(table + "_a", TenantPartitionNaming.PartitionName(table, "a"));
        Assert.Equal(63, TenantPartitionNaming.PartitionName(table, "ab").Length);
        Assert.Equal(new string('T', 52) + "$f6b3f77ae2", TenantPartitionNaming.PartitionName(table, "ab"));
    }
}
