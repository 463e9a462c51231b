using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Random rows of one tenant.</summary>
/// <param name="random">Draws them.</param>
/// <param name="origin">The tenant's number.</param>
/// <param name="firstKey">Keys begin here: the same for all tenants, unless their rows are to be in one database of plain EF.</param>
public sealed class BazaarSeed(Random random, int origin, int firstKey)
{
    public const int Tenants = 3;

    /// <summary>The number of the default tenant, behind those of the others.</summary>
    public const int Shared = Tenants;

    private const int Rows = 8;
    private static readonly string[] Words = ["alpha", "beta", "gamma", "delta"];

    /// <summary>Whether it has rows of a type.</summary>
    public Func<IEntityType, bool> Has { get; init; } = _ => true;

    public async Task SaveAsync(BazaarContext db)
    {
        var parties = Made(Party);
        foreach (var (party, elder) in parties.Skip(1).Zip(parties))
        {
            party.SponsorId = Maybe(() => elder.Id);
        }

        db.AddRange(parties);
        db.AddRange(parties.OfType<Person>().Where(_ => Half()).Select(p => new Passport { Id = p.Id, Country = Word() }));
        db.AddRange(Made(id => Vehicle(id, Maybe(() => One(parties).Id))));

        var shelves = Made(id => new Shelf { Aisle = id / 2, Number = id, Label = Word() });
        var products = Made(id => Product(id, One(shelves)));
        var orders = Made(id => Order(id, One(parties), Maybe(() => One(parties).Id)));
        db.AddRange(shelves);
        db.AddRange(products);
        db.AddRange(orders);
        db.AddRange(
            from order in orders
            from product in products
            where random.Next(3) == 0
            select new OrderLine { OrderId = order.Id, ProductId = product.Id, Quantity = Number() });
        db.AddRange(
            Made(id => new Review { Id = id, ProductSku = One(products).Sku, Stars = random.Next(6), AuthorId = Maybe(() => One(parties).Id) }));
        db.AddRange(Made(_ => new Note { Subject = Word(), AuthorId = Maybe(() => One(parties).Id) }));
        db.Set<Dictionary<string, object>>(BazaarContext.Settings).AddRange(
            Made(id => new Dictionary<string, object> { ["Id"] = $"setting {id}", ["Value"] = Number(), [nameof(Item.Origin)] = origin }));

        foreach (var item in db.ChangeTracker.Entries<Item>())
        {
            item.Entity.Origin = origin;
            item.State = Has(item.Metadata) ? item.State : EntityState.Detached;
        }

        await db.SaveChangesAsync();
    }

    private Party Party(int id)
        => id % 2 == 0
            ? new Person { Id = new PartyId(id), Name = Word(), Rank = Number(), Age = Number() }
            : new Company { Id = new PartyId(id), Name = Word(), Rank = Number(), Sector = Half() ? Word() : null };

    private Vehicle Vehicle(int id, PartyId? owner)
        => id % 2 == 0
            ? new Cart { Id = id, Wheels = random.Next(5), Color = Word(), OwnerId = owner }
            : new Truck { Id = id, Wheels = random.Next(5), Load = Number(), OwnerId = owner };

    private Product Product(int id, Shelf shelf)
    {
        var product = new Product
        {
            Id = id,
            Sku = $"sku {id}",
            Name = Word(),
            Text = Half() ? Word() : null,
            Length = Number(),
            ShelfAisle = shelf.Aisle,
            ShelfNumber = shelf.Number,
        };
        product.Prices.AddRange(Enumerable.Range(1, random.Next(3)).Select(i => new Price { Id = i, Amount = Number() }));
        return product;
    }

    private Order Order(int id, Party buyer, PartyId? seller)
        => new()
        {
            Id = id,
            Number = Number(),
            Total = new Money { Amount = Number(), Currency = Word() },
            Delivery = Half() ? Delivery() : null,
            BuyerId = buyer.Id,
            SellerId = seller,
        };

    private Delivery Delivery()
    {
        var delivery = new Delivery { City = Word() };
        for (var i = random.Next(3); i > 0; i--)
        {
            var parcel = new Parcel { Weight = Number() };
            parcel.Stamps.AddRange(Enumerable.Range(0, random.Next(3)).Select(_ => new Stamp { Text = Word() }));
            delivery.Parcels.Add(parcel);
        }

        return delivery;
    }

    private List<T> Made<T>(Func<int, T> make)
        => [.. Enumerable.Range(firstKey, Rows).Select(make)];

    private T One<T>(List<T> list)
        => list[random.Next(list.Count)];

    private PartyId? Maybe(Func<PartyId> id)
        => random.Next(3) == 0 ? null : id();

    private bool Half()
        => random.Next(2) == 0;

    private int Number()
        => random.Next(12);

    private string Word()
        => Words[random.Next(Words.Length)];
}
