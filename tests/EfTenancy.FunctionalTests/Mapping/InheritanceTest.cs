using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public class InheritanceTest(PlainDatabase<InheritanceContext> plain, HashedDatabase<InheritanceContext> hashed)
    : MappingTest<InheritanceContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_hierarchy(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Animal>(
                tenant => new Lion { Id = 1, Name = tenant, Lives = 9, Pride = tenant, Cubs = { new Cub { Id = 1, Name = tenant } } },
                animal =>
                {
                    animal.Name += "!";
                    ((Lion)animal).Pride += "!";
                    ((Lion)animal).Cubs[0].Name += "!";
                },
                animal => new Lion { Id = animal.Id, Name = "" })
            {
                Load = animals => animals.Include(a => ((Lion)a).Cubs),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Derived_set_of_a_hierarchy(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<LoudNote>(
                tenant => new LoudNote { Id = 1, Text = tenant, Code = "same" },
                note => (note.Text, note.Code) = (note.Text + "!", note.Code + "!"),
                note => new LoudNote { Id = note.Id, Text = "" }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_type(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Vehicle>(
                tenant => new Van
                {
                    Id = 1,
                    Name = tenant,
                    Colour = tenant,
                    Cargo = tenant,
                    Wheels = { new Wheel { Id = 1, Make = tenant }, new Wheel { Id = 2, Make = tenant } },
                },
                vehicle =>
                {
                    var van = (Van)vehicle;
                    (van.Name, van.Colour, van.Cargo) = (van.Name + "!", van.Colour + "!", van.Cargo + "!");
                    van.Wheels[1].Make += "!";
                },
                vehicle => new Van { Id = vehicle.Id, Name = "", Colour = "", Cargo = "" })
            {
                Load = vehicles => vehicles.Include(v => ((Car)v).Wheels),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_concrete_type(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Payment>(
                tenant => new CardPayment { Id = 1, Payer = tenant, Card = tenant, Refunds = { new Refund { Id = 1, Reason = tenant } } },
                payment =>
                {
                    var card = (CardPayment)payment;
                    (card.Payer, card.Card, card.Refunds[0].Reason) = (card.Payer + "!", card.Card + "!", card.Refunds[0].Reason + "!");
                },
                payment => new CardPayment { Id = payment.Id, Payer = "", Card = "" })
            {
                Load = payments => payments.Include(p => ((CardPayment)p).Refunds),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_concrete_type_with_keys_of_a_shared_sequence(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Ticket>(
                tenant => new TrainTicket { Holder = tenant, Seat = tenant },
                ticket => (ticket.Holder, ((TrainTicket)ticket).Seat) = (ticket.Holder + "!", ((TrainTicket)ticket).Seat + "!"),
                ticket => new TrainTicket { Id = ticket.Id, Holder = "", Seat = "" })
            {
                IsDetachedByQuery = true,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Siblings_of_one_hierarchy_are_told_apart_by_tenant(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.AddRange(new CashPayment { Id = 7, Payer = tenant, Change = 1 }, new Car { Id = 7, Name = tenant, Colour = tenant });
            await context.SaveChangesAsync();
        }

        await using var green = For(tables, "Green");
        Assert.Equal("Green", (await green.FindAsync<Payment>(7))!.Payer);
        Assert.Equal("Green", (await green.FindAsync<Vehicle>(7))!.Name);
        Assert.Equal("Green", Assert.Single(await green.Set<CashPayment>().ToListAsync()).Payer);
        Assert.Equal("Green", Assert.Single(await green.Set<Vehicle>().OfType<Car>().Where(c => !(c is Van)).ToListAsync()).Name);
        Assert.Equal(1, await green.Set<CashPayment>().ExecuteDeleteAsync());
        Assert.Equal(["Red"], await Database(tables).ColumnAsync("""SELECT "TenantId" FROM "CashPayment" """));

        await Database(tables).ExecuteAsync("""DELETE FROM "CashPayment"; DELETE FROM "Vehicle" """);
    }
}
