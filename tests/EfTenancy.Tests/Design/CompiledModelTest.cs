using EfTenancy.Infrastructure;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Xunit;

namespace EfTenancy.Tests.Design;

public class CompiledModelTest
{
    [Fact]
    public void A_compiled_model_has_the_tenants_filters()
    {
        using var context = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>());
        using var optimized = Optimized(context, t => t.AllEntitiesAreMultiTenanted());

        var query = optimized.Set<Invoice>().ToQueryString();

        Assert.Contains("\"TenantId\" = @ef_filter__Tenancy", query, StringComparison.Ordinal);
        Assert.Equal(context.Set<Invoice>().ToQueryString(), query);
        // It was taken out while the code was written.
        Assert.NotNull(context.DesignTimeModel.FindEntityType(typeof(Invoice))!.FindDeclaredQueryFilter(TenancyDefaults.QueryFilterName));
    }

    [Fact]
    public void A_compiled_model_is_refused_with_other_options_and_without_tenancy()
    {
        using var context = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>());
        var model = DesignTime.CompiledModelOf(context);
        using var others = WithModel(model, o => o.UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdThenTenant)));
        using var without = WithModel(model, _ => { });

        var refused = TenancyStrings.ModelOfOtherOptions(nameof(ModelContext));
        Assert.Equal(refused, Assert.Throws<InvalidOperationException>(() => others.Set<Invoice>().ToQueryString()).Message);
        Assert.Equal(refused, Assert.Throws<InvalidOperationException>(() => without.Set<Invoice>().ToQueryString()).Message);
    }

    [Fact]
    public void A_compiled_model_serves_another_version_of_the_assembly_of_a_tenants_type()
    {
        using var context = ModelContext.Create(
            b => b.Entity<Meter>().Property<TenantNumber>("TenantId").HasConversion(n => n.Value, v => new TenantNumber(v)),
            t => t.AllEntitiesAreMultiTenanted().UseTenantProperty<TenantNumber>());

        Assert.DoesNotContain("Version=", (string)context.Model[TenancyAnnotationNames.ModelOptions]!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_filter_of_the_applications_own_is_what_EF_refuses_and_says()
    {
        using var context = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>().HasQueryFilter(i => i.Id > 0));

        var refused = Assert.Throws<InvalidOperationException>(() => DesignTime.CompiledModelOf(context));

        Assert.Contains("'Invoice'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("query filter", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_tenants_in_its_tables_is_compiled_and_used()
    {
        using var databases = TenantDatabases.Create(x => x.MultiTenantedSchemas("Host=unused"));
        using var context = ModelContext.Create(b => b.Entity<Invoice>(), t => t.UseTenantDatabases(databases));

        using var optimized = Optimized(context, t => t.UseTenantDatabases(databases));

        Assert.Empty(optimized.ChangeTracker.Entries());
        Assert.Equal(context.Model.FindEntityType(typeof(Invoice))!.GetTableName(), optimized.Model.FindEntityType(typeof(Invoice))!.GetTableName());
    }

    private readonly record struct TenantNumber(int Value);

    private sealed class Meter
    {
        public int Id { get; set; }
    }

    private static ModelContext Optimized(ModelContext context, Action<TenancyDbContextOptionsBuilder> tenancy)
        => WithModel(DesignTime.CompiledModelOf(context), o => o.UseTenancy(tenancy));

    private static ModelContext WithModel(IModel model, Action<DbContextOptionsBuilder> configure)
    {
        var options = ModelContext.Options(
            o =>
            {
                o.UseModel(model);
                configure(o);
            });
        return new ModelContext(options, _ => throw new InvalidOperationException("The model is built."));
    }
}
