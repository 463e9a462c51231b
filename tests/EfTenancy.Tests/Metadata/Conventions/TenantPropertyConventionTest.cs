using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenantPropertyConventionTest
{
    public static MatrixTheoryData<bool, string, bool?> Combinations
        => new([false, true], ["none", "multi", "single"], [null, true, false]);

    [Theory, MemberData(nameof(Combinations))]
    public void Fluent_call_beats_attribute_and_attribute_beats_policy(bool policy, string attribute, bool? fluent)
    {
        var (entity, expected) = attribute switch
        {
            "multi" => (typeof(WithMultiTenanted), true),
            "single" => (typeof(WithSingleTenanted), false),
            _ => (typeof(Plain), policy),
        };

        using var context = ModelContext.Create(
            b =>
            {
                var builder = b.Entity(entity);
                _ = fluent switch { true => builder.IsMultiTenanted(), false => builder.IsSingleTenanted(), null => builder };

                // Else a model without any tenant is warned of.
                b.Entity<Invoice>().IsMultiTenanted();
            },
            t => _ = policy ? t.AllEntitiesAreMultiTenanted() : t);

        Assert.Equal(fluent ?? expected, context.Model.FindEntityType(entity)!.FindProperty("TenantId") is not null);
        Assert.Equal(fluent ?? expected, context.Model.FindEntityType(entity)!.FindDeclaredQueryFilter("Tenancy") is not null);
    }

    [Fact]
    public void Last_fluent_call_counts()
    {
        var model = ModelContext.ModelOf(b =>
        {
            b.Entity<WithMultiTenanted>().IsMultiTenanted().IsSingleTenanted();
            b.Entity<WithSingleTenanted>().IsSingleTenanted().IsMultiTenanted();
        });

        Assert.False(model.HasTenant<WithMultiTenanted>());
        Assert.True(model.HasTenant<WithSingleTenanted>());
    }

    [Fact]
    public void Attribute_of_a_class_outside_the_model_is_inherited_and_the_nearest_decides()
    {
        var model = ModelContext.ModelOf(b => _ = (b.Entity<Heir>(), b.Entity<Rebel>()));

        Assert.True(model.HasTenant<Heir>());
        Assert.False(model.HasTenant<Rebel>());
    }

    [Fact]
    public void Shadow_tenant_is_a_required_text_with_the_default_tenant_as_default()
    {
        var tenant = ModelContext.ModelOf(b => b.Entity<Plain>().IsMultiTenanted()).Type<Plain>().FindProperty("TenantId")!;

        Assert.True(tenant.IsShadowProperty());
        Assert.False(tenant.IsNullable);
        Assert.Equal("text", tenant.GetColumnType());
        Assert.Equal("'*DEFAULT*'", tenant.GetDefaultValueSql());
        Assert.Equal(ValueGenerated.Never, tenant.ValueGenerated);
    }

    [Fact]
    public void Own_tenant_property_is_used_and_becomes_required()
    {
        var tenant = ModelContext.ModelOf(b => b.Entity<Invoice>().IsMultiTenanted().Property(i => i.TenantId).HasMaxLength(50).HasColumnName("owner"))
            .Type<Invoice>().FindProperty("TenantId")!;

        Assert.False(tenant.IsShadowProperty());
        Assert.False(tenant.IsNullable);
        Assert.Equal("owner", tenant.GetColumnName());
        Assert.Equal("character varying(50)", tenant.GetColumnType());
        Assert.Equal("'*DEFAULT*'", tenant.GetDefaultValueSql());
        Assert.Equal(ValueGenerated.Never, tenant.ValueGenerated);
    }

    [Fact]
    public void Own_default_of_the_tenant_column_stays()
    {
        string? DefaultOf(Action<PropertyBuilder> build)
            => ModelContext.ModelOf(b => build(b.Entity<Invoice>().IsMultiTenanted().Property(i => i.TenantId)))
                .Type<Invoice>().FindProperty("TenantId")!.GetDefaultValueSql();

        Assert.Equal("'O''Hara'", DefaultOf(p => p.HasDefaultValue("O'Hara")));
        Assert.Equal("current_setting('tenant')", DefaultOf(p => p.HasDefaultValueSql("current_setting('tenant')")));
    }

    [Fact]
    public void Own_tenant_property_of_a_single_tenanted_entity_is_an_ordinary_one()
    {
        var tenant = ModelContext.ModelOf(b => _ = (b.Entity<Invoice>(), b.Entity<Plain>().IsMultiTenanted())).Type<Invoice>().FindProperty("TenantId")!;

        Assert.True(tenant.IsNullable);
        Assert.Null(tenant.GetDefaultValueSql());
    }

    [Fact]
    public void Own_tenant_property_of_an_unsupported_type_is_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => ModelContext.ModelOf(b => b.Entity<WithDate>().IsMultiTenanted()));

        Assert.Contains("'WithDate.TenantId'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'DateOnly'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Properties<DateOnly>().HaveConversion(...)", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Own_tenant_properties_of_two_types_are_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => ModelContext.ModelOf(b =>
        {
            b.Entity<WithNumber>().IsMultiTenanted();
            b.Entity<WithText>().IsMultiTenanted();
        }));

        Assert.Contains("'WithText.TenantId'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("that of 'WithNumber' is of type 'int'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shadow_tenant_properties_take_the_type_of_the_own_ones()
    {
        var model = ModelContext.ModelOf(b =>
        {
            b.Entity<Animal>().IsMultiTenanted();
            b.Entity<WithNumber>().IsMultiTenanted();
        });

        Assert.Equal(typeof(int), model.Type<Animal>().FindProperty("TenantId")!.ClrType);
        Assert.Equal("'0'", model.Type<Animal>().FindProperty("TenantId")!.GetDefaultValueSql());
    }

    [Theory]
    [InlineData("tph")]
    [InlineData("tpt")]
    [InlineData("tpc")]
    public void Hierarchy_has_one_tenant_property_at_its_root(string mapping)
    {
        var model = ModelContext.ModelOf(b =>
        {
            var root = b.Entity<Animal>().IsMultiTenanted();
            _ = mapping switch { "tpt" => root.UseTptMappingStrategy(), "tpc" => root.UseTpcMappingStrategy(), _ => root };
            b.Entity<Cat>();
        });

        Assert.Equal("TenantId, Id", model.Type<Cat>().FindPrimaryKey()!.Properties.Names());
        Assert.Same(model.Type<Animal>(), model.Type<Cat>().FindProperty("TenantId")!.DeclaringType);
        Assert.Empty(model.Type<Cat>().GetDeclaredQueryFilters());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Derived_type_set_otherwise_than_its_root_is_refused(bool root)
    {
        var exception = Assert.Throws<InvalidOperationException>(() => ModelContext.ModelOf(b =>
        {
            _ = root ? b.Entity<Animal>().IsMultiTenanted() : b.Entity<Animal>().IsSingleTenanted();
            _ = root ? b.Entity<Cat>().IsSingleTenanted() : b.Entity<Cat>().IsMultiTenanted();
        }));

        Assert.Contains("'Cat' is set otherwise than its base 'Animal'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("on 'Animal' only", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Derived_type_may_repeat_what_its_root_says()
        => Assert.True(ModelContext.ModelOf(b => _ = (b.Entity<Animal>().IsMultiTenanted(), b.Entity<Cat>().IsMultiTenanted())).HasTenant<Cat>());

    [Fact]
    public void Tenant_property_of_a_derived_type_is_refused_unless_ignored()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => ModelContext.ModelOf(b => _ = (b.Entity<Animal>().IsMultiTenanted(), b.Entity<Dog>())));
        Assert.Contains("'Dog.TenantId'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Move the property to 'Animal'", exception.Message, StringComparison.Ordinal);

        Assert.True(ModelContext.ModelOf(b => _ = (b.Entity<Animal>().IsMultiTenanted(), b.Entity<Dog>().Ignore(d => d.TenantId))).HasTenant<Dog>());
    }

    private sealed class Plain { public int Id { get; set; } }

    [MultiTenanted]
    private sealed class WithMultiTenanted { public int Id { get; set; } }

    [SingleTenanted]
    private sealed class WithSingleTenanted { public int Id { get; set; } }

    [MultiTenanted]
    private abstract class Ancestor { public int Id { get; set; } }

    private sealed class Heir : Ancestor;

    [SingleTenanted]
    private sealed class Rebel : Ancestor;

    private sealed class WithNumber { public int Id { get; set; } public int TenantId { get; set; } }

    private sealed class WithText { public int Id { get; set; } public required string TenantId { get; set; } }

    private sealed class WithDate { public int Id { get; set; } public DateOnly TenantId { get; set; } }

    private class Animal { public int Id { get; set; } }

    private sealed class Cat : Animal { public int Lives { get; set; } }

    private sealed class Dog : Animal { public string? TenantId { get; set; } }
}
