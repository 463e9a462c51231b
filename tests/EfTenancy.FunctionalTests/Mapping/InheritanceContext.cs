using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

public class InheritanceContext(DbContextOptions<InheritanceContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Animal>();
        modelBuilder.Entity<Cat>();
        modelBuilder.Entity<Lion>().HasMany(l => l.Cubs).WithOne().HasForeignKey(c => c.LionId);

        modelBuilder.Entity<Vehicle>().UseTptMappingStrategy();
        modelBuilder.Entity<Car>().HasMany(c => c.Wheels).WithOne(w => w.Car);
        modelBuilder.Entity<Van>();

        modelBuilder.Entity<Payment>().UseTpcMappingStrategy().Property(p => p.Id).ValueGeneratedNever();
        modelBuilder.Entity<CardPayment>().HasMany(p => p.Refunds).WithOne(r => r.Payment);
        modelBuilder.Entity<CashPayment>();

        modelBuilder.Entity<Ticket>().UseTpcMappingStrategy();
        modelBuilder.Entity<TrainTicket>();
        modelBuilder.Entity<BusTicket>();

        modelBuilder.Entity<Note>().HasDiscriminator<int>("Kind").HasValue<Note>(1).HasValue<LoudNote>(2);
        modelBuilder.Entity<LoudNote>().HasIndex(n => n.Code).IsUnique();
    }
}

public abstract class Animal
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Cat : Animal
{
    public int Lives { get; set; }
}

public class Lion : Cat
{
    public string? Pride { get; set; }

    public List<Cub> Cubs { get; } = [];
}

public class Cub
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int LionId { get; set; }
}

public class Vehicle
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Car : Vehicle
{
    public required string Colour { get; set; }

    public List<Wheel> Wheels { get; } = [];
}

public class Van : Car
{
    public required string Cargo { get; set; }
}

public class Wheel
{
    public int Id { get; set; }

    public required string Make { get; set; }

    public int CarId { get; set; }

    public Car? Car { get; set; }
}

public abstract class Payment
{
    public int Id { get; set; }

    public required string Payer { get; set; }
}

public class CardPayment : Payment
{
    public required string Card { get; set; }

    public List<Refund> Refunds { get; } = [];
}

public class CashPayment : Payment
{
    public decimal Change { get; set; }
}

public class Refund
{
    public int Id { get; set; }

    public required string Reason { get; set; }

    public int PaymentId { get; set; }

    public CardPayment? Payment { get; set; }
}

public abstract class Ticket
{
    public int Id { get; set; }

    public required string Holder { get; set; }
}

public class TrainTicket : Ticket
{
    public required string Seat { get; set; }
}

public class BusTicket : Ticket
{
    public string? Stop { get; set; }
}

public class Note
{
    public int Id { get; set; }

    public required string Text { get; set; }
}

public class LoudNote : Note
{
    public string? Code { get; set; }
}
