using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using NpgsqlTypes;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>What the provider has beyond EF, on plain and on partitioned tables: generated search columns, kinds of indexes, arrays, ranges, collations.</summary>
public sealed class NpgsqlFeaturesTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private static readonly Dictionary<string, Action<TenantPartitioningBuilder>?> Partitionings = new()
    {
        ["none"] = null,
        ["list"] = x => x.ByList().AddPartition("green", "Green").AddPartition("red", "Red"),
        ["hash"] = x => x.ByHash("h0", "h1"),
        ["managed"] = x => x.ByManagedListPartitions("tenants"),
    };

    public static TheoryData<string> Names
        => [.. Partitionings.Keys];

    [Theory, MemberData(nameof(Names))]
    public async Task Features_of_the_provider_work_as_before(string partitioning)
    {
        var database = await DatabaseAsync();
        await using (var setup = new PaperContext(database.ConnectionString, Partitionings[partitioning]))
        {
            await setup.Database.EnsureCreatedAsync();
            if (partitioning == "managed")
            {
                await setup.Tenancy().Administration.AddAsync(["Green", "Red"]);
            }
        }

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = Context(tenant);
            db.Add(
                new Paper
                {
                    Title = "The cats of " + tenant,
                    Valid = new(DateTime.UtcNow.AddDays(-1), DateTime.UtcNow.AddDays(1)),
                    Marks = [1, 2],
                    Tags = ["cat", tenant],
                });
            await db.SaveChangesAsync();
        }

        await using var green = Context("Green");
        var papers = green.Papers;
        Assert.Equal(1, await papers.CountAsync(p => p.Search!.Matches(EF.Functions.ToTsQuery("cat"))));
        Assert.Equal(1, await papers.CountAsync(p => p.Tags.Contains("cat")));
        Assert.Equal(1, await papers.CountAsync(p => p.Marks.Any(m => m == 2)));
        Assert.Equal(1, await papers.CountAsync(p => p.Valid.Contains(DateTime.UtcNow)));
        Assert.Equal(1, await papers.CountAsync(p => EF.Functions.ILike(p.Title, "the CATS%")));
        Assert.Equal(1, await papers.CountAsync(p => EF.Functions.Collate(p.Title, "any_case") == "THE CATS OF GREEN"));
        Assert.Equal(["cat", "Green"], await papers.SelectMany(p => p.Tags).ToListAsync());
        Assert.Equal("The cats of Green", await papers.GroupBy(p => 1).Select(g => string.Join(", ", g.Select(p => p.Title))).SingleAsync());
        Assert.Equal(["The cats of Green".Length], await papers.Select(p => p.Length).ToListAsync());
        Assert.Equal(6, await database.ScalarAsync<long>(
            """SELECT count(*) FROM pg_index WHERE indrelid = '"Papers"'::regclass AND indisvalid AND NOT indisunique"""));

        PaperContext Context(string tenant)
        {
            var context = new PaperContext(database.ConnectionString, Partitionings[partitioning]);
            context.Tenancy().Use(tenant);
            return context;
        }
    }

    private sealed class PaperContext(string connectionString, Action<TenantPartitioningBuilder>? partitioning) : DbContext
    {
        public DbSet<Paper> Papers => Set<Paper>();

        private Action<TenantPartitioningBuilder>? Partitioning { get; } = partitioning;

        protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
            => optionsBuilder.UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
                .ReplaceService<IModelCacheKeyFactory, OnePerPartitioning>();

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasCollation("any_case", "und-u-ks-level2", "icu", deterministic: false);
            modelBuilder.Entity<Paper>(
                paper =>
                {
                    paper.ToTable(t => t.HasComment("What was written").HasCheckConstraint("Titled", "\"Title\" <> ''"));
                    paper.Property(p => p.Id).UseIdentityAlwaysColumn().HasIdentityOptions(startValue: 100);
                    paper.Property(p => p.Title).HasComment("As printed");
                    paper.Property(p => p.Length).HasComputedColumnSql("length(\"Title\")", stored: true);
                    paper.HasGeneratedTsVectorColumn(p => p.Search!, "english", p => p.Title);
                    paper.HasIndex(p => p.Search).HasMethod("gin");
                    paper.HasIndex(p => p.Tags).HasMethod("gin");
                    paper.HasIndex(p => p.Valid).HasMethod("gist");
                    paper.HasIndex(p => p.Title, "Concurrent").IsCreatedConcurrently();
                    paper.HasIndex(p => p.Title, "Including").IncludeProperties(p => p.Length).IsDescending();
                    paper.HasIndex(p => p.Title, "Pattern").UseCollation("C").HasOperators("text_pattern_ops");
                    if (Partitioning is not null)
                    {
                        paper.IsPartitionedByTenant(Partitioning);
                    }
                });
        }

        private sealed class OnePerPartitioning : IModelCacheKeyFactory
        {
            public object Create(DbContext context, bool designTime)
                => (context.GetType(), ((PaperContext)context).Partitioning, designTime);
        }
    }

    private sealed class Paper
    {
        public int Id { get; set; }

        public required string Title { get; set; }

        public int Length { get; set; }

        public NpgsqlTsVector? Search { get; set; }

        public NpgsqlRange<DateTime> Valid { get; set; }

        public int[] Marks { get; set; } = [];

        public List<string> Tags { get; set; } = [];
    }
}
