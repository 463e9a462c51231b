using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenantQueryFilterConventionTest
{
    [Fact]
    public void Filter_has_its_public_name_and_the_tenant_is_a_parameter()
    {
        using var context = ModelContext.Create(b => b.Entity<Invoice>().IsMultiTenanted());
        context.Tenancy().Use("Green");

        Assert.Equal("Tenancy", TenancyDefaults.QueryFilterName);
        Assert.Equal(["Tenancy"], FilterNames<Invoice>(context));
        Assert.Equal(
            """
            -- @ef_filter__Tenancy='Green'
            SELECT i."TenantId", i."Id"
            FROM "Invoice" AS i
            WHERE i."TenantId" = @ef_filter__Tenancy
            """,
            context.Set<Invoice>().ToQueryString());
    }

    [Fact]
    public void Filter_of_the_tenant_can_be_ignored_by_name()
    {
        using var context = ModelContext.Create(b => b.Entity<Invoice>().IsMultiTenanted().HasQueryFilter(i => i.Id > 7));

        var sql = context.Set<Invoice>().IgnoreQueryFilters([TenancyDefaults.QueryFilterName]).ToQueryString();

        Assert.EndsWith("WHERE i.\"Id\" > 7", sql, StringComparison.Ordinal);
    }

    [Fact]
    public void Anonymous_filter_of_the_user_goes_on()
    {
        using var context = ModelContext.Create(b => b.Entity<Invoice>().IsMultiTenanted().HasQueryFilter(i => i.Id > 7));

        AssertBothFilters(context);
    }

    [Fact]
    public void Named_filters_of_the_user_go_on()
    {
        using var context = ModelContext.Create(
            b => b.Entity<Invoice>().IsMultiTenanted().HasQueryFilter("Seven", i => i.Id > 7).HasQueryFilter("Ten", i => i.Id < 10));

        Assert.Equal(["Seven", "Ten", "Tenancy"], FilterNames<Invoice>(context));
        AssertBothFilters(context);
        Assert.Contains("< 10", context.Set<Invoice>().IgnoreQueryFilters(["Seven"]).ToQueryString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Filter_of_a_global_entity_is_left_alone()
    {
        using var context = ModelContext.Create(b => b.Entity<Invoice>().IsSingleTenanted().HasQueryFilter(i => i.Id > 7));

        Assert.EndsWith("WHERE i.\"Id\" > 7", context.Set<Invoice>().ToQueryString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Owned_types_are_filtered_through_their_owner()
    {
        using var context = ModelContext.CreateMultiTenanted(
            b => b.Entity<Blog>().OwnsMany(x => x.Posts, p => _ = (p.Ignore(x => x.Tags), p.Ignore(x => x.Blog))));

        Assert.Equal(["Tenancy"], FilterNames<Blog>(context));
        Assert.Empty(FilterNames<Post>(context));
    }

    private static IEnumerable<string?> FilterNames<TEntity>(ModelContext context)
        => context.Model.Type<TEntity>().GetDeclaredQueryFilters().Select(f => f.Key).Order();

    private static void AssertBothFilters(ModelContext context)
    {
        var sql = context.Set<Invoice>().ToQueryString();
        Assert.Contains("i.\"TenantId\" = @ef_filter__Tenancy", sql, StringComparison.Ordinal);
        Assert.Contains("i.\"Id\" > 7", sql, StringComparison.Ordinal);
        Assert.DoesNotContain("WHERE", context.Set<Invoice>().IgnoreQueryFilters().ToQueryString(), StringComparison.Ordinal);
    }
}
