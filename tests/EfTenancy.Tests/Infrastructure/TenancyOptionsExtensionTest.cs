using EfTenancy.Infrastructure;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.Tests.Infrastructure;

public class TenancyOptionsExtensionTest
{
    [Fact]
    public void Every_option_is_set_and_read_back()
    {
        Func<IServiceProvider, string?> accessor = _ => "Green";

        var extension = Extension(
            t => t.AllEntitiesAreMultiTenanted()
                .PartitionMultiTenantedEntities(x => x.ByHash("one", "two"))
                .UseTenantIdStyle(TenantIdStyle.ForceLowerCase)
                .UseTenantProperty("Customer", 20)
                .DisableDefaultTenant()
                .UseTenantAccessor(accessor));

        Assert.True(extension.AllEntitiesMultiTenanted);
        Assert.Equal(TenantPartitionStrategy.Hash, extension.Partitioning!.Strategy);
        Assert.Equal(["one", "two"], extension.Partitioning.Partitions!.Select(p => p.Suffix));
        Assert.Equal(TenantIdStyle.ForceLowerCase, extension.TenantIdStyle);
        Assert.Equal(("Customer", 20), (extension.TenantPropertyName, extension.MaxTenantIdLength));
        Assert.True(extension.DefaultTenantDisabled);
        Assert.Same(accessor, extension.TenantAccessor);
    }

    [Fact]
    public void Nothing_is_set_by_default()
        => AssertBare(Extension());

    [Fact]
    public void Options_given_in_several_calls_add_up()
    {
        var options = new DbContextOptionsBuilder()
            .UseTenancy(t => t.DisableDefaultTenant())
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
            .UseTenancy()
            .Options;

        var extension = options.FindExtension<TenancyOptionsExtension>()!;
        Assert.True(extension.DefaultTenantDisabled);
        Assert.True(extension.AllEntitiesMultiTenanted);
    }

    [Fact]
    public void A_change_makes_a_clone_and_leaves_the_original()
    {
        var original = new TenancyOptionsExtension();

        Assert.NotSame(original, original.WithAllEntitiesMultiTenanted());
        Assert.NotSame(original, original.WithPartitioning(Extension(OneList("a")).Partitioning));
        Assert.NotSame(original, original.WithTenantIdStyle(TenantIdStyle.ForceLowerCase));
        Assert.NotSame(original, original.WithTenantProperty("Customer", 20, typeof(Guid)));
        Assert.NotSame(original, original.WithDefaultTenantDisabled());
        Assert.NotSame(original, original.WithTenantAccessor(_ => "Green"));
        AssertBare(original);
    }

    [Fact]
    public void Options_that_shape_the_model_are_in_hash_and_equality()
    {
        TenancyOptionsExtension[] different =
        [
            Extension(),
            Extension(t => t.AllEntitiesAreMultiTenanted()),
            Extension(t => t.UseTenantIdStyle(TenantIdStyle.ForceLowerCase)),
            Extension(t => t.UseTenantIdStyle(TenantIdStyle.ForceUpperCase)),
            Extension(t => t.UseTenantProperty("Customer")),
            Extension(t => t.UseTenantProperty(maxLength: 20)),
            Extension(t => t.UseTenantProperty<Guid>()),
            Extension(t => t.UseTenantKeyStyle(TenantKeyStyle.IdThenTenant)),
            Extension(t => t.UseTenantKeyStyle(TenantKeyStyle.IdOnly)),
            Extension(OneList("a")),
            Extension(OneList("b")),
            Extension(OneList("a", "b")),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByList().WithDefaultPartition("s"))),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByRange().AddRange("s", "a", "b"))),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByRange().AddRange("s", "a", "c"))),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByHash("s"))),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByHash("s", "t"))),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByExternallyManagedListPartitions())),
            Extension(t => t.PartitionMultiTenantedEntities(x => x.ByExternallyManagedHashPartitions())),
            Extension(t => t.PartitionMultiTenantedEntitiesManaged("tenants")),
            Extension(t => t.PartitionMultiTenantedEntitiesManaged("others")),
        ];

        foreach (var (i, one) in different.Index())
        {
            Assert.All(different.Skip(i + 1), other => Assert.False(one.Info.ShouldUseSameServiceProvider(other.Info)));
        }

        Assert.NotEqual(Hash(different[0]), Hash(different[1]));
        Assert.NotEqual(Hash(different[0]), Hash(different[2]));
    }

    [Fact]
    public void The_same_policies_share_a_service_provider()
    {
        var one = Extension(t => OneList("a", "b")(t.AllEntitiesAreMultiTenanted()));
        var two = Extension(t => OneList("a", "b")(t.AllEntitiesAreMultiTenanted()));

        Assert.True(one.Info.ShouldUseSameServiceProvider(two.Info));
        Assert.Equal(Hash(one), Hash(two));
    }

    [Fact]
    public void The_tenant_and_where_it_comes_from_are_in_neither()
    {
        var bare = Extension();
        var other = Extension(t => t.UseTenantAccessor(_ => "Green").DisableDefaultTenant());

        Assert.True(bare.Info.ShouldUseSameServiceProvider(other.Info));
        Assert.Equal(Hash(bare), Hash(other));
    }

    private static Action<TenancyDbContextOptionsBuilder> OneList(params string[] tenants)
        => t => t.PartitionMultiTenantedEntities(x => x.ByList().AddPartition("s", tenants));

    private static TenancyOptionsExtension Extension(Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        => new DbContextOptionsBuilder().UseTenancy(tenancy).Options.FindExtension<TenancyOptionsExtension>()!;

    private static int Hash(TenancyOptionsExtension extension)
        => extension.Info.GetServiceProviderHashCode();

    private static void AssertBare(TenancyOptionsExtension extension)
    {
        Assert.False(extension.AllEntitiesMultiTenanted);
        Assert.Null(extension.Partitioning);
        Assert.False(extension.DefaultTenantDisabled);
        Assert.Null(extension.TenantAccessor);
    }
}
