using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using DevPostgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Benchmarks;

/// <summary>
///     One tenant's work beside the same written by hand, in one run: 10 tenants, 100 rows each. The baseline is plain EF with a Where.
/// </summary>
[MemoryDiagnoser]
[CategoriesColumn]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public class ContextBenchmarks
{
    private const string Tenant = "t7";
    private const int Id = 750;

    private PostgresServer _server = null!;
    private DbContextOptions<WhereContext> _where = null!;
    private DbContextOptions<ShadowContext> _shadow = null!;
    private DbContextOptions<FilterContext> _filter = null!;
    private DbContextOptions<TenancyContext> _tenancy = null!;
    private DbContextOptions<OwnPropertyContext> _ownProperty = null!;
    private PooledDbContextFactory<WhereContext> _pooledWhere = null!;
    private PooledDbContextFactory<FilterContext> _pooledFilter = null!;
    private PooledDbContextFactory<TenancyContext> _pooledTenancy = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _server = await PostgresServer.StartAsync();
        var connectionString = _server.ConnectionStringFor("bench");

        await using (var dummy = new DummyContext(new DbContextOptionsBuilder<DummyContext>().UseNpgsql(connectionString).Options))
        {
            _ = dummy.Model;
        }

        _where = new DbContextOptionsBuilder<WhereContext>().UseNpgsql(connectionString).Options;
        _shadow = new DbContextOptionsBuilder<ShadowContext>().UseNpgsql(connectionString).Options;
        _filter = new DbContextOptionsBuilder<FilterContext>().UseNpgsql(connectionString).Options;
        _tenancy = new DbContextOptionsBuilder<TenancyContext>().UseNpgsql(connectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;
        _ownProperty = new DbContextOptionsBuilder<OwnPropertyContext>().UseNpgsql(connectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;
        (_pooledWhere, _pooledFilter, _pooledTenancy) = (new(_where), new(_filter), new(_tenancy));

        await using var context = new WhereContext(_where);
        await context.Database.EnsureCreatedAsync();
        for (var i = 0; i < 1000; i++)
        {
            context.Add(new Post { TenantId = "t" + (i / 100), Id = i + 1, Title = "Title " + i, Likes = i });
        }

        await context.SaveChangesAsync();
        await context.Database.ExecuteSqlAsync($"""ALTER TABLE "Posts" ALTER COLUMN "Id" RESTART WITH 1000000""");
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
        => await _server.DisposeAsync();

    [BenchmarkCategory("by key"), Benchmark(Baseline = true)]
    public Post ByKey_Where()
    {
        using var db = new WhereContext(_where);
        return db.Posts.Single(p => p.TenantId == Tenant && p.Id == Id);
    }

    [BenchmarkCategory("by key"), Benchmark]
    public Post ByKey_Filter()
    {
        using var db = new FilterContext(_filter) { TenantId = Tenant };
        return db.Posts.Single(p => p.Id == Id);
    }

    [BenchmarkCategory("by key"), Benchmark]
    public PlainPost ByKey_EfTenancy()
    {
        using var db = new TenancyContext(_tenancy);
        db.Tenancy().Use(Tenant);
        return db.Posts.Single(p => p.Id == Id);
    }

    [BenchmarkCategory("by key, pooled"), Benchmark(Baseline = true)]
    public Post ByKeyPooled_Where()
    {
        using var db = _pooledWhere.CreateDbContext();
        return db.Posts.Single(p => p.TenantId == Tenant && p.Id == Id);
    }

    [BenchmarkCategory("by key, pooled"), Benchmark]
    public Post ByKeyPooled_Filter()
    {
        using var db = _pooledFilter.CreateDbContext();
        db.TenantId = Tenant;
        return db.Posts.Single(p => p.Id == Id);
    }

    [BenchmarkCategory("by key, pooled"), Benchmark]
    public PlainPost ByKeyPooled_EfTenancy()
    {
        using var db = _pooledTenancy.CreateDbContext(Tenant);
        return db.Posts.Single(p => p.Id == Id);
    }

    [BenchmarkCategory("100 rows"), Benchmark(Baseline = true)]
    public List<Post> Rows_Where()
    {
        using var db = new WhereContext(_where);
        return db.Posts.Where(p => p.TenantId == Tenant).ToList();
    }

    [BenchmarkCategory("100 rows"), Benchmark]
    public List<Post> Rows_Filter()
    {
        using var db = new FilterContext(_filter) { TenantId = Tenant };
        return db.Posts.ToList();
    }

    [BenchmarkCategory("100 rows"), Benchmark]
    public List<PlainPost> Rows_EfTenancy()
    {
        using var db = new TenancyContext(_tenancy);
        db.Tenancy().Use(Tenant);
        return db.Posts.ToList();
    }

    [BenchmarkCategory("1,000 inserts, rolled back"), Benchmark(Baseline = true)]
    public int Inserts_Where()
    {
        using var db = new WhereContext(_where);
        using var transaction = db.Database.BeginTransaction();
        db.AddRange(Enumerable.Range(0, 1000).Select(i => new Post { TenantId = Tenant, Title = "New", Likes = i }));
        return db.SaveChanges();
    }

    [BenchmarkCategory("1,000 inserts, rolled back"), Benchmark]
    public int Inserts_Shadow()
    {
        using var db = new ShadowContext(_shadow);
        using var transaction = db.Database.BeginTransaction();
        for (var i = 0; i < 1000; i++)
        {
            var post = new PlainPost { Title = "New", Likes = i };
            db.Entry(post).Property(ShadowContext.TenantId).CurrentValue = Tenant;
            db.Add(post);
        }

        return db.SaveChanges();
    }

    [BenchmarkCategory("1,000 inserts, rolled back"), Benchmark]
    public int Inserts_EfTenancy()
    {
        using var db = new TenancyContext(_tenancy);
        db.Tenancy().Use(Tenant);
        using var transaction = db.Database.BeginTransaction();
        db.AddRange(Enumerable.Range(0, 1000).Select(i => new PlainPost { Title = "New", Likes = i }));
        return db.SaveChanges();
    }

    [BenchmarkCategory("1,000 inserts, rolled back"), Benchmark]
    public int Inserts_EfTenancyOwnProperty()
    {
        using var db = new OwnPropertyContext(_ownProperty);
        db.Tenancy().Use(Tenant);
        using var transaction = db.Database.BeginTransaction();
        db.AddRange(Enumerable.Range(0, 1000).Select(i => new Post { TenantId = null!, Title = "New", Likes = i }));
        return db.SaveChanges();
    }

    [BenchmarkCategory("context"), Benchmark(Baseline = true)]
    public object Context_Plain()
    {
        using var db = new WhereContext(_where);
        return db.ChangeTracker;
    }

    [BenchmarkCategory("context"), Benchmark]
    public object Context_EfTenancy()
    {
        using var db = new TenancyContext(_tenancy);
        db.Tenancy().Use(Tenant);
        return db.ChangeTracker;
    }

    [BenchmarkCategory("context, pooled"), Benchmark(Baseline = true)]
    public object ContextPooled_Plain()
    {
        using var db = _pooledWhere.CreateDbContext();
        return db.ChangeTracker;
    }

    [BenchmarkCategory("context, pooled"), Benchmark]
    public object ContextPooled_EfTenancy()
    {
        using var db = _pooledTenancy.CreateDbContext(Tenant);
        return db.ChangeTracker;
    }

    // Nobody has asked for the tenant yet, as at the beginning of each request.
    [BenchmarkCategory("context, pooled"), Benchmark]
    public object ContextPooled_Unnamed()
    {
        using var db = _pooledTenancy.CreateDbContext();
        return db.ChangeTracker;
    }
}
