using EfTenancy.Metadata.Builders;
using EfTenancy.Migrations.Operations;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Xunit;

namespace EfTenancy.Tests.Design;

public class MigrationsScaffoldingTest
{
    private static readonly Dictionary<string, Action<TenantPartitioningBuilder>?> Strategies = new()
    {
        ["plain"] = null,
        ["list"] = x => x.ByList().AddTenants("a", "Green").AddPartition("shared", "b", "c"),
        ["list with hostile tenants"] = x => x.ByList().AddTenants("'; DROP TABLE \"Blogs\"; --", "a\\b", "{0}", "Größe", "😀", "50%", "*DEFAULT*"),
        ["list with default"] = x => x.ByList().AddTenants("a").WithDefaultPartition("rest"),
        ["only default"] = x => x.ByList().WithDefaultPartition(),
        ["list, external"] = x => x.ByExternallyManagedListPartitions(),
        ["list, managed"] = x => x.ByManagedListPartitions("Tenant's \"registry\""),
        ["hash"] = x => x.ByHash("one", "two", "three"),
        ["hash of one"] = x => x.ByHash("one"),
        ["hash, external"] = x => x.ByExternallyManagedHashPartitions(),
        ["range"] = x => x.ByRange().AddRange("asia", "a", "azzz").AddRange("other", "b", "b\"'\\").WithDefaultPartition(),
        ["range, external"] = x => x.ByExternallyManagedRangePartitions(),
    };

    public static TheoryData<string> Partitionings
        => [.. Strategies.Keys];

    [Theory, MemberData(nameof(Partitionings))]
    public void Migration_compiles_and_does_what_the_model_says(string partitioning)
    {
        using var context = Context(partitioning);
        var operations = context.GetService<IMigrationsModelDiffer>().GetDifferences(null, context.DesignTimeModel.GetRelationalModel());

        var scaffolded = new ScaffoldedMigrations(context);

        Assert.Equal(Sql(context, operations), Sql(context, scaffolded.UpOperations));
        Assert.All(
            scaffolded.DownOperations.Where(o => o is not DropTenantRegistryOperation), o => Assert.IsType<DropTableOperation>(o));
        Assert.Equal(
            partitioning == "list, managed" ? 1 : 0, scaffolded.DownOperations.OfType<DropTenantRegistryOperation>().Count());
    }

    [Theory, MemberData(nameof(Partitionings))]
    public void Second_migration_is_empty(string partitioning)
    {
        using var context = Context(partitioning);

        Assert.Empty(new ScaffoldedMigrations(context).NextOperations(context));
    }

    [Fact]
    public void Second_migration_of_a_model_with_everything_is_empty()
    {
        using var context = ModelContext.CreateMultiTenanted(b =>
        {
            b.Entity<Blog>().IsSingleTenanted().HasIndex(x => x.Name).IsUnique();
            b.Entity<Post>().HasOne(p => p.Blog).WithMany(x => x.Posts).OnDelete(DeleteBehavior.SetNull);
            b.Entity<Post>().HasOne<Post>().WithMany().HasForeignKey("ParentId").OnDelete(DeleteBehavior.SetNull);
            b.Entity<Post>().HasIndex(p => p.BlogId).IsUnique().IsGlobal();
            b.Entity<Tag>().IsPartitionedByTenant(x => x.ByHash("t")).HasIndex(t => t.Id).IsUnique().HasOperators("int4_ops").IsDescending();
            b.Entity<Invoice>().DoNotPartition().HasQueryFilter(i => i.Id > 7).Property(i => i.TenantId).HasColumnName("owner");
        });

        var scaffolded = new ScaffoldedMigrations(context);

        Assert.Empty(scaffolded.NextOperations(context));
        Assert.Contains("ON DELETE SET NULL (\"ParentId\")", Sql(context, scaffolded.UpOperations), StringComparison.Ordinal);
    }

    [Fact]
    public void Owned_rows_of_a_partitioned_table_compile_and_stay_as_they_are()
    {
        using var context = ModelContext.CreateMultiTenanted(b =>
        {
            b.Entity<Blog>().IsPartitionedByTenant(x => x.ByHash("one", "two"))
                .OwnsMany(x => x.Posts, p => _ = (p.Ignore(x => x.Tags), p.Ignore(x => x.Blog)));
            b.Entity<Buyer>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")).OwnsOne(x => x.Home);
            b.Entity<Buyer>().OwnsMany(x => x.Others, o => o.ToJson());
        });

        var scaffolded = new ScaffoldedMigrations(context);

        Assert.Empty(scaffolded.NextOperations(context));
        Assert.Equal(4, scaffolded.UpOperations.OfType<CreateTenantPartitionOperation>().Count());
    }

    [Fact]
    public void New_tenant_is_one_new_partition()
    {
        using var before = Context("list");
        using var after = ModelContext.CreateMultiTenanted(
            b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByList().AddTenants("a", "Green", "new").AddPartition("shared", "b", "c")));

        var operations = new ScaffoldedMigrations(before).NextOperations(after);

        Assert.EndsWith("FOR VALUES IN ('new');", Sql(after, operations).Trim(), StringComparison.Ordinal);
        Assert.Single(operations);
    }

    [Fact]
    public void Migration_reads_as_if_written_by_hand()
    {
        using var context = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>().ToTable("Invoices", "sc").IsPartitionedByTenant(
            x => x.ByList().AddPartition("shared", "a", "b\"c").WithDefaultPartition("rest")));

        var code = new ScaffoldedMigrations(context).Migration;

        Assert.Contains(".PartitionByTenant(TenantPartitionStrategy.List, \"TenantId\");", code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains(
            """migrationBuilder.CreateTenantPartition(table: "Invoices", suffix: "shared", values: ["a", "b\"c"], schema: "sc");""",
            code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains(
            """migrationBuilder.CreateDefaultTenantPartition(table: "Invoices", suffix: "rest", schema: "sc");""",
            code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains(
            """b.IsPartitionedByTenant(x => x.ByList().AddPartition("shared", "a", "b\"c").WithDefaultPartition("rest"))""",
            OnOneLine(code.SnapshotCode), StringComparison.Ordinal);
        Assert.DoesNotContain("Tenancy:Is", code.SnapshotCode, StringComparison.Ordinal);
    }

    [Fact]
    public void Managed_partitions_read_as_if_written_by_hand()
    {
        using var context = ModelContext.CreateMultiTenanted(
            b => b.Entity<Invoice>().ToTable("Invoices", "sc").IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")));

        var code = new ScaffoldedMigrations(context).Migration;

        Assert.Contains("""migrationBuilder.EnsureTenantRegistry(schema: "tenants");""", code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains(
            """migrationBuilder.CreateRegisteredTenantPartitions(table: "Invoices", registrySchema: "tenants", schema: "sc");""",
            code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains("""migrationBuilder.DropTenantRegistry(schema: "tenants");""", code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains(
            """b.IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants"))""", OnOneLine(code.SnapshotCode), StringComparison.Ordinal);
        Assert.Single(context.Model.GetEntityTypes());
    }

    [Fact]
    public void A_plain_table_that_follows_the_registry_reads_as_if_written_by_hand_and_back()
    {
        using var before = Context("plain");
        using var after = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")));

        var operations = new ScaffoldedMigrations(before).NextOperations(after);
        var back = new ScaffoldedMigrations(after).NextOperations(before);

        Assert.Equal(
            """migrationBuilder.EnsureTenantRegistry(schema: "tenants");migrationBuilder.PartitionExistingTable(table: "Invoice", column: "TenantId", partitioning: x => x.ByManagedListPartitions("tenants"), firstPartition: "initial");""",
            OnOneLine(ScaffoldedMigrations.CodeOf(after, operations)));
        Assert.Equal(
            """migrationBuilder.RebuildTableByCopying(table: "Invoice", column: "TenantId");migrationBuilder.DropTenantRegistry(schema: "tenants");""",
            OnOneLine(ScaffoldedMigrations.CodeOf(before, back)));
    }

    [Fact]
    public void A_conversion_beside_other_steps_says_that_it_wants_a_migration_of_its_own()
    {
        using var context = Context("list, managed");
        var migration = new MigrationBuilder("Npgsql.EntityFrameworkCore.PostgreSQL");
        migration.EnsureTenantRegistry("tenants");
        migration.PartitionExistingTable("Invoice", "TenantId", x => x.ByManagedListPartitions("tenants"));
        var alone = ScaffoldedMigrations.CodeOf(context, migration.Operations);

        migration.Operations.Insert(1, new DropIndexOperation { Table = "Invoice", Name = "IX" });
        List<string> warnings = [];
        var together = ScaffoldedMigrations.CodeOf(context, migration.Operations, warnings.Add);

        Assert.DoesNotContain("//", alone, StringComparison.Ordinal);
        Assert.Contains("Move these calls into a migration of their own", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Contains($"// {warnings[0]}migrationBuilder.PartitionExistingTable(", OnOneLine(together), StringComparison.Ordinal);
    }

    [Fact]
    public void A_list_that_follows_the_registry_reads_as_if_written_by_hand_and_back()
    {
        using var before = Context("list");
        using var after = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")));

        var operations = new ScaffoldedMigrations(before).NextOperations(after);
        var back = new ScaffoldedMigrations(after).NextOperations(before);

        Assert.Contains(
            """migrationBuilder.RegisterTenantPartitions(table: "Invoice", registrySchema: "tenants", partitioning: x => x.ByList()""",
            OnOneLine(ScaffoldedMigrations.CodeOf(after, operations)), StringComparison.Ordinal);
        Assert.Contains(
            """migrationBuilder.KeepTenantPartitions(table: "Invoice", partitioning: x => x.ByList()""",
            OnOneLine(ScaffoldedMigrations.CodeOf(before, back)), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_that_is_copied_to_follow_the_registry_and_one_that_leaves_it_for_another_read_as_if_written_by_hand()
    {
        using var hash = Context("hash");
        using var managed = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByManagedListPartitions("tenants")));
        using var elsewhere = ModelContext.CreateMultiTenanted(b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByManagedListPartitions("others")));

        Assert.Equal(
            """migrationBuilder.EnsureTenantRegistry(schema: "tenants");migrationBuilder.RebuildTableByCopying(table: "Invoice", column: "TenantId", partitioning: x => x.ByManagedListPartitions("tenants"));""",
            OnOneLine(ScaffoldedMigrations.CodeOf(managed, new ScaffoldedMigrations(hash).NextOperations(managed))));
        Assert.Equal(
            """migrationBuilder.EnsureTenantRegistry(schema: "others");migrationBuilder.RegisterTenantPartitions(table: "Invoice", registrySchema: "others", formerRegistrySchema: "tenants");"""
            + """migrationBuilder.CreateRegisteredTenantPartitions(table: "Invoice", registrySchema: "others");migrationBuilder.DropTenantRegistry(schema: "tenants");""",
            OnOneLine(ScaffoldedMigrations.CodeOf(elsewhere, new ScaffoldedMigrations(managed).NextOperations(elsewhere))));
    }

    [Theory]
    [InlineData("hash", """suffix: "two", modulus: 3, remainder: 1""", """.ByHash("one", "two", "three")""")]
    [InlineData("range", """suffix: "asia", from: "a", to: "azzz" """, """.ByRange().AddRange("asia", "a", "azzz")""")]
    public void Other_strategies_read_as_if_written_by_hand(string partitioning, string call, string fluent)
    {
        using var context = Context(partitioning);

        var code = new ScaffoldedMigrations(context).Migration;

        Assert.Contains($"migrationBuilder.CreateTenantPartition(table: \"Invoice\", {call.Trim()});", code.MigrationCode, StringComparison.Ordinal);
        Assert.Contains($"b.IsPartitionedByTenant(x => x{fluent}", OnOneLine(code.SnapshotCode), StringComparison.Ordinal);
    }

    [Fact]
    public void Changes_of_partitioning_read_as_if_written_by_hand()
    {
        using var context = Context("list");
        var migration = new MigrationBuilder("Npgsql.EntityFrameworkCore.PostgreSQL");
        migration.PartitionExistingTable("Invoices", "TenantId", x => x.ByList().AddPartition("one", "a", "b").WithDefaultPartition(), schema: "sc");
        migration.RebuildTableByCopying("Invoices", "TenantId", "C", x => x.ByRange().AddRange("low", "a", "m"));
        migration.RebuildTableByCopying("Invoices", "TenantId");

        var code = ScaffoldedMigrations.CodeOf(context, migration.Operations);

        Assert.Contains(
            """migrationBuilder.PartitionExistingTable(table: "Invoices", column: "TenantId", partitioning: x => x.ByList().AddPartition("one", "a", "b").WithDefaultPartition("default"), firstPartition: "initial", schema: "sc");""",
            OnOneLine(code), StringComparison.Ordinal);
        Assert.Contains(
            """migrationBuilder.RebuildTableByCopying(table: "Invoices", column: "TenantId", collation: "C", partitioning: x => x.ByRange().AddRange("low", "a", "m"));""",
            OnOneLine(code), StringComparison.Ordinal);
        Assert.Contains(
            """migrationBuilder.RebuildTableByCopying(table: "Invoices", column: "TenantId");""", OnOneLine(code), StringComparison.Ordinal);
    }

    private static ModelContext Context(string partitioning)
        => ModelContext.CreateMultiTenanted(b =>
        {
            var invoice = b.Entity<Invoice>();
            _ = Strategies[partitioning] is { } strategy ? invoice.IsPartitionedByTenant(strategy) : invoice;
        });

    private static string OnOneLine(string code)
        => string.Concat(code.Split('\n').Select(l => l.Trim()));

    private static string Sql(ModelContext context, IReadOnlyList<MigrationOperation> operations)
        => string.Join('\n', context.GetService<IMigrationsSqlGenerator>().Generate(operations).Select(c => c.CommandText));

    private sealed class Buyer
    {
        public int Id { get; set; }

        public Address? Home { get; set; }

        public List<Address> Others { get; } = [];
    }

    private sealed class Address
    {
        public required string City { get; set; }
    }
}
