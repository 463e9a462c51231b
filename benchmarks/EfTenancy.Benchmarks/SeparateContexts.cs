using BenchmarkDotNet.Attributes;
using DevPostgres;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.Benchmarks;

/// <summary>A context for one of ten tenants that have a database or a schema each, beside plain EF with a fixed connection string.</summary>
[MemoryDiagnoser]
public class SeparateContexts
{
    private const string Tenant = "t7";
    private const int Id = 50;

    private PostgresServer _server = null!;
    private TenantDatabases _databases = null!;
    private TenantDatabases _schemas = null!;
    private DbContextOptions<FixedContext> _plain = null!;
    private DbContextOptions<TenancyContext> _inDatabase = null!;
    private DbContextOptions<TenancyContext> _inSchema = null!;
    private PooledDbContextFactory<FixedContext> _pooledPlain = null!;
    private PooledDbContextFactory<TenancyContext> _pooledInDatabase = null!;
    private PooledDbContextFactory<TenancyContext> _pooledInSchema = null!;

    [GlobalSetup]
    public async Task SetupAsync()
    {
        _server = await PostgresServer.StartAsync();
        await using (var dummy = new DummyContext(
            new DbContextOptionsBuilder<DummyContext>().UseNpgsql(_server.ConnectionStringFor("plain")).Options))
        {
            _ = dummy.Model;
        }

        _plain = new DbContextOptionsBuilder<FixedContext>().UseNpgsql(_server.ConnectionStringFor("plain")).Options;
        await using (var db = new FixedContext(_plain))
        {
            await FillAsync(db);
        }

        _databases = TenantDatabases.Create(
            x => x.MultiTenantedDatabases(
                d =>
                {
                    for (var i = 0; i < 10; i++)
                    {
                        d.AddSingleTenantDatabase(_server.ConnectionStringFor($"own{i}"), $"t{i}");
                    }
                }));
        await using (var home = new DummyContext(
            new DbContextOptionsBuilder<DummyContext>().UseNpgsql(_server.ConnectionStringFor("schemas")).Options))
        {
            await home.Database.EnsureCreatedAsync();
        }

        _schemas = TenantDatabases.Create(
            x => x.MultiTenantedSchemas(_server.ConnectionStringFor("schemas"), s => s.CreateSchemasOnFirstUse()));
        (_inDatabase, _inSchema) = (Options(_databases), Options(_schemas));
        foreach (var options in (DbContextOptions<TenancyContext>[])[_inDatabase, _inSchema])
        {
            for (var i = 0; i < 10; i++)
            {
                await using var db = new TenancyContext(options);
                await db.Tenancy().UseAsync($"t{i}");
                await FillAsync(db);
            }
        }

        (_pooledPlain, _pooledInDatabase, _pooledInSchema) = (new(_plain), new(_inDatabase), new(_inSchema));
    }

    [GlobalCleanup]
    public async Task CleanupAsync()
    {
        await _databases.DisposeAsync();
        await _schemas.DisposeAsync();
        await _server.DisposeAsync();
    }

    public object Context_Plain()
    {
        using var db = new FixedContext(_plain);
        return db.ChangeTracker;
    }

    public object Context_InDatabase()
    {
        using var db = For(_inDatabase);
        return db.ChangeTracker;
    }

    public object Context_InSchema()
    {
        using var db = For(_inSchema);
        return db.ChangeTracker;
    }

    [Benchmark(Baseline = true)]
    public object Pooled_Plain()
    {
        using var db = _pooledPlain.CreateDbContext();
        return db.ChangeTracker;
    }

    [Benchmark]
    public object Pooled_Unnamed()
    {
        using var db = _pooledInDatabase.CreateDbContext();
        return db.ChangeTracker;
    }

    [Benchmark]
    public object Pooled_InDatabase()
    {
        using var db = _pooledInDatabase.CreateDbContext(Tenant);
        return db.ChangeTracker;
    }

    [Benchmark]
    public object Pooled_InSchema()
    {
        using var db = _pooledInSchema.CreateDbContext(Tenant);
        return db.ChangeTracker;
    }

    public PlainPost Query_Plain()
    {
        using var db = new FixedContext(_plain);
        return db.Posts.Single(p => p.Id == Id);
    }

    public PlainPost Query_InDatabase()
    {
        using var db = For(_inDatabase);
        return db.Posts.Single(p => p.Id == Id);
    }

    public PlainPost Query_InSchema()
    {
        using var db = For(_inSchema);
        return db.Posts.Single(p => p.Id == Id);
    }

    public PlainPost PooledQuery_Plain()
    {
        using var db = _pooledPlain.CreateDbContext();
        return db.Posts.Single(p => p.Id == Id);
    }

    public PlainPost PooledQuery_InDatabase()
    {
        using var db = _pooledInDatabase.CreateDbContext(Tenant);
        return db.Posts.Single(p => p.Id == Id);
    }

    public PlainPost PooledQuery_InSchema()
    {
        using var db = _pooledInSchema.CreateDbContext(Tenant);
        return db.Posts.Single(p => p.Id == Id);
    }

    private static DbContextOptions<TenancyContext> Options(TenantDatabases databases)
        => new DbContextOptionsBuilder<TenancyContext>().UseNpgsql("Host=nowhere.invalid")
            .UseTenancy(t => t.UseTenantDatabases(databases)).Options;

    private static TenancyContext For(DbContextOptions<TenancyContext> options)
    {
        var context = new TenancyContext(options);
        context.Tenancy().Use(Tenant);
        return context;
    }

    private static async Task FillAsync(DbContext context)
    {
        await context.Database.EnsureCreatedAsync();
        context.AddRange(Enumerable.Range(0, 100).Select(i => new PlainPost { Title = "Title " + i, Likes = i }));
        await context.SaveChangesAsync();
    }
}

/// <summary>Plain EF with the model that the tenants' contexts have.</summary>
public class FixedContext(DbContextOptions<FixedContext> options) : DbContext(options)
{
    public DbSet<PlainPost> Posts => Set<PlainPost>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<PlainPost>().ToTable("Posts");
}
