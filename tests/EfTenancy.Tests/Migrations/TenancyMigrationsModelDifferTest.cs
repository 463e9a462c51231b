using EfTenancy.Metadata.Builders;
using EfTenancy.Migrations.Operations;
using EfTenancy.Tests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Xunit;

namespace EfTenancy.Tests.Migrations;

public class TenancyMigrationsModelDifferTest
{
    [Fact]
    public void Partitions_follow_their_tables_and_precede_seed_data_and_indexes()
    {
        var operations = Diff(null, b =>
        {
            b.Entity<Blog>().IsPartitionedByTenant(x => x.ByHash("b")).HasData(new { Id = 1, Name = "", TenantId = "Green" });
            b.Entity<Post>().Ignore(p => p.Tags).IsPartitionedByTenant(x => x.ByHash("p"));
            b.Entity<Invoice>().HasIndex(i => i.Id).IsUnique();
        });

        Assert.Equal(
            [
                "CreateTable Blog", "CreateTable Invoice", "CreateTable Post", "CreateTenantPartition Blog_b", "CreateTenantPartition Post_p",
                "InsertData Blog", "CreateIndex IX_Invoice_TenantId_Id", "CreateIndex IX_Post_TenantId_BlogId",
            ],
            operations.Select(Describe));
    }

    [Fact]
    public void New_table_says_by_what_it_is_partitioned_and_not_into_what()
    {
        var table = Diff(null, b => b.Entity<Invoice>(i =>
        {
            i.Property(x => x.TenantId).HasColumnName("owner");
            i.IsPartitionedByTenant(x => x.ByHash("h"));
        })).OfType<CreateTableOperation>().Single();

        Assert.Equal(
            ["Tenancy:PartitionColumn owner", "Tenancy:PartitionStrategy Hash"],
            table.GetAnnotations().Select(a => $"{a.Name} {a.Value}").Order());
    }

    [Fact]
    public void Dropped_table_takes_its_partitions_along()
        => Assert.Equal(["DropTable Invoice"], Diff(ByList("a"), _ => { }).Select(Describe));

    [Fact]
    public void Externally_managed_partitions_are_not_created()
        => Assert.Equal(["CreateTable Invoice"], Diff(null, Partitioned(x => x.ByExternallyManagedListPartitions())).Select(Describe));

    [Fact]
    public void Table_that_migrations_leave_alone_gets_no_partitions()
    {
        Action<ModelBuilder> Excluded(params string[] tenants)
            => b => b.Entity<Invoice>().IsPartitionedByTenant(x => x.ByList().AddTenants(tenants)).ToTable("Invoice", t => t.ExcludeFromMigrations());

        Assert.Empty(Diff(null, Excluded("a")));
        Assert.Empty(Diff(Excluded("a"), Excluded("b")));
    }

    [Fact]
    public void Added_tenants_are_added_partitions()
    {
        var operations = Diff(ByList("a"), ByList("a", "B"));

        var create = Assert.IsType<CreateTenantPartitionOperation>(Assert.Single(operations));
        Assert.Equal("Invoice", create.Table);
        Assert.StartsWith("b$", create.Partition.Suffix, StringComparison.Ordinal);
        Assert.Equal(["B"], create.Partition.Values!);
        Assert.False(create.IsDestructiveChange);
    }

    [Fact]
    public void Removed_tenants_are_dropped_partitions()
    {
        var drop = Assert.IsType<DropTenantPartitionOperation>(Assert.Single(Diff(ByList("a", "b"), ByList("b"))));

        Assert.Equal(("Invoice", "a"), (drop.Table, drop.Suffix));
        Assert.True(drop.IsDestructiveChange);
    }

    [Fact]
    public void Changed_partition_is_dropped_and_created()
        => Assert.Equal(
            ["DropTenantPartition Invoice_s", "CreateTenantPartition Invoice_s"],
            Diff(
                Partitioned(x => x.ByList().AddPartition("s", "a")),
                Partitioned(x => x.ByList().AddPartition("s", "a", "b"))).Select(Describe));

    [Fact]
    public void Order_of_list_partitions_does_not_matter()
        => Assert.Empty(Diff(ByList("a", "b"), ByList("b", "a")));

    [Fact]
    public void Ranges_and_default_partitions_come_and_go()
        => Assert.Equal(
            ["DropTenantPartition Invoice_r", "CreateTenantPartition Invoice_s", "CreateTenantPartition Invoice_default"],
            Diff(
                Partitioned(x => x.ByRange().AddRange("q", "a", "b").AddRange("r", "b", "c")),
                Partitioned(x => x.ByRange().AddRange("q", "a", "b").AddRange("s", "c", "d").WithDefaultPartition())).Select(Describe));

    [Fact]
    public void Partitions_come_after_a_table_that_is_created_in_the_same_migration()
        => Assert.Equal(
            ["DropTenantPartition Invoice_a", "CreateTable Tag", "CreateTenantPartition Invoice_b", "CreateTenantPartition Tag_t"],
            Diff(ByList("a"), b =>
            {
                ByList("b")(b);
                b.Entity<Tag>().Ignore(t => t.Posts).IsPartitionedByTenant(x => x.ByHash("t"));
            }).Select(Describe));

    [Fact]
    public void Renamed_table_takes_the_names_of_its_partitions_along()
    {
        var operations = Diff(
            ByList("a", "b"),
            b => b.Entity<Invoice>().ToTable("Bill", "sc").IsPartitionedByTenant(x => x.ByList().AddTenants("a", "c")));

        Assert.Equal(
            ["Invoice -> sc.Bill", "Invoice_a -> sc.Bill_a"],
            operations.OfType<RenameTableOperation>().Select(o => $"{o.Name} -> {o.NewSchema}.{o.NewName}").Order());
        Assert.Equal(("Invoice", null), operations.OfType<DropTenantPartitionOperation>().Select(o => (o.Table, o.Schema)).Single());
        Assert.Equal(("Bill", "sc"), operations.OfType<CreateTenantPartitionOperation>().Select(o => (o.Table, o.Schema)).Single());
    }

    public static TheoryData<string> Partitionings
        => [.. Strategies.Keys];

    private static readonly Dictionary<string, Action<TenantPartitioningBuilder>?> Strategies = new()
    {
        ["plain"] = null,
        ["list"] = x => x.ByList().AddTenants("a", "O'Hara"),
        ["list, external"] = x => x.ByExternallyManagedListPartitions(),
        ["list with default"] = x => x.ByList().AddTenants("a", "O'Hara").WithDefaultPartition(),
        ["list, managed"] = x => x.ByManagedListPartitions("tenants"),
        ["list, managed elsewhere"] = x => x.ByManagedListPartitions("others"),
        ["hash 1"] = x => x.ByHash("a"),
        ["hash 2"] = x => x.ByHash("a", "b"),
        ["hash, external"] = x => x.ByExternallyManagedHashPartitions(),
        ["range"] = x => x.ByRange().AddRange("a", "a", "b"),
        ["range, external"] = x => x.ByExternallyManagedRangePartitions(),
    };

    [Theory, MemberData(nameof(Partitionings))]
    public void Model_does_not_differ_from_itself(string partitioning)
    {
        using var context = Context(Partitioned(Strategies[partitioning]));
        using var same = Context(Partitioned(Strategies[partitioning]));
        var differ = context.GetService<IMigrationsModelDiffer>();

        Assert.False(differ.HasDifferences(same.DesignTimeModel.GetRelationalModel(), context.DesignTimeModel.GetRelationalModel()));
        Assert.Empty(differ.GetDifferences(same.DesignTimeModel.GetRelationalModel(), context.DesignTimeModel.GetRelationalModel()));
    }

    [Theory, MemberData(nameof(Partitionings))]
    public void Every_change_of_partitioning_is_classified(string partitioning)
        => Assert.All(
            Strategies.Keys.Where(k => k != partitioning),
            other =>
            {
                using var context = Context(Partitioned(Strategies[other]));
                using var source = Context(Partitioned(Strategies[partitioning]));
                var differ = context.GetService<IMigrationsModelDiffer>();
                var (before, after) = (source.DesignTimeModel.GetRelationalModel(), context.DesignTimeModel.GetRelationalModel());

                var toExternal = other == Family(partitioning) + ", external";
                Assert.Equal(!toExternal || partitioning.Contains(", managed", StringComparison.Ordinal), differ.HasDifferences(before, after));
                var operations = differ.GetDifferences(before, after).Where(
                    o => o is not (EnsureTenantRegistryOperation or DropTenantRegistryOperation or EnsureSchemaOperation)).ToList();
                if (Family(other) == "list" && other.Contains(", managed", StringComparison.Ordinal) && partitioning == "list with default")
                {
                    Assert.Equal(["RegisterTenantPartitions Invoice", "RebuildTableByCopying Invoice"], operations.Select(Describe));
                }
                else if (other.StartsWith("list, managed", StringComparison.Ordinal) && Family(partitioning) == "list")
                {
                    Assert.Equal(["RegisterTenantPartitions Invoice", "CreateRegisteredTenantPartitions Invoice"], operations.Select(Describe));
                }
                else if (partitioning is "list" && other is "list with default")
                {
                    Assert.Equal(["CreateTenantPartition Invoice_default"], operations.Select(Describe));
                }
                else if (partitioning is "list with default" && other is "list")
                {
                    Assert.Equal(["DropTenantPartition Invoice_default"], operations.Select(Describe));
                }
                else if (Family(partitioning) == "list" && other is "list" or "list with default" && partitioning != "list")
                {
                    Assert.Equal(["KeepTenantPartitions Invoice"], operations.Select(Describe));
                }
                else if (toExternal)
                {
                    Assert.Empty(operations);
                }
                else if (partitioning == "plain" && Family(other) == "list")
                {
                    var attach = Assert.IsType<PartitionExistingTableOperation>(Assert.Single(operations));
                    Assert.Equal(("Invoice", "TenantId", "initial"), (attach.Table, attach.Column, attach.FirstPartition));
                }
                else
                {
                    var copy = Assert.IsType<RebuildTableByCopyingOperation>(Assert.Single(operations));
                    Assert.Equal(("Invoice", "TenantId"), (copy.Table, copy.Column));
                    Assert.Equal(Family(other) == "range" ? "C" : null, copy.Collation);
                    Assert.Equal(other == "plain", copy.Partitioning is null);
                }
            });

    private static string Family(string partitioning)
        => partitioning.Split(',', ' ')[0];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Comment_of_a_partitioned_table_can_change(bool addsTenant)
    {
        var operations = Diff(ByList("a"), b =>
        {
            ByList(addsTenant ? ["a", "b"] : ["a"])(b);
            b.Entity<Invoice>().ToTable(t => t.HasComment("Bills"));
        });

        var alter = Assert.Single(operations.OfType<AlterTableOperation>());
        Assert.Equal("Bills", alter.Comment);
        Assert.Empty(alter.GetAnnotations().Concat(alter.OldTable.GetAnnotations()));
        Assert.Equal(addsTenant ? 2 : 1, operations.Count);
    }

    [Fact]
    public void Column_added_to_a_partitioned_table_is_an_ordinary_column()
        => Assert.Equal(["AddColumn Extra"], Diff(ByList("a"), b =>
        {
            ByList("a")(b);
            b.Entity<Invoice>().Property<int>("Extra");
        }).Select(Describe));

    private static Action<ModelBuilder> ByList(params string[] tenants)
        => Partitioned(x => x.ByList().AddTenants(tenants));

    private static Action<ModelBuilder> Partitioned(Action<TenantPartitioningBuilder>? partitioning)
        => b =>
        {
            var invoice = b.Entity<Invoice>();
            _ = partitioning is null ? invoice : invoice.IsPartitionedByTenant(partitioning);
        };

    private static ModelContext Context(Action<ModelBuilder> build)
        => ModelContext.CreateMultiTenanted(build);

    private static List<MigrationOperation> Diff(Action<ModelBuilder>? before, Action<ModelBuilder> after)
    {
        using var source = before is null ? null : Context(before);
        using var target = Context(after);

        return target.GetService<IMigrationsModelDiffer>()
            .GetDifferences(source?.DesignTimeModel.GetRelationalModel(), target.DesignTimeModel.GetRelationalModel())
            .Where(o => o is not EnsureSchemaOperation)
            .ToList();
    }

    private static string Describe(MigrationOperation operation)
        => operation.GetType().Name.Replace("Operation", " ", StringComparison.Ordinal)
            + operation switch
            {
                CreateTenantPartitionOperation o => $"{o.Table}_{o.Partition.Suffix}",
                DropTenantPartitionOperation o => $"{o.Table}_{o.Suffix}",
                CreateIndexOperation o => o.Name,
                AddColumnOperation o => o.Name,
                DropTableOperation o => o.Name,
                ITableMigrationOperation o => o.Table,
                _ => "",
            };
}
