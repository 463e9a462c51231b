using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenantIndexConventionTest
{
    [Fact]
    public void Unique_index_gets_the_tenant_in_front()
    {
        var index = IndexOf(b => b.HasIndex(x => x.Name).IsUnique());

        Assert.Equal("TenantId, Name", index.Properties.Names());
        Assert.True(index.IsUnique);
        Assert.Equal("IX_Thing_TenantId_Name", index.GetDatabaseName());
    }

    [Fact]
    public void Index_that_is_not_unique_stays()
        => Assert.Equal("Name", IndexOf(b => b.HasIndex(x => x.Name)).Properties.Names());

    [Fact]
    public void Unique_index_of_a_global_entity_stays()
        => Assert.Equal("Name", IndexOf(b => b.IsSingleTenanted().HasIndex(x => x.Name).IsUnique()).Properties.Names());

    [Fact]
    public void Global_unique_index_stays()
    {
        Assert.Equal("Name", IndexOf(b => b.HasIndex(x => x.Name).IsUnique().IsGlobal()).Properties.Names());
        Assert.Equal("Name", IndexOf(b => b.HasIndex("Name").IsGlobal().IsUnique()).Properties.Names());
    }

    [Fact]
    public void Unique_index_that_holds_the_tenant_already_stays()
        => Assert.Equal("Name, TenantId", IndexOf(b => b.HasIndex("Name", "TenantId").IsUnique(), b => b.Property<string>("TenantId")).Properties.Names());

    [Fact]
    public void Unique_index_from_an_attribute_gets_the_tenant_too()
    {
        var index = ModelContext.ModelOf(b => b.Entity<Annotated>().IsMultiTenanted()).Type<Annotated>().GetIndexes().Single();

        Assert.Equal("TenantId, Name", index.Properties.Names());
        Assert.Equal([false, true], index.IsDescending);
        Assert.Equal("ix", index.GetDatabaseName());
    }

    [Fact]
    public void Unnamed_unique_index_from_an_attribute_gets_the_tenant_too()
        => Assert.Equal(
            ["TenantId, Code"],
            ModelContext.ModelOf(b => b.Entity<Coded>().IsMultiTenanted()).Type<Coded>().GetIndexes().Select(i => i.Properties.Names()));

    [Fact]
    public void Unique_index_from_an_attribute_can_be_global()
        => Assert.Equal(
            ["Code"],
            ModelContext.ModelOf(b => b.Entity<Coded>().IsMultiTenanted().HasIndex(x => x.Code).IsGlobal())
                .Type<Coded>().GetIndexes().Select(i => i.Properties.Names()));

    [Theory]
    [InlineData(null, null)]
    [InlineData(new bool[0], new[] { false, true, true })]
    [InlineData(new[] { true, false }, new[] { false, true, false })]
    [InlineData(new[] { false, true }, new[] { false, false, true })]
    public void Tenant_ascends_and_the_other_columns_keep_their_direction(bool[]? before, bool[]? after)
    {
        var index = IndexOf(b =>
        {
            var builder = b.HasIndex(x => new { x.Name, x.Number }).IsUnique();
            _ = before is null ? builder : builder.IsDescending(before);
        });

        Assert.Equal("TenantId, Name, Number", index.Properties.Names());
        Assert.Equal(after, index.IsDescending);
    }

    [Fact]
    public void Everything_else_of_a_unique_index_stays()
    {
        var index = IndexOf(b => b.HasIndex(x => x.Name, "named").IsUnique().HasFilter("\"Number\" > 0").HasDatabaseName("in_database")
            .IncludeProperties(x => x.Number).AreNullsDistinct(false).HasMethod("btree").HasNullSortOrder(NullSortOrder.NullsFirst)
            .HasStorageParameter("fillfactor", 70).HasAnnotation("Mine", 1));

        Assert.Equal("named", index.Name);
        Assert.Equal("in_database", index.GetDatabaseName());
        Assert.Equal("\"Number\" > 0", index.GetFilter());
        Assert.Equal(["Number"], index.GetIncludeProperties());
        Assert.False(index.GetAreNullsDistinct());
        Assert.Equal("btree", index.GetMethod());
        Assert.Equal(70, index.GetStorageParameters()["fillfactor"]);
        Assert.Equal(1, index["Mine"]);
    }

    [Fact]
    public void Settings_for_each_column_of_a_unique_index_stay_with_their_column()
    {
        var index = IndexOf(b => b.HasIndex(x => new { x.Name, x.Number }).IsUnique()
            .HasNullSortOrder(NullSortOrder.NullsFirst, NullSortOrder.NullsLast).HasOperators("text_pattern_ops").UseCollation("C"));

        Assert.Equal([NullSortOrder.Unspecified, NullSortOrder.NullsFirst, NullSortOrder.NullsLast], index.GetNullSortOrder());
        Assert.Equal(["", "text_pattern_ops"], index.GetOperators()!);
        Assert.Equal(["", "C"], (IReadOnlyList<string>)index.FindAnnotation("Relational:Collation")!.Value!);
    }

    [Fact]
    public void Several_unique_indexes_on_one_column_all_get_the_tenant()
    {
        var indexes = ModelContext.ModelOf(b => b.Entity<Thing>(t =>
        {
            t.IsMultiTenanted();
            t.HasIndex(x => x.Name).IsUnique();
            t.HasIndex(x => x.Name, "second").IsUnique().HasFilter("\"Number\" = 1");
        })).Type<Thing>().GetIndexes().ToList();

        Assert.Equal(2, indexes.Count);
        Assert.All(indexes, i => Assert.Equal("TenantId, Name", i.Properties.Names()));
    }

    [Fact]
    public void Unique_index_on_a_foreign_key_gets_the_tenant()
    {
        var indexes = ModelContext.ModelOf(
            b => b.Entity<Post>().Ignore(p => p.Tags).HasIndex(p => p.BlogId).IsUnique().HasFilter("\"Id\" > 0"),
            t => t.AllEntitiesAreMultiTenanted()).Type<Post>().GetIndexes();

        var index = Assert.Single(indexes);
        Assert.Equal("TenantId, BlogId", index.Properties.Names());
        Assert.True(index.IsUnique);
        Assert.Equal("\"Id\" > 0", index.GetFilter());
    }

    [Fact]
    public void Unique_index_of_a_derived_type_gets_the_tenant_of_its_root()
    {
        var index = ModelContext.ModelOf(b =>
        {
            b.Entity<Thing>().IsMultiTenanted();
            b.Entity<SpecialThing>().HasIndex(x => x.Extra).IsUnique();
        }).Type<SpecialThing>().GetDeclaredIndexes().Single();

        Assert.Equal("TenantId, Extra", index.Properties.Names());
    }

    [Fact]
    public void Own_index_of_a_foreign_key_serves_it_on()
    {
        AssertIndexes("CREATE INDEX ix ON \"Post\" (\"TenantId\", \"BlogId\");", p => p.HasIndex(x => x.BlogId).HasDatabaseName("ix"));
        AssertIndexes("CREATE INDEX ix ON \"Post\" (\"TenantId\", \"BlogId\");", p => p.HasIndex(x => x.BlogId, "ix"));
        AssertIndexes(
            "CREATE INDEX \"IX_Post_TenantId_BlogId\" ON \"Post\" (\"TenantId\", \"BlogId\" DESC) INCLUDE (\"Id\") WHERE \"BlogId\" > 7;",
            p => p.HasIndex(x => x.BlogId).IsDescending().IncludeProperties(x => x.Id).HasFilter("\"BlogId\" > 7"));
    }

    [Fact]
    public void Own_index_that_begins_with_a_foreign_key_serves_it_on()
        => AssertIndexes(
            "CREATE INDEX \"IX_Post_TenantId_BlogId_Id\" ON \"Post\" (\"TenantId\", \"BlogId\", \"Id\" DESC);",
            p => p.HasIndex(x => new { x.BlogId, x.Id }).IsDescending(false, true));

    [Fact]
    public void Own_index_of_a_foreign_key_gets_the_tenant_where_the_key_has_it()
        => Assert.Equal(
            [
                "CREATE INDEX \"IX_Post_BlogId_TenantId_Id\" ON \"Post\" (\"BlogId\" int4_ops, \"TenantId\", \"Id\" int4_minmax_ops);",
                "CREATE INDEX \"IX_Post_TenantId\" ON \"Post\" (\"TenantId\");",
            ],
            IndexesOfPost(
                p => p.HasIndex(x => new { x.BlogId, x.Id }).HasOperators("int4_ops", "int4_minmax_ops"), TenantKeyStyle.IdThenTenant));

    [Fact]
    public void Own_index_of_a_foreign_key_without_tenant_stays()
    {
        Assert.Equal(
            ["CREATE INDEX \"IX_Post_TenantId\" ON \"Post\" (\"TenantId\");", "CREATE INDEX ix ON \"Post\" (\"BlogId\");"],
            IndexesOfPost(p => p.HasIndex(x => x.BlogId, "ix"), TenantKeyStyle.IdOnly));
        AssertIndexes("CREATE INDEX ix ON \"Post\" (\"BlogId\");", p => p.HasIndex(x => x.BlogId, "ix"), b => b.Entity<Blog>().IsSingleTenanted());
    }

    [Fact]
    public void Global_index_on_the_columns_of_a_foreign_key_stays_beside_that_of_the_foreign_key()
        => Assert.Equal(
            ["CREATE INDEX \"IX_Post_TenantId_BlogId\" ON \"Post\" (\"TenantId\", \"BlogId\");", "CREATE INDEX ix ON \"Post\" (\"BlogId\");"],
            IndexesOfPost(p => p.HasIndex(x => x.BlogId, "ix").IsGlobal()).Order());

    [Fact]
    public void Index_on_a_column_of_two_foreign_keys_stays_for_the_one_without_tenant()
        => Assert.Equal(
            ["CREATE INDEX \"IX_Post_TenantId_BlogId\" ON \"Post\" (\"TenantId\", \"BlogId\");", "CREATE INDEX ix ON \"Post\" (\"BlogId\");"],
            IndexesOfPost(
                p =>
                {
                    p.HasIndex(x => x.BlogId, "ix");
                    p.HasOne(x => x.Blog).WithMany().HasForeignKey(x => x.BlogId);
                    p.HasOne<Thing>().WithMany().HasForeignKey(x => x.BlogId);
                },
                others: b => b.Entity<Thing>().IsSingleTenanted()).Order());

    [Fact]
    public void Reference_to_a_table_of_tenants_draws_no_index_to_the_tenant()
        => AssertIndexes(
            "CREATE INDEX ix ON \"Post\" (\"Id\");",
            p =>
            {
                p.Ignore(x => x.Blog);
                p.HasIndex(x => x.Id, "ix");
                p.Property<string>("TenantId");
                p.HasOne<Owner>().WithMany().HasForeignKey("TenantId");
            },
            b => b.Entity<Owner>().IsSingleTenanted());

    // EF warns of an index that is on no table, and every warning throws.
    [Theory]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public void View_behind_a_set_gets_no_index(TenantKeyStyle style)
    {
        using var context = new ViewContext(
            new DbContextOptionsBuilder().UseUnusedDatabase()
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style))
                .ConfigureWarnings(w => w.Default(WarningBehavior.Throw)).Options);

        Assert.Empty(context.Model.Type<Thing>().GetIndexes());
    }

    [Theory]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public void Each_table_of_a_hierarchy_with_a_table_per_concrete_type_gets_an_index(TenantKeyStyle style)
    {
        using var context = ModelContext.Create(
            b =>
            {
                b.Entity<Animal>().UseTpcMappingStrategy();
                b.Entity<Cat>();
                b.Entity<Dog>();
            },
            t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style));

        var script = context.Database.GenerateCreateScript();
        Assert.Contains("CREATE INDEX \"IX_Cat_TenantId\" ON \"Cat\" (\"TenantId\");", script, StringComparison.Ordinal);
        Assert.Contains("CREATE INDEX \"IX_Dog_TenantId\" ON \"Dog\" (\"TenantId\");", script, StringComparison.Ordinal);
    }

    private static void AssertIndexes(string ddl, Action<EntityTypeBuilder<Post>> build, Action<ModelBuilder>? others = null)
        => Assert.Equal([ddl], IndexesOfPost(build, others: others));

    private static IEnumerable<string> IndexesOfPost(
        Action<EntityTypeBuilder<Post>> build,
        TenantKeyStyle style = TenantKeyStyle.TenantThenId,
        Action<ModelBuilder>? others = null)
    {
        using var context = ModelContext.Create(
            b =>
            {
                b.Entity<Blog>().Ignore(x => x.Posts);
                build(b.Entity<Post>().Ignore(x => x.Tags));
                others?.Invoke(b);
            },
            t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style));

        return [.. context.Database.GenerateCreateScript().Split('\n').Where(l => l.Contains("INDEX", StringComparison.Ordinal) && l.Contains("\"Post\"", StringComparison.Ordinal)).Select(l => l.Trim())];
    }

    private static IIndex IndexOf(Action<EntityTypeBuilder<Thing>> build, Action<EntityTypeBuilder<Thing>>? before = null)
        => ModelContext.ModelOf(
            b =>
            {
                before?.Invoke(b.Entity<Thing>());
                build(b.Entity<Thing>());
            },
            t => t.AllEntitiesAreMultiTenanted()).Type<Thing>().GetIndexes().Single();

    private sealed class ViewContext(DbContextOptions options) : DbContext(options)
    {
        public DbSet<Thing> Things => Set<Thing>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Thing>().ToView("ThingView");
    }

    private abstract class Animal { public Guid Id { get; set; } }

    private sealed class Cat : Animal;

    private sealed class Dog : Animal;

    private class Thing { public int Id { get; set; } public string Name { get; set; } = ""; public int Number { get; set; } }

    private sealed class Owner { public string Id { get; set; } = ""; }

    private sealed class SpecialThing : Thing { public int Extra { get; set; } }

    [Index(nameof(Name), IsUnique = true, IsDescending = [true], Name = "ix")]
    private sealed class Annotated { public int Id { get; set; } public string Name { get; set; } = ""; }

    [Index(nameof(Code), IsUnique = true)]
    private sealed class Coded { public int Id { get; set; } public string Code { get; set; } = ""; }
}
