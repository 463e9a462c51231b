using System.Linq.Expressions;
using BenchmarkDotNet.Attributes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Caching.Memory;

namespace EfTenancy.Benchmarks;

/// <summary>
///     Building the model of 500 entities, each with a unique index and most with a reference, as the first context of a process does.
///     By hand is the same model with the tenant in keys, references, indexes and filters, written into <c>OnModelCreating</c>.
/// </summary>
[MemoryDiagnoser]
public class ModelBenchmarks
{
    // Too small for a model, so that each context builds its own.
    private static readonly MemoryCache NoCache = new(new MemoryCacheOptions { SizeLimit = 1 });
    private DbContextOptions<ManyEntitiesContext> _plain = null!;
    private DbContextOptions<ManyEntitiesContext> _tenancy = null!;
    private DbContextOptions<ManyEntitiesByHandContext> _byHand = null!;

    [GlobalSetup]
    public void Setup()
    {
        _plain = new DbContextOptionsBuilder<ManyEntitiesContext>().UseNpgsql().UseMemoryCache(NoCache).Options;
        _tenancy = new DbContextOptionsBuilder<ManyEntitiesContext>().UseNpgsql().UseMemoryCache(NoCache)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;
        _byHand = new DbContextOptionsBuilder<ManyEntitiesByHandContext>().UseNpgsql().UseMemoryCache(NoCache).Options;

        if (Plain() == Plain() || Plain().GetEntityTypes().Count() != ManyEntitiesContext.Count || Shape(EfTenancy()) != Shape(ByHand()))
        {
            throw new InvalidOperationException("The models are not those that are to be measured.");
        }
    }

    [Benchmark(Baseline = true)]
    public IModel Plain()
        => Build(_plain);

    [Benchmark]
    public IModel EfTenancy()
        => Build(_tenancy);

    [Benchmark]
    public IModel ByHand()
    {
        using var context = new ManyEntitiesByHandContext(_byHand);
        return context.Model;
    }

    private static IModel Build(DbContextOptions<ManyEntitiesContext> options)
    {
        using var context = new ManyEntitiesContext(options);
        return context.Model;
    }

    private static string Shape(IModel model)
        => string.Join(
            '\n',
            model.GetEntityTypes().SelectMany(e => e.GetKeys().Select(k => (e.Name, k.Properties))
                .Concat(e.GetForeignKeys().Select(k => (e.Name, k.Properties)))
                .Concat(e.GetIndexes().Select(i => (e.Name, i.Properties))))
                .Select(k => k.Name + ": " + string.Join(", ", k.Properties.Select(p => p.Name + " " + p.ValueGenerated)))
                .Order());
}

public class ManyEntitiesContext(DbContextOptions<ManyEntitiesContext> options) : DbContext(options)
{
    public const int Count = 500;

    private static readonly Type[] Principals =
    [
        typeof(bool), typeof(byte), typeof(sbyte), typeof(short), typeof(ushort), typeof(int), typeof(uint), typeof(long), typeof(ulong), typeof(float),
        typeof(double), typeof(decimal), typeof(char), typeof(string), typeof(Guid), typeof(DateTime), typeof(DateOnly), typeof(TimeOnly), typeof(TimeSpan),
        typeof(object),
    ];

    private static readonly Type[] Others = [.. Principals, typeof(DateTimeOffset), typeof(Uri), typeof(Version), typeof(Half)];

    public static IEnumerable<Type> EntityTypes
        => Principals.Select(p => typeof(Place<>).MakeGenericType(p))
            .Concat(Principals.SelectMany(p => Others.Select(o => typeof(Visit<,>).MakeGenericType(p, o))));

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var type in EntityTypes)
        {
            modelBuilder.Entity(type).HasIndex(nameof(Place<>.Name)).IsUnique();
        }
    }
}

public class ManyEntitiesByHandContext(DbContextOptions<ManyEntitiesByHandContext> options) : DbContext(options)
{
    private const string TenantId = nameof(Tenant) + "Id";

    public string Tenant { get; set; } = null!;

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var type in ManyEntitiesContext.EntityTypes)
        {
            modelBuilder.Entity(
                type,
                entity =>
                {
                    entity.Property<string>(TenantId).HasMaxLength(128).HasDefaultValueSql("'*DEFAULT*'").ValueGeneratedNever();
                    entity.Property(nameof(Place<>.Id)).ValueGeneratedOnAdd();
                    entity.HasKey(TenantId, nameof(Place<>.Id));
                    entity.HasIndex(TenantId, nameof(Place<>.Name)).IsUnique();
                    entity.HasQueryFilter(Filter(type));

                    if (type.GetProperty(nameof(Visit<,>.Place)) is { } place)
                    {
                        entity.HasOne(place.PropertyType, place.Name).WithMany().HasForeignKey(TenantId, nameof(Visit<,>.PlaceId));
                    }
                });
        }
    }

    private LambdaExpression Filter(Type type)
    {
        var entity = Expression.Parameter(type, "e");
        return Expression.Lambda(
            Expression.Equal(
                Expression.Call(typeof(EF), nameof(EF.Property), [typeof(string)], entity, Expression.Constant(TenantId)),
                Expression.Property(Expression.Constant(this), nameof(Tenant))),
            entity);
    }
}

public class Place<T>
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Visit<TPlace, T>
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public string? Note { get; set; }

    public DateTime At { get; set; }

    public decimal Cost { get; set; }

    public int PlaceId { get; set; }

    public Place<TPlace>? Place { get; set; }
}
