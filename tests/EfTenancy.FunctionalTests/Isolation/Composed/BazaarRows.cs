using System.Collections;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Makes random objects of the model, which no context knows yet.</summary>
/// <param name="random">Draws them.</param>
/// <param name="databases">Know which keys are whose.</param>
public sealed class BazaarRows(Random random, BazaarDatabases databases)
{
    private static readonly string[] Words = ["alpha", "beta", "gamma", "delta"];

    /// <summary>Whether keys may be those of another tenant's rows, which are those of nobody for plain EF.</summary>
    public bool MeetsOthers { get; set; }

    public string Word()
        => Words[random.Next(Words.Length)];

    /// <summary>The number of a key that is mostly in use.</summary>
    public int Key(int tenant)
        => databases.FirstKey(MeetsOthers && random.Next(8) == 0 ? (tenant + 1) % BazaarSeed.Tenants : tenant) + random.Next(random.Next(8) == 0 ? 12 : 8);

    /// <summary>The number of a key that is mostly of no row.</summary>
    public int NewKey(int tenant)
        => random.Next(12) == 0 ? Key(tenant) : databases.FirstKey(tenant) + 8 + random.Next(6);

    /// <summary>The key of a type that has a number; the first one from there that the type can have.</summary>
    public static object[] KeyOf(IEntityType type, int number)
    {
        // One key is of one type in a hierarchy: EF itself finds two rows of TPC tables.
        var isSecond = type.ClrType == typeof(Company) || type.ClrType == typeof(Truck);
        var isFirst = type.ClrType == typeof(Person) || type.ClrType == typeof(Cart) || type.ClrType == typeof(Passport);
        number += (isFirst && number % 2 == 1) || (isSecond && number % 2 == 0) ? 1 : 0;
        return [.. type.FindPrimaryKey()!.Properties.Select((p, i) => ValueOf(p, number + (type.ClrType == typeof(OrderLine) ? i : 0)))];
    }

    /// <summary>What a key's property holds for a number.</summary>
    public static object ValueOf(IReadOnlyProperty property, int number)
        => property.Name switch
        {
            nameof(Product.Sku) or nameof(Review.ProductSku) => $"sku {number}",
            nameof(Shelf.Aisle) or nameof(Product.ShelfAisle) => number / 2,
            "Id" when property.ClrType == typeof(string) => $"setting {number}",
            _ => property.ClrType == typeof(int) ? number : new PartyId(number),
        };

    /// <summary>A value for a property that is in no key.</summary>
    public object? Scalar(IReadOnlyProperty property)
        => property.ClrType == typeof(int) ? random.Next(12)
            : property.IsNullable && random.Next(3) == 0 ? null : Word();

    /// <summary>An object with all values that a row has, and references of its tenant.</summary>
    public object Row(IEntityType type, int number, int tenant)
    {
        var row = Activator.CreateInstance(type.ClrType)!;
        foreach (var property in type.GetProperties().Where(p => !p.IsShadowProperty() && !p.IsKey() && !p.IsForeignKey()))
        {
            Set(row, property, property.Name == nameof(Item.Origin) ? tenant : Scalar(property));
        }

        foreach (var foreignKey in type.GetForeignKeys())
        {
            Refer(row, foreignKey, tenant);
        }

        foreach (var (property, value) in type.FindPrimaryKey()!.Properties.Zip(KeyOf(type, number)).Where(_ => type.ClrType != typeof(Note)))
        {
            Set(row, property, value);
        }

        switch (row)
        {
            case Order order:
                (order.Total, order.Delivery) = (Total(), Delivery());
                break;
            case Product product:
                product.Sku = $"sku {number}";
                product.Prices.AddRange(Prices());
                break;
        }

        return row;
    }

    /// <summary>Sets a foreign key, to nobody now and then where that is possible.</summary>
    public void Refer(object row, IReadOnlyForeignKey foreignKey, int tenant)
    {
        var number = !foreignKey.IsRequired && random.Next(3) == 0 ? (int?)null : Key(tenant);
        foreach (var property in foreignKey.Properties)
        {
            Set(row, property, number is { } key ? ValueOf(property, key) : null);
        }
    }

    public Money Total()
        => new() { Amount = random.Next(12), Currency = Word() };

    public Delivery? Delivery()
    {
        if (random.Next(3) == 0)
        {
            return null;
        }

        var delivery = new Delivery { City = Word() };
        delivery.Parcels.AddRange(Enumerable.Range(0, random.Next(3)).Select(_ => Parcel()));
        return delivery;
    }

    public Parcel Parcel()
    {
        var parcel = new Parcel { Weight = random.Next(12) };
        parcel.Stamps.AddRange(Enumerable.Range(0, random.Next(3)).Select(_ => Stamp()));
        return parcel;
    }

    public Stamp Stamp()
        => new() { Text = Word() };

    public IEnumerable<Price> Prices()
        => Enumerable.Range(1, 3).Where(_ => random.Next(2) == 0).Select(i => new Price { Id = i, Amount = random.Next(12) });

    /// <summary>An object with others that its navigations lead to, one for each key.</summary>
    public object Graph(IEntityType type, int number, int tenant, int depth)
        => Graph(type, number, tenant, depth, []);

    private object Graph(IEntityType type, int number, int tenant, int depth, Dictionary<string, object> made)
    {
        var identity = $"{type.GetRootType().Name} {(type.ClrType == typeof(Note) ? made.Count : string.Join(',', KeyOf(type, number)))}";
        if (made.TryGetValue(identity, out var known))
        {
            return known;
        }

        var row = made[identity] = Row(type, number, tenant);
        if (depth == 0)
        {
            return row;
        }

        foreach (var navigation in Navigations(type).Where(_ => random.Next(4) == 0))
        {
            if (!navigation.IsCollection)
            {
                var related = Related(navigation);
                if (navigation.ClrType.IsInstanceOfType(related))
                {
                    navigation.PropertyInfo!.SetValue(row, related);
                }
            }
            else if (navigation.PropertyInfo!.GetValue(row) is IList list)
            {
                for (var i = random.Next(3); i > 0; i--)
                {
                    var related = Related(navigation);
                    if (navigation.TargetEntityType.ClrType.IsInstanceOfType(related) && !list.Contains(related))
                    {
                        list.Add(related);
                    }
                }
            }
        }

        return row;

        object Related(INavigationBase navigation)
            => Graph(Concrete(navigation.TargetEntityType), random.Next(2) == 0 ? Key(tenant) : NewKey(tenant), tenant, depth - 1, made);
    }

    /// <summary>Those that lead to entities with tables of their own.</summary>
    public static List<INavigationBase> Navigations(IEntityType type)
        => [.. type.GetNavigations().Concat<INavigationBase>(type.GetSkipNavigations()).Where(n => n.PropertyInfo is not null && !n.TargetEntityType.IsOwned())];

    /// <summary>The type, or one that derives from it.</summary>
    public IEntityType Concrete(IEntityType type)
    {
        var types = type.GetDerivedTypesInclusive().Where(t => !t.IsAbstract()).ToList();
        return types[random.Next(types.Count)];
    }

    public static object? Get(object row, IReadOnlyProperty property)
        => row is Dictionary<string, object> values ? values[property.Name] : property.PropertyInfo!.GetValue(row);

    public static void Set(object row, IReadOnlyProperty property, object? value)
    {
        if (row is Dictionary<string, object> values)
        {
            values[property.Name] = value!;
        }
        else
        {
            property.PropertyInfo!.SetValue(row, value);
        }
    }
}
