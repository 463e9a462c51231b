using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

public class DeleteBehaviorContext(DbContextOptions<DeleteBehaviorContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        Add<OnCascade>(modelBuilder, DeleteBehavior.Cascade);
        Add<OnSetNull>(modelBuilder, DeleteBehavior.SetNull);
        Add<OnRestrict>(modelBuilder, DeleteBehavior.Restrict);
        Add<OnNoAction>(modelBuilder, DeleteBehavior.NoAction);
        Add<OnClientSetNull>(modelBuilder, DeleteBehavior.ClientSetNull);
        Add<OnClientCascade>(modelBuilder, DeleteBehavior.ClientCascade);
        Add<OnClientNoAction>(modelBuilder, DeleteBehavior.ClientNoAction);
        modelBuilder.Entity<Room>().HasMany(r => r.Keys).WithOne().HasForeignKey(k => k.Number);
        modelBuilder.Entity<Cupboard>().HasMany(r => r.Keys).WithOne().HasForeignKey(k => k.Number);
        modelBuilder.Entity<Keeper>().HasMany(k => k.Pets).WithOne().OnDelete(DeleteBehavior.Restrict);
    }

    private static void Add<TBehavior>(ModelBuilder modelBuilder, DeleteBehavior behavior)
    {
        modelBuilder.Entity<Parent<TBehavior>>().ToTable(typeof(TBehavior).Name + "Parents")
            .HasMany(p => p.Children).WithOne().HasForeignKey(c => c.ParentId).OnDelete(behavior);
        modelBuilder.Entity<Child<TBehavior>>().ToTable(typeof(TBehavior).Name + "Children");
    }
}

public sealed class OnCascade;

public sealed class OnSetNull;

public sealed class OnRestrict;

public sealed class OnNoAction;

public sealed class OnClientSetNull;

public sealed class OnClientCascade;

public sealed class OnClientNoAction;

public class Parent<TBehavior>
{
    public int Id { get; set; }

    public List<Child<TBehavior>> Children { get; } = [];
}

/// <summary>References nothing else: EF treats a column otherwise that two foreign keys share.</summary>
public class Child<TBehavior>
{
    public int Id { get; set; }

    public int? ParentId { get; set; }
}

public class Keeper
{
    public int Id { get; set; }

    public List<Pet> Pets { get; } = [];
}

public class Pet
{
    public int Id { get; set; }

    public int KeeperId { get; set; }
}

public class Room
{
    public int Id { get; set; }

    public List<DoorKey> Keys { get; } = [];
}

public class Cupboard
{
    public int Id { get; set; }

    public List<DoorKey> Keys { get; } = [];
}

public class DoorKey
{
    public int Id { get; set; }

    public int? Number { get; set; }
}
