using EfTenancy.Storage;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenancyConventionSetPluginTest
{
    [Fact]
    public void Tenancy_causes_no_warning_that_was_not_there_before()
    {
        // ModelContext throws on every warning.
        using var plain = new ModelContext(ModelContext.Options(), Everything);
        using var tenancy = ModelContext.CreateMultiTenanted(Everything);
        using var partitioned = ModelContext.Create(
            Everything, t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByRange().WithDefaultPartition()));

        Assert.All(
            [(plain, "PRIMARY KEY (\"Id\")"), (tenancy, "PRIMARY KEY (\"TenantId\", \"Id\")"), (partitioned, "PARTITION BY RANGE (\"TenantId\")")],
            x =>
            {
                var (context, expected) = x;
                Assert.Contains(expected, context.Database.GenerateCreateScript(), StringComparison.Ordinal);
                Assert.Contains(
                    "JOIN", context.Set<Post>().Include(p => p.Blog).AsSplitQuery().Include(p => p.Tags).ToQueryString(), StringComparison.Ordinal);
            });
    }

    [Fact]
    public void Tenancy_without_anything_to_isolate_is_warned_of()
    {
        using var forgotten = ModelContext.Create(Everything);

        var message = Assert.Throws<InvalidOperationException>(() => forgotten.Model).Message;
        Assert.Contains($"'{nameof(ModelContext)}'", message, StringComparison.Ordinal);
        Assert.Contains("TenancyEventId.NothingIsMultiTenanted", message, StringComparison.Ordinal);
        Assert.Contains("AllEntitiesAreMultiTenanted()", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_said_so_or_has_databases_for_tenants_or_no_tables_is_not_warned()
    {
        using var databases = TenantDatabases.Create(x => x.MultiTenantedSchemas("Host=unused"));
        using var separate = ModelContext.Create(b => b.Entity<Blog>(), t => t.UseTenantDatabases(databases));
        using var single = ModelContext.Create(b => _ = (b.Entity<Blog>().IsSingleTenanted(), b.Entity<Note>()));
        using var allSingle = ModelContext.Create(b => b.Entity<Blog>().IsSingleTenanted(), t => t.AllEntitiesAreMultiTenanted());
        using var one = ModelContext.Create(b => _ = (b.Entity<Invoice>().IsMultiTenanted(), b.Entity<Blog>()));
        using var views = ModelContext.Create(b => b.Entity<Blog>().ToView("Blogs").HasNoKey().Ignore(x => x.Posts));
        using var empty = ModelContext.Create(_ => { });

        Assert.All([separate, single, allSingle, one, views, empty], c => Assert.NotNull(c.Model));
    }

    [Fact]
    public void Warnings_would_be_noticed()
    {
        using var context = new ModelContext(
            ModelContext.Options(), b => _ = (b.Entity<Post>().HasQueryFilter(p => p.Id > 7), b.Entity<Remark>()));

        Assert.Contains(
            "PossibleIncorrectRequiredNavigation", Assert.Throws<InvalidOperationException>(() => context.Model).Message, StringComparison.Ordinal);
    }

    private static void Everything(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Blog>().HasIndex(b => b.Name).IsUnique();
        modelBuilder.Entity<Blog>().HasAlternateKey(b => b.Name);
        modelBuilder.Entity<Post>().HasQueryFilter(p => p.Id > 7).HasDiscriminator<string>("Kind").HasValue<SpecialPost>("s").HasValue("p");
        modelBuilder.Entity<SpecialPost>().OwnsMany(p => p.Children, o => o.ToTable("Children"));
        modelBuilder.Entity<SpecialPost>().OwnsMany(p => p.Others, o => o.ToJson());
        modelBuilder.Entity<Note>();
        modelBuilder.Entity<Invoice>().HasOne<Blog>().WithOne().HasForeignKey<Invoice>("BlogId").OnDelete(DeleteBehavior.SetNull);
    }

    private sealed class SpecialPost : Post { public List<Child> Children { get; } = []; public List<Child> Others { get; } = []; }

    private sealed class Child { public int Id { get; set; } public required string Name { get; set; } }

    private sealed class Remark { public int Id { get; set; } public required Post Post { get; set; } }

    private sealed class Note { public int Id { get; set; } public required Blog Blog { get; set; } }
}
