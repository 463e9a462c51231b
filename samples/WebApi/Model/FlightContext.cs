using Microsoft.EntityFrameworkCore;

namespace WebApi.Model;

public class FlightContext(DbContextOptions<FlightContext> options) : DbContext(options)
{
    public DbSet<Flight> Flights => Set<Flight>();

    public DbSet<Note> Notes => Set<Note>();

    public DbSet<Airport> Airports => Set<Airport>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Flight>(flight =>
        {
            // Local time of the airport, as the data has it.
            flight.Property(f => f.FlownAt).HasColumnType("timestamp without time zone");
            flight.HasOne<Airport>().WithMany().HasForeignKey(f => f.Destination).OnDelete(DeleteBehavior.Restrict);
        });

        // Flights come back: no airport is only a destination.
        modelBuilder.Entity<Airport>().HasData(Tenants.All.Select(code => new Airport { Code = code }));
    }
}
