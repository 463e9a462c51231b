using EfTenancy.Metadata.Builders;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>Flights, of the airports that they leave from.</summary>
public class FlightContext(DbContextOptions<FlightContext> options) : DbContext(options)
{
    public DbSet<Flight> Flights => Set<Flight>();

    /// <summary>With tables partitioned as said, or plain ones.</summary>
    public static FlightContext Create(string connectionString, Action<TenantPartitioningBuilder>? partitioning = null, string? tenant = null)
    {
        var context = new FlightContext(
            new DbContextOptionsBuilder<FlightContext>()
                .UseNpgsql(connectionString, npgsql => npgsql.CommandTimeout(0))
                .UseTenancy(
                    tenancy =>
                    {
                        tenancy.AllEntitiesAreMultiTenanted();
                        if (partitioning is not null)
                        {
                            tenancy.PartitionMultiTenantedEntities(partitioning);
                        }
                    }).Options);
        if (tenant is not null)
        {
            context.Tenancy().Use(tenant);
        }

        return context;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Flight>().Property(f => f.FlownAt).HasColumnType("timestamp without time zone");
}

/// <summary>The same table without EfTenancy, whose key is the id alone.</summary>
public class IdOnlyFlightContext(string connectionString) : DbContext
{
    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        => optionsBuilder.UseNpgsql(connectionString);

    protected override void OnModelCreating(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Flight>(
            flight =>
            {
                flight.ToTable("Flights").Property(f => f.FlownAt).HasColumnType("timestamp without time zone");
                flight.Property<string>("TenantId");
            });
}

public class Flight
{
    public long Id { get; set; }

    public DateTime FlownAt { get; set; }

    public int DelayMinutes { get; set; }

    public int DistanceMiles { get; set; }

    public required string Destination { get; set; }

    // Not mapped, since it is not public: carries the tenant from the file to the bulk insert.
    internal string? Origin { get; init; }
}
