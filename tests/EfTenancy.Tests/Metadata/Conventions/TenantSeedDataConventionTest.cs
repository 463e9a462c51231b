using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenantSeedDataConventionTest
{
    [Theory]
    [InlineData("shadow tenant")]
    [InlineData("own tenant")]
    [InlineData("join entity")]
    public void Seed_data_of_an_existing_context_belongs_to_the_default_tenant(string entity)
    {
        using var context = ModelContext.CreateMultiTenanted(b => _ = entity switch
        {
            "shadow tenant" => b.Entity<Blog>().Ignore(x => x.Posts).HasData(new Blog { Id = 1 }),
            "own tenant" => b.Entity<Invoice>().HasData(new Invoice { Id = 1 }),
            _ => b.Entity<Post>().Ignore(p => p.Blog).HasMany(p => p.Tags).WithMany(t => t.Posts)
                .UsingEntity(j => j.HasData(new { PostsId = 1, TagsId = 1 })) as object,
        });

        Assert.Contains("'*DEFAULT*'", context.Database.GenerateCreateScript().Split("INSERT INTO")[1], StringComparison.Ordinal);
    }

    [Fact]
    public void Seed_data_that_names_its_tenant_keeps_it()
    {
        using var context = ModelContext.CreateMultiTenanted(
            b => b.Entity<Blog>(
                blog =>
                {
                    blog.Ignore(x => x.Posts).Property<string>("TenantId");
                    blog.HasData(new { Id = 1, Name = "a", TenantId = "Green" }, new { Id = 2, Name = "b", TenantId = "" });
                }));

        var inserts = context.Database.GenerateCreateScript().Split("INSERT INTO", 2)[1];
        Assert.Contains("'Green'", inserts, StringComparison.Ordinal);
        Assert.Contains("'*DEFAULT*'", inserts, StringComparison.Ordinal);
    }
}
