using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>The model of composed queries: each way to map an entity, and to refer to one, once.</summary>
public class BazaarContext(DbContextOptions options) : DbContext(options)
{
    public const string Settings = "Setting";

    /// <summary>Whether one entity may have rows in several tables, which keys without the tenant do not allow.</summary>
    protected virtual bool SplitsEntities
        => true;

    protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
        => configurationBuilder.Properties<PartyId>().HaveConversion<PartyId.Converter>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        ConfigureHierarchies(modelBuilder);
        ConfigureOrders(modelBuilder);
        ConfigureProducts(modelBuilder);
        ConfigureOthers(modelBuilder);
    }

    private void ConfigureHierarchies(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Party>(
            party =>
            {
                party.Property(p => p.Id).ValueGeneratedNever();
                party.HasOne(p => p.Sponsor).WithMany(p => p.Sponsored).OnDelete(DeleteBehavior.ClientSetNull);
                if (SplitsEntities)
                {
                    party.UseTptMappingStrategy();
                }
            });
        modelBuilder.Entity<Person>();
        modelBuilder.Entity<Company>();
        modelBuilder.Entity<Passport>(
            passport =>
            {
                passport.Property(p => p.Id).ValueGeneratedNever();
                passport.HasOne(p => p.Holder).WithOne(p => p.Passport).HasForeignKey<Passport>(p => p.Id);
            });

        modelBuilder.Entity<Vehicle>(
            vehicle =>
            {
                vehicle.UseTpcMappingStrategy();
                vehicle.Property(v => v.Id).ValueGeneratedNever();
                vehicle.HasOne(v => v.Owner).WithMany(p => p.Vehicles).OnDelete(DeleteBehavior.SetNull);
            });
        modelBuilder.Entity<Cart>();
        modelBuilder.Entity<Truck>();
    }

    private static void ConfigureOrders(ModelBuilder modelBuilder)
        => modelBuilder.Entity<Order>(
            order =>
            {
                order.Property(o => o.Id).ValueGeneratedNever();
                order.ComplexProperty(o => o.Total);
                order.OwnsOne(
                    o => o.Delivery,
                    delivery =>
                    {
                        delivery.ToJson();
                        delivery.OwnsMany(d => d.Parcels, parcel => parcel.OwnsMany(p => p.Stamps));
                    });
                order.HasOne(o => o.Buyer).WithMany(p => p.Orders).OnDelete(DeleteBehavior.Cascade);
                order.HasOne(o => o.Seller).WithMany().OnDelete(DeleteBehavior.SetNull);
                order.HasMany(o => o.Products).WithMany(p => p.Orders).UsingEntity<OrderLine>(
                    right => right.HasOne(l => l.Product).WithMany(p => p.Lines),
                    left => left.HasOne(l => l.Order).WithMany(o => o.Lines),
                    line => line.HasKey(l => new { l.OrderId, l.ProductId }));
            });

    private void ConfigureProducts(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Product>(
            product =>
            {
                product.Property(p => p.Id).ValueGeneratedNever();
                product.HasAlternateKey(p => p.Sku);
                product.HasOne(p => p.Shelf).WithMany(s => s.Products).HasForeignKey(p => new { p.ShelfAisle, p.ShelfNumber });
                product.OwnsMany(p => p.Prices, price => price.Property(p => p.Id).ValueGeneratedNever());
                if (SplitsEntities)
                {
                    product.SplitToTable(
                        "ProductTexts",
                        texts =>
                        {
                            texts.Property(p => p.Text);
                            texts.Property(p => p.Length);
                        });
                }
            });
        modelBuilder.Entity<Shelf>().HasKey(s => new { s.Aisle, s.Number });
        modelBuilder.Entity<Review>(
            review =>
            {
                review.Property(r => r.Id).ValueGeneratedNever();
                review.HasOne(r => r.Product).WithMany(p => p.Reviews).HasForeignKey(r => r.ProductSku).HasPrincipalKey(p => p.Sku);
            });
        modelBuilder.Entity<GoodReview>(
            review =>
            {
                review.HasNoKey().ToSqlQuery("""SELECT * FROM "Review" WHERE "Stars" > 2""");
                review.HasOne(r => r.Product).WithMany().HasForeignKey(r => r.ProductSku).HasPrincipalKey(p => p.Sku);
            });
    }

    private static void ConfigureOthers(ModelBuilder modelBuilder)
    {
        modelBuilder.Entity<Note>();
        modelBuilder.SharedTypeEntity<Dictionary<string, object>>(
            Settings,
            setting =>
            {
                setting.IndexerProperty<string>("Id");
                setting.IndexerProperty<int>("Value");
                setting.IndexerProperty<int>(nameof(Item.Origin));
            });
    }
}

/// <summary>Whose row it is, for the application too.</summary>
public abstract class Item
{
    public int Origin { get; set; }
}

public readonly record struct PartyId(int Value)
{
    public sealed class Converter() : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<PartyId, int>(id => id.Value, value => new PartyId(value));
}

public abstract class Party : Item
{
    public PartyId Id { get; set; }

    public required string Name { get; set; }

    public int Rank { get; set; }

    public PartyId? SponsorId { get; set; }

    public Party? Sponsor { get; set; }

    public List<Party> Sponsored { get; } = [];

    public List<Order> Orders { get; } = [];

    public List<Vehicle> Vehicles { get; } = [];
}

public class Person : Party
{
    public int Age { get; set; }

    public Passport? Passport { get; set; }
}

public class Company : Party
{
    public string? Sector { get; set; }
}

public class Passport : Item
{
    public PartyId Id { get; set; }

    public required string Country { get; set; }

    public Person? Holder { get; set; }
}

public abstract class Vehicle : Item
{
    public int Id { get; set; }

    public int Wheels { get; set; }

    public PartyId? OwnerId { get; set; }

    public Party? Owner { get; set; }
}

public class Cart : Vehicle
{
    public required string Color { get; set; }
}

public class Truck : Vehicle
{
    public int Load { get; set; }
}

public class Order : Item
{
    public int Id { get; set; }

    public int Number { get; set; }

    public Money Total { get; set; } = new();

    public Delivery? Delivery { get; set; }

    public PartyId BuyerId { get; set; }

    public Party? Buyer { get; set; }

    public PartyId? SellerId { get; set; }

    public Party? Seller { get; set; }

    public List<OrderLine> Lines { get; } = [];

    public List<Product> Products { get; } = [];
}

public class Money
{
    public int Amount { get; set; }

    public string Currency { get; set; } = "";
}

public class Delivery
{
    public required string City { get; set; }

    public List<Parcel> Parcels { get; } = [];
}

public class Parcel
{
    public int Weight { get; set; }

    public List<Stamp> Stamps { get; } = [];
}

public class Stamp
{
    public required string Text { get; set; }
}

public class OrderLine : Item
{
    public int OrderId { get; set; }

    public Order? Order { get; set; }

    public int ProductId { get; set; }

    public Product? Product { get; set; }

    public int Quantity { get; set; }
}

public class Product : Item
{
    public int Id { get; set; }

    public required string Sku { get; set; }

    public required string Name { get; set; }

    public string? Text { get; set; }

    public int Length { get; set; }

    public int ShelfAisle { get; set; }

    public int ShelfNumber { get; set; }

    public Shelf? Shelf { get; set; }

    public List<Price> Prices { get; } = [];

    public List<Review> Reviews { get; } = [];

    public List<OrderLine> Lines { get; } = [];

    public List<Order> Orders { get; } = [];
}

public class Price
{
    public int Id { get; set; }

    public int Amount { get; set; }
}

public class Shelf : Item
{
    public int Aisle { get; set; }

    public int Number { get; set; }

    public required string Label { get; set; }

    public List<Product> Products { get; } = [];
}

public class Review : Item
{
    public int Id { get; set; }

    public required string ProductSku { get; set; }

    public Product? Product { get; set; }

    public int Stars { get; set; }

    public PartyId? AuthorId { get; set; }

    public Party? Author { get; set; }
}

public class GoodReview : Item
{
    public required string ProductSku { get; set; }

    public Product? Product { get; set; }

    public int Stars { get; set; }
}

/// <summary>The database gives its key.</summary>
public class Note : Item
{
    public int Id { get; set; }

    public required string Subject { get; set; }

    public PartyId? AuthorId { get; set; }

    public Party? Author { get; set; }
}
