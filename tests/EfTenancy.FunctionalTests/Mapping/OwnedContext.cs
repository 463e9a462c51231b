using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

public class OwnedContext(DbContextOptions<OwnedContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<House>(
            house =>
            {
                house.OwnsOne(h => h.Roof, roof => roof.OwnsOne(r => r.Paint));
                house.OwnsOne(h => h.Cellar, cellar => cellar.ToTable("Cellars"));
            });
        modelBuilder.Entity<Villa>().OwnsOne(v => v.Pool, pool => pool.ToTable("Pools", "outside"));

        modelBuilder.Entity<Band>().OwnsMany(
            b => b.Members,
            member =>
            {
                member.OwnsOne(m => m.Home);
                member.OwnsMany(m => m.Instruments);
            });

        modelBuilder.Entity<Menu>(
            menu =>
            {
                menu.OwnsOne(m => m.Chef, chef => chef.ToJson().OwnsOne(c => c.Home));
                menu.OwnsMany(m => m.Dishes, dish => dish.ToJson().OwnsMany(d => d.Ingredients));
            });

        modelBuilder.Entity<Parcel>(
            parcel =>
            {
                parcel.ComplexProperty(p => p.From, from => from.ComplexProperty(f => f.At));
                parcel.ComplexProperty(p => p.To, to => to.ToJson());
                parcel.ComplexCollection(p => p.Stops, stops => stops.ToJson());
            });

        modelBuilder.Entity<Kiosk>().OwnsOne(k => k.Owner, owner => owner.HasOne(o => o.City).WithMany().HasForeignKey(o => o.CityId));
    }
}

public class House
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public Roof? Roof { get; set; }

    public Cellar? Cellar { get; set; }
}

public class Villa : House
{
    public Pool? Pool { get; set; }
}

public class Roof
{
    public required string Tiles { get; set; }

    public Paint? Paint { get; set; }
}

public class Paint
{
    public required string Colour { get; set; }
}

public class Cellar
{
    public required string Wine { get; set; }
}

public class Pool
{
    public required string Shape { get; set; }
}

public class Band
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Member> Members { get; } = [];
}

public class Member
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public Home? Home { get; set; }

    public List<Instrument> Instruments { get; } = [];
}

public class Home
{
    public required string Street { get; set; }
}

public class Instrument
{
    public int Id { get; set; }

    public required string Kind { get; set; }
}

public class Menu
{
    public int Id { get; set; }

    public Chef? Chef { get; set; }

    public List<Dish> Dishes { get; } = [];
}

public class Chef
{
    public required string Name { get; set; }

    public Home? Home { get; set; }
}

public class Dish
{
    public required string Name { get; set; }

    public List<Ingredient> Ingredients { get; } = [];
}

public class Ingredient
{
    public required string Name { get; set; }
}

public class Parcel
{
    public int Id { get; set; }

    public required Spot From { get; set; }

    public required Spot To { get; set; }

    public List<Spot> Stops { get; set; } = [];
}

public class Spot
{
    public required string Name { get; set; }

    public required Position At { get; set; }
}

public class Position
{
    public int X { get; set; }

    public required string Mark { get; set; }
}

public class Kiosk
{
    public int Id { get; set; }

    public required KioskOwner Owner { get; set; }
}

public class KioskOwner
{
    public required string Name { get; set; }

    public int CityId { get; set; }

    public City? City { get; set; }
}

public class City
{
    public int Id { get; set; }

    public required string Name { get; set; }
}
