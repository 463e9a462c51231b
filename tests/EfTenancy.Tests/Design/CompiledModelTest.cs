using EfTenancy.Storage;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Xunit;

namespace EfTenancy.Tests.Design;

public class CompiledModelTest
{
    [Fact]
    public void A_tenant_filter_is_what_EF_refuses_and_says()
    {
        using var context = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>());

        var refused = Assert.Throws<InvalidOperationException>(() => ScaffoldedMigrations.CompiledModelOf(context));

        Assert.Contains("'Invoice'", refused.Message, StringComparison.Ordinal);
        Assert.Contains("query filter", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_model_without_tenants_in_its_tables_is_compiled_and_used()
    {
        using var databases = TenantDatabases.Create(x => x.MultiTenantedSchemas("Host=unused"));
        using var context = ModelContext.Create(b => b.Entity<Invoice>(), t => t.UseTenantDatabases(databases));

        var compiled = ScaffoldedMigrations.CompiledModelOf(context).GetTypes().Single(t => t.IsSubclassOf(typeof(RuntimeModel)));
        var model = (IModel)compiled.GetProperty("Instance")!.GetValue(null)!;
        using var optimized = new ModelContext(
            ModelContext.Options(o => o.UseModel(model).UseTenancy(t => t.UseTenantDatabases(databases))), _ => throw new InvalidOperationException());

        Assert.Same(model, optimized.Model);
        Assert.Empty(optimized.ChangeTracker.Entries());
        Assert.Equal(context.Model.FindEntityType(typeof(Invoice))!.GetTableName(), optimized.Model.FindEntityType(typeof(Invoice))!.GetTableName());
    }
}
