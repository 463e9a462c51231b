using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Benchmarks;

/// <summary>What people write by hand: a tenant column, in the key, and a Where in every query.</summary>
public class WhereContext(DbContextOptions<WhereContext> options) : DbContext(options)
{
    public DbSet<Post> Posts => Set<Post>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Post>(
            post =>
            {
                post.ToTable("Posts").HasKey(p => new { p.TenantId, p.Id });
                post.Property(p => p.TenantId).HasMaxLength(128);
                post.Property(p => p.Id).ValueGeneratedOnAdd();
            });
}

/// <summary>The same with a shadow property, which EfTenancy uses, and which costs EF itself more than a property of the class.</summary>
public class ShadowContext(DbContextOptions<ShadowContext> options) : DbContext(options)
{
    public const string TenantId = nameof(TenantId);

    public DbSet<PlainPost> Posts => Set<PlainPost>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<PlainPost>(
            post =>
            {
                post.Property<string>(TenantId).HasMaxLength(128);
                post.ToTable("Posts").HasKey(TenantId, nameof(PlainPost.Id));
                post.Property(p => p.Id).ValueGeneratedOnAdd();
            });
}

/// <summary>The same with a query filter on a field of the context.</summary>
public class FilterContext(DbContextOptions<FilterContext> options) : DbContext(options)
{
    public string TenantId { get; set; } = null!;

    public DbSet<Post> Posts => Set<Post>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Post>(
            post =>
            {
                post.ToTable("Posts").HasKey(p => new { p.TenantId, p.Id });
                post.Property(p => p.TenantId).HasMaxLength(128);
                post.Property(p => p.Id).ValueGeneratedOnAdd();
                post.HasQueryFilter(p => p.TenantId == TenantId);
            });
}

/// <summary>The same by EfTenancy, with a shadow property.</summary>
public class TenancyContext(DbContextOptions<TenancyContext> options) : DbContext(options)
{
    public DbSet<PlainPost> Posts => Set<PlainPost>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<PlainPost>().ToTable("Posts");
}

/// <summary>The same by EfTenancy, with the property that the class has by hand.</summary>
public class OwnPropertyContext(DbContextOptions<OwnPropertyContext> options) : DbContext(options)
{
    public DbSet<Post> Posts => Set<Post>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Post>().ToTable("Posts");
}

/// <summary>Touched first: the first context type of a process allocates less than all later ones.</summary>
public class DummyContext(DbContextOptions<DummyContext> options) : DbContext(options)
{
    public DbSet<PlainPost> Posts => Set<PlainPost>();
}

public class Post : PlainPost
{
    public required string TenantId { get; set; }
}

public class PlainPost
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public int Likes { get; set; }
}
