using EfTenancy.FunctionalTests.Mapping;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

public class InheritanceBulkInsertTest(PlainDatabase<InheritanceContext> plain, HashedDatabase<InheritanceContext> hashed)
    : BulkInsertMappingTest<InheritanceContext>(plain, hashed)
{
    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_hierarchy(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Animal>(
                tenant =>
                [
                    new Cat { Id = 1, Name = tenant, Lives = 9 },
                    new Lion { Id = 2, Name = tenant, Lives = 1, Pride = tenant },
                    new Lion { Id = 3, Name = tenant },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_hierarchy_with_ids_of_the_database(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Animal>(tenant => [new Lion { Name = tenant, Pride = tenant }, new Cat { Name = tenant + 2, Lives = 9 }])
            {
                Generated = ["Id"],
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_hierarchy_with_a_discriminator_of_numbers(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Note>(
                tenant => [new Note { Id = 1, Text = tenant }, new LoudNote { Id = 2, Text = tenant, Code = "same" }]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Leaf_of_a_hierarchy(Tables tables)
        => VerifyAsync(tables, new BulkInsertScenario<LoudNote>(tenant => [new LoudNote { Id = 2, Text = tenant, Code = "same" }]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_type(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Vehicle>(
                tenant =>
                [
                    new Van { Id = 1, Name = tenant, Colour = tenant, Cargo = tenant },
                    new Vehicle { Id = 2, Name = tenant },
                    new Car { Id = 3, Name = tenant, Colour = tenant },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_type_with_ids_of_the_database(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Vehicle>(
                tenant =>
                [
                    .. Enumerable.Range(0, 1500).Select(i => new Vehicle { Name = tenant + i }),
                    new Van { Name = tenant, Colour = tenant, Cargo = tenant },
                    new Car { Id = 1000000, Name = tenant, Colour = tenant },
                ])
            {
                Generated = ["Id"],
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_concrete_type(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Payment>(
                tenant =>
                [
                    new CardPayment { Id = 1, Payer = tenant, Card = tenant },
                    new CashPayment { Id = 2, Payer = tenant, Change = 1.5m },
                    new CardPayment { Id = 3, Payer = tenant, Card = tenant },
                ]));

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Table_per_concrete_type_with_ids_of_a_sequence(Tables tables)
        => VerifyAsync(
            tables,
            new BulkInsertScenario<Ticket>(
                tenant => [new TrainTicket { Holder = tenant, Seat = tenant }, new BusTicket { Holder = tenant }, new BusTicket { Holder = tenant + 2 }])
            {
                Generated = ["Id"],
            });

    [Fact]
    public async Task Class_that_the_model_does_not_know_is_refused()
    {
        await using var green = For("Green");
        Vehicle[] vehicles = [new Car { Id = 7000, Name = "x", Colour = "x" }, new Bicycle { Id = 7001, Name = "x" }];

        var exception = await Assert.ThrowsAsync<InvalidOperationException>(() => green.Tenancy().BulkInsertAsync(vehicles));

        Assert.Contains("'Bicycle'", exception.Message, StringComparison.Ordinal);
        Assert.Null(await green.FindAsync<Vehicle>(7000));
    }

    private sealed class Bicycle : Vehicle;
}
