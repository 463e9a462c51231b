using EfTenancy.FunctionalTests.Mapping;
using EfTenancy.Infrastructure.Internal;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.TestModels;

/// <summary>
///     The mappings through which rows were lost to other tenants elsewhere: a shadow tenant and an own property, both inheritances,
///     owned rows, references within a tenant and to global rows.
/// </summary>
public class ClinicContext(DbContextOptions<ClinicContext> options) : MappingContext(options)
{
    public DbSet<Patient> Patients => Set<Patient>();

    public DbSet<Visit> Visits => Set<Visit>();

    public DbSet<Ward> Wards => Set<Ward>();

    public DbSet<Bed> Beds => Set<Bed>();

    public DbSet<Employee> Employees => Set<Employee>();

    public DbSet<Device> Devices => Set<Device>();

    public DbSet<Nation> Nations => Set<Nation>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Nation>().IsSingleTenanted();
        modelBuilder.Entity<Patient>(
            patient =>
            {
                patient.OwnsOne(p => p.Address);
                patient.OwnsMany(p => p.Contacts);
                patient.HasIndex(p => p.Number).IsUnique();
            });
        modelBuilder.Entity<Ward>().Property(w => w.Version).IsConcurrencyToken();
        modelBuilder.Entity<Ward>().HasMany(w => w.Beds).WithOne(b => b.Ward).OnDelete(DeleteBehavior.SetNull);
        modelBuilder.Entity<Doctor>();
        modelBuilder.Entity<Scanner>();
        if (options.FindExtension<TenancyOptionsExtension>()?.TenantKeyStyle != TenantKeyStyle.IdOnly)
        {
            modelBuilder.Entity<Device>().UseTptMappingStrategy();
        }
    }
}

/// <summary>A shadow tenant, and owned rows.</summary>
public class Patient
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public string? Number { get; set; }

    public Residence? Address { get; set; }

    public List<Contact> Contacts { get; } = [];

    public int? NationId { get; set; }

    public Nation? Nation { get; set; }

    public List<Visit> Visits { get; } = [];
}

public class Residence
{
    public required string City { get; set; }
}

public class Contact
{
    public int Id { get; set; }

    public required string Phone { get; set; }
}

public class Visit
{
    public int Id { get; set; }

    public required string Reason { get; set; }

    public int PatientId { get; set; }

    public Patient? Patient { get; set; }
}

/// <summary>A tenant property of its own.</summary>
public class Ward
{
    public int Id { get; set; }

    public string? TenantId { get; set; }

    public required string Name { get; set; }

    public int Version { get; set; }

    public List<Bed> Beds { get; } = [];
}

public class Bed
{
    public int Id { get; set; }

    public string? TenantId { get; set; }

    public required string Name { get; set; }

    public int? WardId { get; set; }

    public Ward? Ward { get; set; }
}

/// <summary>A hierarchy in one table, with a shadow tenant.</summary>
public class Employee
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Doctor : Employee
{
    public string? Field { get; set; }
}

/// <summary>A hierarchy with a table for each type where the keys allow it, with a tenant property of its own.</summary>
public class Device
{
    public int Id { get; set; }

    public string? TenantId { get; set; }

    public required string Name { get; set; }
}

public class Scanner : Device
{
    public required string Range { get; set; }
}

/// <summary>Global.</summary>
public class Nation
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Patient> Patients { get; } = [];
}
