using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>The model of the oracle: what the same code must answer with tenants in one database and with a database for each.</summary>
public class OracleContext(DbContextOptions<OracleContext> options) : DbContext(options)
{
    public const string HiddenFilter = "Hidden";

    public DbSet<Client> Clients => Set<Client>();

    public DbSet<Job> Jobs => Set<Job>();

    public DbSet<Step> Steps => Set<Step>();

    public DbSet<Label> Labels => Set<Label>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        // Keys given by the test, from a small range, so that all tenants use the same ones.
        modelBuilder.Entity<Client>(
            client =>
            {
                client.Property(c => c.Id).ValueGeneratedNever();
                client.HasIndex(c => c.Email).IsUnique();
                client.OwnsOne(c => c.Address);
                client.OwnsMany(c => c.Phones).Property(p => p.Id).ValueGeneratedNever();
            });
        modelBuilder.Entity<Job>(
            job =>
            {
                job.Property(j => j.Id).ValueGeneratedNever();
                job.HasOne(j => j.Client).WithMany(c => c.Jobs).OnDelete(DeleteBehavior.SetNull);
                job.HasOne(j => j.Parent).WithMany(j => j.Children).OnDelete(DeleteBehavior.ClientSetNull);
                job.HasQueryFilter(HiddenFilter, j => !j.IsHidden);
            });
        modelBuilder.Entity<UrgentJob>();
        modelBuilder.Entity<Step>().Property(s => s.Id).ValueGeneratedNever();
        modelBuilder.Entity<Label>().Property(l => l.Id).ValueGeneratedNever();
    }
}

public class Client
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public required string Email { get; set; }

    public Place? Address { get; set; }

    public List<Phone> Phones { get; } = [];

    public List<Job> Jobs { get; } = [];
}

public class Place
{
    public required string City { get; set; }
}

public class Phone
{
    public int Id { get; set; }

    public required string Number { get; set; }
}

public class Job
{
    public int Id { get; set; }

    public required string Title { get; set; }

    public int Amount { get; set; }

    public bool IsHidden { get; set; }

    public int? ClientId { get; set; }

    public Client? Client { get; set; }

    public int? ParentId { get; set; }

    public Job? Parent { get; set; }

    public List<Job> Children { get; } = [];

    public List<Step> Steps { get; } = [];

    public List<Label> Labels { get; } = [];
}

public class UrgentJob : Job
{
    public int Hours { get; set; }
}

public class Step
{
    public int Id { get; set; }

    public int JobId { get; set; }

    public Job? Job { get; set; }

    public int Count { get; set; }
}

public class Label
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Job> Jobs { get; } = [];
}
