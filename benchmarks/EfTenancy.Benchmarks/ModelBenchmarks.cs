using BenchmarkDotNet.Attributes;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.Extensions.Caching.Memory;

namespace EfTenancy.Benchmarks;

/// <summary>Building the model of 500 entities, each with a unique index and most with a reference, as the first context of a process does.</summary>
[MemoryDiagnoser]
public class ModelBenchmarks
{
    // Too small for a model, so that each context builds its own.
    private static readonly MemoryCache NoCache = new(new MemoryCacheOptions { SizeLimit = 1 });
    private DbContextOptions<ManyEntitiesContext> _plain = null!;
    private DbContextOptions<ManyEntitiesContext> _tenancy = null!;

    [GlobalSetup]
    public void Setup()
    {
        _plain = new DbContextOptionsBuilder<ManyEntitiesContext>().UseNpgsql().UseMemoryCache(NoCache).Options;
        _tenancy = new DbContextOptionsBuilder<ManyEntitiesContext>().UseNpgsql().UseMemoryCache(NoCache)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;

        if (Plain() == Plain() || Plain().GetEntityTypes().Count() != ManyEntitiesContext.Count || EfTenancy().GetEntityTypes().Count() != ManyEntitiesContext.Count)
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

    private static IModel Build(DbContextOptions<ManyEntitiesContext> options)
    {
        using var context = new ManyEntitiesContext(options);
        return context.Model;
    }
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

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        var types = Principals.Select(p => typeof(Place<>).MakeGenericType(p))
            .Concat(Principals.SelectMany(p => Others.Select(o => typeof(Visit<,>).MakeGenericType(p, o))));
        foreach (var type in types)
        {
            modelBuilder.Entity(type).HasIndex(nameof(Place<>.Name)).IsUnique();
        }
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
