using System.Linq.Expressions;
using EfTenancy.Infrastructure;
using EfTenancy.Metadata.Builders;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Metadata.Conventions;
using Xunit;

namespace EfTenancy.Tests.Infrastructure;

public class TenancyModelValidatorTest
{
    [Fact]
    public void What_a_convention_of_the_application_adds_behind_ours_is_not_global_by_oversight()
    {
        foreach (var (policy, tenancy) in ((bool?, Action<TenancyDbContextOptionsBuilder>)[])[
                     (null, t => t.AllEntitiesAreMultiTenanted()),
                     (null, t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdOnly)),
                     (true, t => { })])
        {
            Assert.Contains(
                "'Late' has no tenant filter",
                Refusal(m => m.Entity(typeof(Late))!.HasAnnotation("Tenancy:IsMultiTenanted", policy), tenancy),
                StringComparison.Ordinal);
        }

        Assert.Null(Refusal(m => m.Entity(typeof(Late)), t => { }));
        Assert.Null(Refusal(m => m.Entity(typeof(LateAndGlobal)), t => t.AllEntitiesAreMultiTenanted()));
    }

    [Fact]
    public void A_convention_of_the_application_does_not_put_another_filter_in_the_place_of_ours()
    {
        Assert.Null(Refusal(_ => { }, t => t.AllEntitiesAreMultiTenanted()));
        Assert.Contains(
            "'Early' has no tenant filter",
            Refusal(
                m => ((IMutableEntityType)m.Metadata.FindEntityType(typeof(Early))!)
                    .SetQueryFilter(TenancyDefaults.QueryFilterName, (Expression<Func<Early, bool>>)(e => e.Id > 0)),
                t => t.AllEntitiesAreMultiTenanted()),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_convention_of_the_application_does_not_take_the_tenant_out_of_writes()
    {
        Assert.Contains(
            "The key {Id} of the multi-tenanted entity 'Early' does not hold the tenant",
            Refusal(m => ((IMutableEntityType)m.Metadata.FindEntityType(typeof(Early))!).SetPrimaryKey(Id(m)), t => { }),
            StringComparison.Ordinal);
        Assert.Contains(
            "The key {Id} of the multi-tenanted entity 'Early' does not hold the tenant",
            Refusal(m => ((IMutableEntityType)m.Metadata.FindEntityType(typeof(Early))!).AddKey(Id(m)), t => { }),
            StringComparison.Ordinal);
        Assert.Contains(
            "'Early.TenantId' is no concurrency token",
            Refusal(
                m => ((IMutableEntityType)m.Metadata.FindEntityType(typeof(Early))!).FindProperty("TenantId")!.IsConcurrencyToken = false,
                t => t.UseTenantKeyStyle(TenantKeyStyle.IdOnly)),
            StringComparison.Ordinal);

        static IMutableProperty Id(IConventionModelBuilder modelBuilder)
            => (IMutableProperty)modelBuilder.Metadata.FindEntityType(typeof(Early))!.FindProperty("Id")!;
    }

    private static string? Refusal(Action<IConventionModelBuilder> convention, Action<TenancyDbContextOptionsBuilder> tenancy)
    {
        using var context = new ConventionContext(ModelContext.Options(o => o.UseTenancy(tenancy)), convention);
        return Record.Exception(() => context.Model)?.Message;
    }

    private sealed class ConventionContext(DbContextOptions options, Action<IConventionModelBuilder> convention)
        : ModelContext(options, m => Build(m, convention)), IModelFinalizingConvention
    {
        // The delegate is what a model is cached by, so that it must be another for each convention.
        private static void Build(ModelBuilder modelBuilder, Action<IConventionModelBuilder> _)
            => modelBuilder.Entity<Early>().IsMultiTenanted();

        protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
            => configurationBuilder.Conventions.Add(_ => this);

        public void ProcessModelFinalizing(IConventionModelBuilder modelBuilder, IConventionContext<IConventionModelBuilder> context)
            => convention(modelBuilder);
    }

    private sealed class Early
    {
        public int Id { get; set; }
    }

    private sealed class Late
    {
        public int Id { get; set; }
    }

    [SingleTenanted]
    private sealed class LateAndGlobal
    {
        public int Id { get; set; }
    }

    [Fact]
    public void Two_partitions_with_one_suffix_are_refused()
    {
        AssertRefused(x => x.ByList().AddPartition("s", "a").AddPartition("s", "b"), "have the suffix 's'", "AddPartition(\"s\", \"tenant1\", \"tenant2\")");
        AssertRefused(x => x.ByHash("s", "t", "s"), "have the suffix 's'", "Rename one");
        AssertRefused(x => x.ByRange().AddRange("s", "a", "b").AddRange("s", "b", "c"), "have the suffix 's'", "Rename one");
        AssertRefused(x => x.ByList().AddPartition("default", "a").WithDefaultPartition(), "have the suffix 'default'", "Rename one");
        AssertRefused(x => x.ByList().AddTenants("a", "a"), "have the suffix 'a'", "Rename one");
    }

    [Fact]
    public void One_tenant_in_two_partitions_is_refused()
    {
        AssertRefused(x => x.ByList().AddPartition("s", "a", "b").AddPartition("t", "b"), "'b' is in two partitions", "'s' and 't'", "AddPartition(...)");
        AssertRefused(x => x.ByList().AddPartition("s", "a", "a"), "'a' is in two partitions", "AddPartition(...)");
    }

    [Fact]
    public void Tenants_that_differ_in_case_are_two_tenants()
        => AssertAccepted(x => x.ByList().AddPartition("s", "a").AddPartition("t", "A").AddPartition("S", "á").AddTenants("x", "X"));

    [Fact]
    public void Partitioning_without_any_partition_is_refused()
    {
        AssertRefused(x => x.ByHash(), "by HASH with no partition", "ByExternallyManaged…Partitions()");
        AssertRefused(x => x.ByList(), "by LIST with no partition", "ByExternallyManaged…Partitions()");
        AssertRefused(x => x.ByRange(), "by RANGE with no partition", "ByExternallyManaged…Partitions()");
    }

    [Fact]
    public void Default_partition_alone_is_accepted()
    {
        AssertAccepted(x => x.ByList().WithDefaultPartition());
        AssertAccepted(x => x.ByRange().WithDefaultPartition());
    }

    [Fact]
    public void Two_default_partitions_are_refused()
        => AssertRefused(x => x.ByList().WithDefaultPartition("s").WithDefaultPartition("t"), "DEFAULT", "'s' and 't'", "WithDefaultPartition(...)");

    [Fact]
    public void Partition_without_a_tenant_is_refused()
        => AssertRefused(x => x.ByList().AddPartition("s"), "holds no tenant", "AddPartition(\"s\", \"tenant\")");

    [Theory]
    [InlineData("a", "a")]
    [InlineData("b", "a")]
    [InlineData("a", "B")]
    [InlineData("é", "z")]
    [InlineData("\U00010000", "\uFFEE")]
    public void Range_that_holds_nothing_byte_by_byte_is_refused(string from, string to)
        => AssertRefused(x => x.ByRange().AddRange("r", from, to), $"from '{from}' to '{to}', which is empty", "AddRange(...)");

    [Theory]
    [InlineData("a", "c", "b", "d")]
    [InlineData("b", "d", "a", "c")]
    [InlineData("a", "d", "b", "c")]
    [InlineData("a", "b", "a", "b")]
    [InlineData("Z", "b", "a", "c")]
    [InlineData("\uFFEE", "\U00010001", "\U00010000", "\U00010002")]
    public void Ranges_that_overlap_byte_by_byte_are_refused(string from1, string to1, string from2, string to2)
        => AssertRefused(x => x.ByRange().AddRange("r", from1, to1).AddRange("s", from2, to2), "'r'", "'s'", "overlap", "AddRange(...)");

    [Theory]
    [InlineData("a", "b", "b", "c")]
    [InlineData("b", "c", "a", "b")]
    [InlineData("A", "Z", "a", "z")]
    [InlineData("a", "é", "é", "ü")]
    public void Ranges_side_by_side_are_accepted(string from1, string to1, string from2, string to2)
        => AssertAccepted(x => x.ByRange().AddRange("r", from1, to1).AddRange("s", from2, to2));

    [Theory]
    [InlineData("")]
    [InlineData("a-b")]
    [InlineData("a b")]
    [InlineData("a\"b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    [InlineData("a$0123456789")]
    [InlineData("01234567890123456789012345678901234567890")]
    public void Suffix_that_is_no_part_of_a_name_is_refused(string suffix)
    {
        AssertRefused(x => x.ByList().AddPartition(suffix, "a"), $"suffix '{suffix}'", "AddTenants(...)");
        AssertRefused(x => x.ByList().AddPartition("a", "a").WithDefaultPartition(suffix), $"suffix '{suffix}'", "AddTenants(...)");
        AssertRefused(x => x.ByHash(suffix), $"suffix '{suffix}'", "AddTenants(...)");
        AssertRefused(x => x.ByRange().AddRange(suffix, "a", "b"), $"suffix '{suffix}'", "AddTenants(...)");
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a\tb")]
    public void Tenant_that_cannot_exist_is_refused(string tenantId)
    {
        AssertRefused(x => x.ByList().AddPartition("s", tenantId), "'s'", "names a tenant that cannot exist", "tenant id must");
        AssertRefused(x => x.ByRange().AddRange("s", tenantId, "b"), "'s'", "names a tenant that cannot exist", "tenant id must");
        AssertRefused(x => x.ByRange().AddRange("s", "a", tenantId), "'s'", "names a tenant that cannot exist", "tenant id must");
    }

    [Fact]
    public void Unique_index_over_all_tenants_on_a_partitioned_table_is_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => Model(b => b.IsPartitionedByTenant(x => x.ByHash("h")).HasIndex(x => x.Name).IsUnique().IsGlobal()));

        Assert.Contains("The index on {Name} of 'Blog'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Remove IsGlobal()", exception.Message, StringComparison.Ordinal);
        Assert.Contains("Entity<Blog>().DoNotPartition()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Global_index_that_is_not_unique_may_be_on_a_partitioned_table()
        => Model(b => b.IsPartitionedByTenant(x => x.ByHash("h")).HasIndex(x => x.Name).IsGlobal());

    [Fact]
    public void Partitioned_entity_that_is_single_tenanted_is_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => Model(b => b.IsSingleTenanted().IsPartitionedByTenant(x => x.ByHash("h"))));

        Assert.Contains("'Blog' is partitioned by tenant but single-tenanted", exception.Message, StringComparison.Ordinal);
        Assert.Contains("DoNotPartition()", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistake_in_the_policy_names_the_entity()
    {
        var exception = Assert.Throws<InvalidOperationException>(() => ModelContext.ModelOf(
            b => b.Entity<Invoice>(), t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntities(x => x.ByHash())));

        Assert.Contains("'Invoice' is partitioned by HASH with no partition", exception.Message, StringComparison.Ordinal);
    }

    private static void AssertRefused(Action<TenantPartitioningBuilder> partitioning, params string[] message)
    {
        var exception = Assert.Throws<InvalidOperationException>(() => AssertAccepted(partitioning));

        Assert.All(message.Append("'Blog'"), part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
    }

    private static void AssertAccepted(Action<TenantPartitioningBuilder> partitioning)
        => Model(b => b.IsPartitionedByTenant(partitioning));

    private static void Model(Action<EntityTypeBuilder<Blog>> build)
        => ModelContext.ModelOf(b => build(b.Entity<Blog>().Ignore(x => x.Posts)), t => t.AllEntitiesAreMultiTenanted());

    [Fact]
    public void Shared_rows_of_a_derived_type_alone_are_refused()
    {
        var exception = Assert.Throws<InvalidOperationException>(
            () => ModelContext.ModelOf(
                b =>
                {
                    b.Entity<Invoice>().IsMultiTenanted();
                    b.Entity<Credit>().IsMultiTenanted(t => t.WithSharedRows());
                }));

        Assert.Contains("'Credit'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("'Invoice'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("modelBuilder.Entity<Invoice>().IsMultiTenanted(t => t.WithSharedRows())", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Shared_rows_of_a_derived_type_and_its_base_are_accepted()
        => ModelContext.ModelOf(
            b =>
            {
                b.Entity<Invoice>().IsMultiTenanted(t => t.WithSharedRows());
                b.Entity<Credit>().IsMultiTenanted(t => t.WithSharedRows());
            });

    private sealed class Credit : Invoice;

    [Fact]
    public void Storage_parameters_of_a_partitioned_table_are_refused()
    {
        // PostgreSQL: syntax error at "PARTITION", since WITH stands before it; and in the right place they are refused too.
        var exception = Assert.Throws<InvalidOperationException>(() => ModelContext.ModelOf(
            b => b.Entity<Invoice>().IsMultiTenanted().IsPartitionedByTenant(x => x.ByHash("h")).HasStorageParameter("fillfactor", 70)));

        Assert.Contains("'Invoice'", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_version_on_a_partitioned_table_is_refused()
    {
        // PostgreSQL: cannot retrieve a system column in this context.
        var exception = Assert.Throws<InvalidOperationException>(() => ModelContext.ModelOf(
            b => b.Entity<Invoice>().IsMultiTenanted().IsPartitionedByTenant(x => x.ByHash("h")).Property<uint>("Version").IsRowVersion()));

        Assert.Contains("'Invoice.Version'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("modelBuilder.Entity<Invoice>().DoNotPartition()", exception.Message, StringComparison.Ordinal);
    }
}
