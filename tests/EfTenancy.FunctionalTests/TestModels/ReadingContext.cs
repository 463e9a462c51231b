using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestModels;

/// <summary>Columns of many types, for bulk insert.</summary>
public class ReadingContext(DbContextOptions<ReadingContext> options) : DbContext(options)
{
    public DbSet<Reading> Readings => Set<Reading>();

    public DbSet<Alarm> Alarms => Set<Alarm>();

    public DbSet<Bill> Bills => Set<Bill>();

    public DbSet<Place> Places => Set<Place>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Reading>(
            reading =>
            {
                reading.HasKey(r => r.Sensor);
                reading.Property(r => r.Quality).HasConversion<string>();
                reading.Property(r => r.Level).HasConversion(l => l.Value, v => new Level(v));
                reading.Property(r => r.MaybeLevel).HasConversion(l => l!.Value.Value, v => new Level(v));
                reading.Property(r => r.Exact).HasPrecision(18, 4);
                reading.IsPartitionedByTenant(x => x.ByList().AddTenants("Green", "Red", "Blue"));
            });
        modelBuilder.Entity<Bill>().Property(b => b.Id).ValueGeneratedNever();
        modelBuilder.Entity<Place>().IsSingleTenanted().HasKey(p => p.Code);
    }
}

public enum Quality
{
    Good,
    Poor,
}

public readonly record struct Level(int Value);

public class Reading
{
    public required string Sensor { get; set; }

    public int Value { get; set; }

    public decimal Exact { get; set; }

    public DateTime At { get; set; } = DateTime.UnixEpoch;

    public Quality Quality { get; set; }

    public string? Note { get; set; }

    public TimeSpan Offset { get; set; }

    public DateOnly Day { get; set; }

    public Level Level { get; set; }

    public Level? MaybeLevel { get; set; }

    public short? Count { get; set; }

    public string[] Tags { get; set; } = [];
}

public class Alarm
{
    public int Id { get; set; }

    public required string Text { get; set; }
}

public class Bill
{
    public int Id { get; set; }

    public string? TenantId { get; set; }
}

public class Place
{
    public required string Code { get; set; }
}
