using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Mapping;

public class KeysContext(DbContextOptions<KeysContext> options) : MappingContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("keys");

        modelBuilder.Entity<Keyed<ByIdentity, int>>().ToTable("ByIdentity");
        modelBuilder.Entity<Keyed<ByIdentityAlways, long>>().ToTable("ByIdentityAlways").Property(e => e.Id).UseIdentityAlwaysColumn();
        modelBuilder.Entity<Keyed<ByHiLo, int>>().ToTable("ByHiLo").Property(e => e.Id).UseHiLo();
        modelBuilder.Entity<Keyed<BySequence, int>>().ToTable("BySequence").Property(e => e.Id).UseSequence();
        modelBuilder.Entity<Keyed<BySerial, int>>().ToTable("BySerial").Property(e => e.Id).UseSerialColumn();
        modelBuilder.Entity<Keyed<ByGuid, Guid>>().ToTable("ByGuid");
        modelBuilder.Entity<Keyed<ByDatabaseGuid, Guid>>().ToTable("ByDatabaseGuid").Property(e => e.Id).HasDefaultValueSql("gen_random_uuid()");
        modelBuilder.Entity<Keyed<ByName, string>>().ToTable("ByName", "other");
        modelBuilder.Entity<Keyed<ByWeekday, DayOfWeek>>().ToTable("ByWeekday").Property(e => e.Id).HasConversion<string>();
        modelBuilder.Entity<Keyed<ByBytes, byte[]>>().ToTable("ByBytes");
        modelBuilder.Entity<Keyed<ByOwnType, OrderId>>().ToTable("ByOwnType").Property(e => e.Id)
            .HasConversion(id => id.Value, value => new OrderId(value));
        modelBuilder.Entity<Keyed<ByGeneratedOwnType, OrderId>>().ToTable("ByGeneratedOwnType").Property(e => e.Id)
            .HasConversion(id => id.Value, value => new OrderId(value)).UseIdentityByDefaultColumn();
        modelBuilder.Entity<Part<ByOwnType, OrderId>>().Property(e => e.OwnerId).HasConversion(id => id.Value, value => new OrderId(value));
        modelBuilder.Entity<Part<ByGeneratedOwnType, OrderId>>().Property(e => e.OwnerId).HasConversion(id => id.Value, value => new OrderId(value));
        modelBuilder.Entity<Part<ByWeekday, DayOfWeek>>().Property(e => e.OwnerId).HasConversion<string>();

        foreach (var part in modelBuilder.Model.GetEntityTypes().Where(e => e.ClrType.GetGenericTypeDefinition() == typeof(Part<,>)))
        {
            part.SetTableName(part.ClrType.GetGenericArguments()[0].Name + "Parts");
            var owner = part.GetForeignKeys().Single();
            (owner.IsRequired, owner.DeleteBehavior) = (true, DeleteBehavior.Cascade);
        }
    }
}

public readonly record struct OrderId(int Value);

public sealed class ByIdentity;

public sealed class ByIdentityAlways;

public sealed class ByHiLo;

public sealed class BySequence;

public sealed class BySerial;

public sealed class ByGuid;

public sealed class ByDatabaseGuid;

public sealed class ByName;

public sealed class ByWeekday;

public sealed class ByBytes;

public sealed class ByOwnType;

public sealed class ByGeneratedOwnType;

/// <summary>One table and one for its parts, for each kind of key.</summary>
public class Keyed<TKind, TKey>
{
    public TKey Id { get; set; } = default!;

    public required string Name { get; set; }

    public List<Part<TKind, TKey>> Parts { get; } = [];
}

public class Part<TKind, TKey>
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public TKey OwnerId { get; set; } = default!;

    public Keyed<TKind, TKey>? Owner { get; set; }
}
