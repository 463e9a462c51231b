using System.Collections.ObjectModel;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>Entities that are proxies: they load their navigations when they are asked for them, and tell of their changes.</summary>
public class ProxiesContext(DbContextOptions<ProxiesContext> options) : MappingContext(options)
{
    protected override void OnConfiguring(DbContextOptionsBuilder optionsBuilder)
        => optionsBuilder.UseLazyLoadingProxies().UseChangeTrackingProxies();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Shelter>().HasMany(s => s.Dogs).WithOne(a => a.Shelter).HasForeignKey(a => a.ShelterId);
        modelBuilder.Entity<Dog>().HasMany(a => a.Walkers).WithMany(k => k.Dogs);
    }
}

public class Shelter
{
    public virtual int Id { get; set; }

    public virtual string Name { get; set; } = "";

    public virtual ICollection<Dog> Dogs { get; } = new ObservableCollection<Dog>();
}

public class Dog
{
    public virtual int Id { get; set; }

    public virtual string Name { get; set; } = "";

    public virtual int? ShelterId { get; set; }

    public virtual Shelter? Shelter { get; set; }

    public virtual ICollection<Walker> Walkers { get; } = new ObservableCollection<Walker>();
}

public class Walker
{
    public virtual int Id { get; set; }

    public virtual string Name { get; set; } = "";

    public virtual ICollection<Dog> Dogs { get; } = new ObservableCollection<Dog>();
}
