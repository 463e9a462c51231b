using EfTenancy.Metadata.Internal;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenantPartitioningConventionTest
{
    [Fact]
    public void Policy_partitions_the_multi_tenanted_entities_only()
    {
        var model = Model(b => b.Entity<Blog>().IsSingleTenanted());

        Assert.Equal(["h"], Suffixes<Post>(model));
        Assert.Null(model.Type<Blog>().GetTenantPartitioning());
        Assert.Equal(["h"], model.FindEntityType("PostTag")!.GetTenantPartitioning()!.Partitions!.Select(p => p.Suffix));
    }

    [Fact]
    public void Fluent_partitioning_beats_the_policy()
        => Assert.Equal(["own"], Suffixes<Invoice>(Model(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByHash("own")))));

    [Fact]
    public void Last_fluent_call_counts()
    {
        Assert.Null(Model(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByHash("own")).DoNotPartition())
            .Type<Invoice>().GetTenantPartitioning());
        Assert.Equal(["own"], Suffixes<Invoice>(Model(b => b.Entity<Invoice>().DoNotPartition().IsPartitionedByTenant(x => x.ByHash("own")))));
    }

    [Fact]
    public void Attribute_beats_the_policy_and_a_fluent_call_the_attribute()
    {
        Assert.Null(Model(b => b.Entity<PlainTable>()).Type<PlainTable>().GetTenantPartitioning());
        Assert.Equal(["own"], Suffixes<PlainTable>(Model(b => b.Entity<PlainTable>().IsPartitionedByTenant(x => x.ByHash("own")))));
    }

    [Fact]
    public void Partitioning_does_not_make_an_entity_multi_tenanted()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => ModelContext.ModelOf(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByHash("h"))));

        Assert.Contains("Entity<Invoice>().IsMultiTenanted()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Partitioning_without_a_strategy_is_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => ModelContext.ModelOf(b => b.Entity<Invoice>().IsMultiTenanted().IsPartitionedByTenant(_ => { })));

        Assert.Contains("'Invoice' names no strategy. Call ByList()", exception.Message, StringComparison.Ordinal);

        exception = Assert.Throws<InvalidOperationException>(
            () => ModelContext.ModelOf(b => b.Entity<Invoice>(), t => t.PartitionMultiTenantedEntities(_ => { })));
        Assert.Contains("'PartitionMultiTenantedEntities' names no strategy. Call ByList()", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("policy", "h")]
    [InlineData("own", "own")]
    [InlineData("none", null)]
    public void Table_of_owned_types_is_partitioned_as_its_owner(string owner, string? suffix)
    {
        var model = Model(b =>
        {
            var blog = b.Entity<Blog>().OwnsMany(x => x.Posts, p => _ = (p.Ignore(x => x.Tags), p.Ignore(x => x.Blog)));
            _ = owner switch { "own" => blog.IsPartitionedByTenant(x => x.ByHash("own")), "none" => blog.DoNotPartition(), _ => blog };
        });

        Assert.Equal(suffix, model.Type<Post>().GetTenantPartitioning()?.Partitions!.Single().Suffix);
    }

    [Fact]
    public void Tenant_column_of_ranges_compares_byte_by_byte()
    {
        Assert.Equal("C", CollationOf(p => p.IsPartitionedByTenant(x => x.ByRange().AddRange("r", "a", "b"))));
        Assert.Equal("C", CollationOf(p => p.IsPartitionedByTenant(x => x.ByExternallyManagedRangePartitions())));
        Assert.Null(CollationOf(p => p.IsPartitionedByTenant(x => x.ByList().AddTenants("a"))));
    }

    private static string? CollationOf(Action<EntityTypeBuilder<Invoice>> build)
        => Model(b => build(b.Entity<Invoice>())).Type<Invoice>().FindProperty("TenantId")!.GetCollation();

    private static IModel Model(Action<ModelBuilder> build)
        => ModelContext.ModelOf(build, t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByHash("h")));

    private static IEnumerable<string> Suffixes<TEntity>(IModel model)
        => model.Type<TEntity>().GetTenantPartitioning()!.Partitions!.Select(p => p.Suffix);

    [DoNotPartition]
    private sealed class PlainTable { public int Id { get; set; } }
}
