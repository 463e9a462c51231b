using System.ComponentModel.DataAnnotations;
using System.ComponentModel.DataAnnotations.Schema;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;
using Xunit;

namespace EfTenancy.Tests.Metadata.Conventions;

public class TenantKeyConventionTest
{
    [Fact]
    public void Key_leads_with_the_tenant_and_the_id_goes_on_as_identity()
    {
        var id = KeyOf<Blog>(b => b.Entity<Blog>().Ignore(x => x.Posts))[1];

        Assert.Equal(ValueGenerated.OnAdd, id.ValueGenerated);
        Assert.Equal(NpgsqlValueGenerationStrategy.IdentityByDefaultColumn, id.GetValueGenerationStrategy());
    }

    [Fact]
    public void Configured_value_generation_of_the_id_stays()
    {
        Assert.Equal(ValueGenerated.OnAdd, KeyOf<WithGuid>(b => b.Entity<WithGuid>())[1].ValueGenerated);
        Assert.Equal(ValueGenerated.Never, KeyOf<WithText>(b => b.Entity<WithText>())[1].ValueGenerated);
        Assert.Equal(ValueGenerated.Never, KeyOf<WithGuid>(b => b.Entity<WithGuid>().Property(x => x.Id).ValueGeneratedNever())[1].ValueGenerated);
        Assert.Equal(
            NpgsqlValueGenerationStrategy.IdentityAlwaysColumn,
            KeyOf<Invoice>(b => b.Entity<Invoice>().Property(x => x.Id).UseIdentityAlwaysColumn())[1].GetValueGenerationStrategy());
        Assert.Equal(
            NpgsqlValueGenerationStrategy.SequenceHiLo,
            KeyOf<Invoice>(b => b.Entity<Invoice>().Property(x => x.Id).UseHiLo("seq"))[1].GetValueGenerationStrategy());

        var byDatabase = KeyOf<WithGuid>(b => b.Entity<WithGuid>().Property(x => x.Id).HasDefaultValueSql("gen_random_uuid()"))[1];
        Assert.Equal(ValueGenerated.OnAdd, byDatabase.ValueGenerated);
        Assert.Equal("gen_random_uuid()", byDatabase.GetDefaultValueSql());
    }

    [Fact]
    public void Composite_key_keeps_its_order_and_generates_nothing()
    {
        var key = KeyOf<Pair>(b => b.Entity<Pair>().HasKey(x => new { x.B, x.A }), "TenantId, B, A");

        Assert.All(key, p => Assert.Equal(ValueGenerated.Never, p.ValueGenerated));
        Assert.All(key, p => Assert.Equal(NpgsqlValueGenerationStrategy.None, p.GetValueGenerationStrategy()));
    }

    [Fact]
    public void Key_that_holds_the_tenant_already_stays()
        => KeyOf<Invoice>(b => b.Entity<Invoice>().HasKey(i => new { i.Id, i.TenantId }), "Id, TenantId");

    [Fact]
    public void Name_of_the_key_stays()
        => Assert.Equal("pk_of_blogs", Model(b => b.Entity<Blog>().HasKey(x => x.Id).HasName("pk_of_blogs")).Type<Blog>().FindPrimaryKey()!.GetName());

    [Fact]
    public void Keyless_type_has_a_tenant_and_a_filter()
        => Assert.True(Model(b => b.Entity<Pair>().HasNoKey().ToView("Pairs")).HasTenant<Pair>());

    private static readonly Dictionary<string, (Action<ModelBuilder> Build, Type Dependent, string[] ForeignKeys)> References = new()
    {
        ["one to many"] = (b => b.Entity<Blog>(), typeof(Post), ["TenantId, BlogId -> Blog(TenantId, Id)"]),
        ["shadow"] = (
            b => b.Entity<Tag>().Ignore(t => t.Posts).HasOne<Invoice>().WithMany(), typeof(Tag), ["TenantId, InvoiceId -> Invoice(TenantId, Id)"]),
        ["to itself"] = (b => b.Entity<Node>(), typeof(Node), ["TenantId, ParentId -> Node(TenantId, Id)"]),
        ["cycle"] = (
            b => b.Entity<Blog>().HasOne<Post>().WithMany().HasForeignKey("TopId"), typeof(Blog), ["TenantId, TopId -> Post(TenantId, Id)"]),
        ["one to one over the primary key"] = (
            b => b.Entity<Invoice>().HasOne<Blog>().WithOne().HasForeignKey<Invoice>(i => i.Id), typeof(Invoice),
            ["TenantId, Id -> Blog(TenantId, Id)"]),
        ["composite"] = (
            b =>
            {
                b.Entity<Pair>().HasKey(p => new { p.A, p.B });
                b.Entity<Invoice>().HasOne<Pair>().WithMany().HasForeignKey("PairA", "PairB");
            },
            typeof(Invoice), ["TenantId, PairA, PairB -> Pair(TenantId, A, B)"]),
        ["many to many with a class"] = (
            b => b.Entity<Post>().HasMany(p => p.Tags).WithMany(t => t.Posts).UsingEntity<Pair>(
                r => r.HasOne<Tag>().WithMany().HasForeignKey(p => p.A), l => l.HasOne<Post>().WithMany().HasForeignKey(p => p.B)),
            typeof(Pair), ["TenantId, A -> Tag(TenantId, Id)", "TenantId, B -> Post(TenantId, Id)"]),
        ["required one to one"] = (
            b =>
            {
                b.Entity<Wide>().HasOne<Blog>().WithOne().HasForeignKey<Wide>("BlogId").IsRequired();
                b.Entity<Wide>().Metadata.GetForeignKeys().Single().IsRequiredDependent = true;
            },
            typeof(Wide), ["TenantId, BlogId -> Blog(TenantId, Id)"]),
        ["required by its type"] = (b => b.Entity<AnnotatedChild>(), typeof(AnnotatedChild), ["TenantId, Parent -> AnnotatedParent(TenantId, Number)"]),
        ["into a hierarchy"] = (
            b => _ = (b.Entity<Blog>(), b.Entity<SpecialBlog>(), b.Entity<Invoice>().HasOne<SpecialBlog>().WithMany().HasForeignKey("BlogId")),
            typeof(Invoice), ["TenantId, BlogId -> SpecialBlog(TenantId, Id)"]),
        ["to a global entity"] = (b => b.Entity<Blog>().IsSingleTenanted(), typeof(Post), ["BlogId -> Blog(Id)"]),
        ["tenant to the global table of tenants"] = (
            b => _ = (
                b.Entity<WithText>().IsSingleTenanted(),
                b.Entity<Invoice>().HasOne<WithText>().WithMany().HasForeignKey(i => i.TenantId).IsRequired().OnDelete(DeleteBehavior.Restrict)),
            typeof(Invoice), ["TenantId -> WithText(Id)"]),
    };

    public static TheoryData<string> ReferenceNames
        => [.. References.Keys];

    [Theory, MemberData(nameof(ReferenceNames))]
    public void Foreign_key_leads_with_the_tenant_on_both_sides(string name)
    {
        var (build, type, foreignKeys) = References[name];

        var dependent = Model(build).FindEntityType(type)!;

        Assert.Equal(foreignKeys, dependent.ForeignKeys());
        Assert.All(
            dependent.GetForeignKeys(),
            fk => Assert.Contains(
                dependent.GetIndexes().Select(i => i.Properties).Concat(dependent.GetKeys().Select(k => k.Properties)),
                indexed => indexed.Take(fk.Properties.Count).SequenceEqual(fk.Properties)));
        Assert.Equal(foreignKeys.Any(fk => fk.StartsWith("BlogId", StringComparison.Ordinal)), dependent.GetIndexes().Any(i => i.Properties.Names() == "BlogId"));

        using var plain = new ModelContext(ModelContext.Options(), build);
        Assert.Equal(Facts(plain.DesignTimeModel.FindEntityType(type)!), Facts(dependent));
    }

    private static IEnumerable<object> Facts(IReadOnlyEntityType dependent)
        => dependent.GetForeignKeys().OrderBy(fk => fk.Properties[^1].Name).Select(
            fk => (fk.IsRequired, fk.IsRequiredDependent, fk.IsUnique, fk.DeleteBehavior, fk.DependentToPrincipal?.Name, fk.PrincipalToDependent?.Name))
            .Cast<object>();

    public static MatrixTheoryData<DeleteBehavior, bool> DeleteBehaviors
        => new([DeleteBehavior.Cascade, DeleteBehavior.Restrict, DeleteBehavior.NoAction, DeleteBehavior.ClientSetNull, DeleteBehavior.SetNull], [true, false]);

    [Theory, MemberData(nameof(DeleteBehaviors))]
    public void Foreign_key_keeps_what_was_configured(DeleteBehavior behavior, bool required)
    {
        // EF itself refuses to null what is required.
        required &= behavior is not (DeleteBehavior.SetNull or DeleteBehavior.ClientSetNull);

        var post = Model(
            b => b.Entity<Post>().HasOne(p => p.Blog).WithMany(x => x.Posts).IsRequired(required).OnDelete(behavior).HasConstraintName("fk")).Type<Post>();

        var foreignKey = Assert.Single(post.GetForeignKeys());
        Assert.Equal(behavior, foreignKey.DeleteBehavior);
        Assert.Equal(required, foreignKey.IsRequired);
        Assert.Equal("fk", foreignKey.GetConstraintName());
        Assert.Equal(("Blog", "Posts"), (foreignKey.DependentToPrincipal!.Name, foreignKey.PrincipalToDependent!.Name));
        Assert.Equal(!required, post.FindProperty("BlogId")!.IsNullable);
        Assert.False(post.FindProperty("TenantId")!.IsNullable);
    }

    [Fact]
    public void One_to_one_stays_unique()
    {
        var model = Model(b => b.Entity<Post>().Ignore(p => p.Tags).HasOne(p => p.Blog).WithOne().HasForeignKey<Post>(p => p.BlogId));

        Assert.Equal(["TenantId, BlogId -> Blog(TenantId, Id)"], model.Type<Post>().ForeignKeys().Take(1));
        Assert.True(model.Type<Post>().GetForeignKeys().First(fk => fk.DependentToPrincipal is not null).IsUnique);
        Assert.True(model.Type<Post>().FindIndex([.. ((string[])["TenantId", "BlogId"]).Select(n => model.Type<Post>().FindProperty(n)!)])!.IsUnique);
    }

    [Fact]
    public void Alternate_key_and_its_foreign_key_lead_with_the_tenant()
    {
        var model = Model(b => b.Entity<Post>().HasOne(p => p.Blog).WithMany(x => x.Posts).HasForeignKey("BlogName").HasPrincipalKey(x => x.Name));

        Assert.Equal(["TenantId, Id", "TenantId, Name"], model.Type<Blog>().GetKeys().Select(k => k.Properties.Names()).Order());
        Assert.Equal(["TenantId, BlogName -> Blog(TenantId, Name)"], model.Type<Post>().ForeignKeys());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Join_entity_of_many_to_many_has_the_tenant(bool byPolicy)
    {
        Action<ModelBuilder> build = b =>
        {
            b.Entity<Post>().IsMultiTenanted().Ignore(p => p.Blog);
            b.Entity<Tag>().IsMultiTenanted();
        };

        var join = (byPolicy ? Model(build) : ModelContext.ModelOf(build)).FindEntityType("PostTag")!;

        Assert.Equal("TenantId, PostsId, TagsId", join.FindPrimaryKey()!.Properties.Names());
        Assert.Equal(["TenantId, PostsId -> Post(TenantId, Id)", "TenantId, TagsId -> Tag(TenantId, Id)"], join.ForeignKeys());
        Assert.All(join.GetForeignKeys(), fk => Assert.True(fk.IsRequired));
        Assert.NotNull(join.FindDeclaredQueryFilter("Tenancy"));
    }

    [Fact]
    public void Join_entity_of_a_multi_tenanted_and_a_global_entity_has_the_tenant()
    {
        var join = ModelContext.ModelOf(b =>
        {
            b.Entity<Post>().IsMultiTenanted().Ignore(p => p.Blog);
            b.Entity<Tag>().IsSingleTenanted();
        }).FindEntityType("PostTag")!;

        Assert.Equal(["TagsId -> Tag(Id)", "TenantId, PostsId -> Post(TenantId, Id)"], join.ForeignKeys());
        Assert.Equal("TenantId, PostsId, TagsId", join.FindPrimaryKey()!.Properties.Names());
    }

    [Fact]
    public void Join_entity_of_global_entities_stays_global()
        => Assert.Equal(
            "PostsId, TagsId",
            ModelContext.ModelOf(b => b.Entity<Post>().IsSingleTenanted().Ignore(p => p.Blog)).FindEntityType("PostTag")!.FindPrimaryKey()!.Properties.Names());

    [Fact]
    public void Owned_type_in_the_table_of_its_owner_shares_the_tenant_column()
    {
        var address = Model(b => b.Entity<Customer>(c => _ = (c.OwnsOne(x => x.Home), c.Ignore(x => x.Others)))).Type<Address>();

        Assert.Equal(["TenantId, CustomerId -> Customer(TenantId, Id)"], address.ForeignKeys());
        Assert.Equal("TenantId, CustomerId", address.FindPrimaryKey()!.Properties.Names());
        Assert.Equal(["Home_City", "Id", "TenantId"], address.GetTableMappings().Single().Table.Columns.Select(c => c.Name).Order());
    }

    [Fact]
    public void Owned_types_in_a_table_of_their_own_have_the_tenant()
    {
        var address = Model(b => b.Entity<Customer>(c => _ = (c.OwnsMany(x => x.Others), c.Ignore(x => x.Home)))).Type<Address>();

        Assert.Equal(["TenantId, CustomerId -> Customer(TenantId, Id)"], address.ForeignKeys());
        Assert.Equal("TenantId, CustomerId, Id", address.FindPrimaryKey()!.Properties.Names());
        Assert.Equal(ValueGenerated.OnAdd, address.FindProperty("Id")!.ValueGenerated);
        Assert.Equal(DeleteBehavior.Cascade, address.GetForeignKeys().Single().DeleteBehavior);
    }

    [Fact]
    public void Owned_types_in_JSON_add_no_column()
    {
        var model = Model(b => b.Entity<Customer>(c => _ = (c.OwnsOne(x => x.Home, o => o.ToJson()), c.OwnsMany(x => x.Others, o => o.ToJson()))));

        var columns = model.Type<Customer>().GetTableMappings().Single().Table.Columns;
        Assert.Equal(["Home", "Id", "Others", "TenantId"], columns.Select(c => c.Name).Order());
    }

    [Fact]
    public void Complex_type_has_nothing_of_the_tenant()
    {
        var customer = Model(b => b.Entity<Customer>(c => _ = (c.ComplexProperty(x => x.Home), c.Ignore(x => x.Others)))).Type<Customer>();

        Assert.Equal(["City"], customer.GetComplexProperties().Single().ComplexType.GetProperties().Select(p => p.Name));
    }

    [Fact]
    public void Entities_that_split_a_table_share_the_tenant_column()
    {
        var model = Model(b =>
        {
            b.Entity<Blog>().ToTable("Blogs").Ignore(x => x.Posts);
            b.Entity<Wide>().ToTable("Blogs").HasOne<Blog>().WithOne().HasForeignKey<Wide>(i => i.Id);
        });

        Assert.Equal(["Id", "Left", "Name", "Right", "TenantId"], model.Type<Wide>().GetTableMappings().Single().Table.Columns.Select(c => c.Name).Order());
    }

    [Fact]
    public void Entity_that_splits_over_tables_has_the_tenant_in_each()
    {
        var model = Model(b => b.Entity<Wide>().ToTable("Wide").SplitToTable("Rest", t => t.Property(x => x.Right)));

        Assert.All(
            model.Type<Wide>().GetTableMappings().Select(m => m.Table),
            t => Assert.Equal(["TenantId", "Id"], t.PrimaryKey!.Columns.Select(c => c.Name)));
        Assert.Equal(["TenantId", "Id"], Assert.Single(model.GetRelationalModel().FindTable("Rest", null)!.ForeignKeyConstraints).Columns.Select(c => c.Name));
    }

    [Fact]
    public void Keys_and_references_from_attributes_lead_with_the_tenant()
    {
        var child = Model(b => b.Entity<AnnotatedChild>()).Type<AnnotatedChild>();

        Assert.Equal("TenantId, First, Second", child.FindPrimaryKey()!.Properties.Names());
        Assert.Equal(["TenantId, Parent -> AnnotatedParent(TenantId, Number)"], child.ForeignKeys());
        Assert.Equal(DeleteBehavior.Restrict, child.GetForeignKeys().Single().DeleteBehavior);
    }

    [Fact]
    public void Global_entity_that_references_a_multi_tenanted_one_is_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => Model(b => b.Entity<Post>().IsSingleTenanted().Ignore(p => p.Tags)));

        Assert.Contains("'Post' references the multi-tenanted entity 'Blog' through {BlogId}", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Entity<Post>().IsMultiTenanted()", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Entity<Blog>().IsSingleTenanted()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Tenant_that_references_a_multi_tenanted_entity_is_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => Model(b => b.Entity<Invoice>().HasOne<WithText>().WithMany().HasForeignKey(i => i.TenantId)));

        Assert.Contains("tenant of 'Invoice' ('TenantId') references the multi-tenanted entity 'WithText'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Entity<WithText>().IsSingleTenanted()", exception.Message, StringComparison.Ordinal);
    }

    private static IModel Model(Action<ModelBuilder> build)
        => ModelContext.ModelOf(build, t => t.AllEntitiesAreMultiTenanted());

    private static IReadOnlyList<IReadOnlyProperty> KeyOf<TEntity>(Action<ModelBuilder> build, string names = "TenantId, Id")
    {
        var key = Model(build).Type<TEntity>().FindPrimaryKey()!;
        Assert.Equal(names, key.Properties.Names());
        Assert.Equal(ValueGenerated.Never, key.Properties.Single(p => p.Name == "TenantId").ValueGenerated);
        Assert.Single(key.DeclaringEntityType.GetKeys());
        return key.Properties;
    }

    private sealed class WithGuid { public Guid Id { get; set; } }

    private sealed class WithText { public string Id { get; set; } = ""; }

    private sealed class Pair { public int A { get; set; } public int B { get; set; } }

    private sealed class Wide
    {
        public int Id { get; set; }
        public required string Left { get; set; }
        public required string Right { get; set; }
    }

    private sealed class Node { public int Id { get; set; } public int? ParentId { get; set; } public Node? Parent { get; set; } }

    private sealed class SpecialBlog : Blog;

    private sealed class Customer
    {
        public int Id { get; set; }
        public Address Home { get; set; } = new();
        public List<Address> Others { get; } = [];
    }

    private sealed class Address { public string City { get; set; } = ""; }

    private sealed class AnnotatedParent
    {
        [Key]
        public int Number { get; set; }
    }

    [PrimaryKey(nameof(First), nameof(Second))]
    private sealed class AnnotatedChild
    {
        public int First { get; set; }

        public int Second { get; set; }

        public int Parent { get; set; }

        [ForeignKey(nameof(Parent)), DeleteBehavior(DeleteBehavior.Restrict)]
        public required AnnotatedParent Of { get; set; }
    }
}
