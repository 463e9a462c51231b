using System.ComponentModel;
using System.Runtime.CompilerServices;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace EfTenancy.FunctionalTests.Mapping;

public class MiscContext(DbContextOptions<MiscContext> options) : MappingContext(options)
{
    public const string Settings = "Settings";

    public override string ViewSql
        => """CREATE VIEW "SalesOfItems" AS SELECT "TenantId", "Item", sum("Amount")::int AS "Amount" FROM "Sale" GROUP BY 1, 2""";

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Sale>();
        modelBuilder.Entity<SalesOfItem>().HasNoKey().ToView("SalesOfItems");
        modelBuilder.Entity<SaleRow>().HasNoKey().ToView(null);
        modelBuilder.Entity<SaleOfQuery>().HasNoKey().ToSqlQuery("""SELECT "TenantId", "Item" FROM "Sale" WHERE "Amount" > 0""");

        modelBuilder.SharedTypeEntity<Dictionary<string, object>>(
            Settings,
            setting =>
            {
                setting.IndexerProperty<int>("Id");
                setting.IndexerProperty<string>("Name");
            });

        modelBuilder.Entity<Versioned>().Property(v => v.Version).IsConcurrencyToken();
        modelBuilder.Entity<RowVersioned>().DoNotPartition().Property(v => v.Version).IsRowVersion();
        modelBuilder.Entity<OwnTenant>();
        modelBuilder.Entity<Person>();
        modelBuilder.Entity<Landlord>().Ignore(l => l.TenantId);
        modelBuilder.Entity<Lazy>().HasMany(l => l.Leaves).WithOne();
        modelBuilder.Entity<Notifier>().HasChangeTrackingStrategy(ChangeTrackingStrategy.ChangingAndChangedNotificationsWithOriginalValues);
    }
}

public class Sale
{
    public int Id { get; set; }

    public required string Item { get; set; }

    public int Amount { get; set; }
}

public class SalesOfItem
{
    public required string Item { get; set; }

    public int Amount { get; set; }
}

public class SaleRow
{
    public required string Item { get; set; }
}

public class SaleOfQuery
{
    public required string Item { get; set; }
}

public class Versioned
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int Version { get; set; }
}

public class RowVersioned
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public uint Version { get; set; }
}

public class Person
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

public class Landlord : Person
{
    public string? TenantId { get; set; }
}

public class OwnTenant
{
    public int Id { get; set; }

    public string? TenantId { get; set; }

    public required string Name { get; set; }

    public List<OwnTenantLine> Lines { get; } = [];
}

public class OwnTenantLine
{
    public int Id { get; set; }

    public required string Name { get; set; }

    public int OwnTenantId { get; set; }
}

public class Lazy
{
    private readonly ILazyLoader? _loader;
    private List<Leaf> _leaves = [];

    public Lazy()
    {
    }

    private Lazy(ILazyLoader loader)
        => _loader = loader;

    public int Id { get; set; }

    public required string Name { get; set; }

    public List<Leaf> Leaves
    {
        get => _loader.Load(this, ref _leaves!) ?? [];
        set => _leaves = value;
    }
}

public class Leaf
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

/// <summary>As a change-tracking proxy does it.</summary>
public class Notifier : INotifyPropertyChanging, INotifyPropertyChanged
{
    public event PropertyChangingEventHandler? PropertyChanging;

    public event PropertyChangedEventHandler? PropertyChanged;

    public int Id
    {
        get;
        set => Set(() => field = value);
    }

    public string? Name
    {
        get;
        set => Set(() => field = value);
    }

    private void Set(Action set, [CallerMemberName] string property = "")
    {
        PropertyChanging?.Invoke(this, new PropertyChangingEventArgs(property));
        set();
        PropertyChanged?.Invoke(this, new PropertyChangedEventArgs(property));
    }
}
