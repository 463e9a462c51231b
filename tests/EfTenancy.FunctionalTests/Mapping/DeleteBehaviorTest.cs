using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>What becomes of Green's child when Green's parent is deleted, tracked with its child and as a stub; Red has the same keys.</summary>
public class DeleteBehaviorTest(PlainDatabase<DeleteBehaviorContext> plain, HashedDatabase<DeleteBehaviorContext> hashed)
    : MappingTest<DeleteBehaviorContext>(plain, hashed)
{
    private const string Deleted = "";
    private const string Severed = "Green|1|NULL";
    private const string RefusedByDatabase = "database";

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Cascade(Tables tables)
        => VerifyAsync<OnCascade>(tables, tracked: Deleted, stub: Deleted);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Set_null(Tables tables)
        => VerifyAsync<OnSetNull>(tables, tracked: Severed, stub: Severed);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Restrict(Tables tables)
        => VerifyAsync<OnRestrict>(tables, tracked: Severed, stub: RefusedByDatabase);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task No_action(Tables tables)
        => VerifyAsync<OnNoAction>(tables, tracked: Severed, stub: RefusedByDatabase);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Client_set_null(Tables tables)
        => VerifyAsync<OnClientSetNull>(tables, tracked: Severed, stub: RefusedByDatabase);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Client_cascade(Tables tables)
        => VerifyAsync<OnClientCascade>(tables, tracked: Deleted, stub: RefusedByDatabase);

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Client_no_action(Tables tables)
        => VerifyAsync<OnClientNoAction>(tables, tracked: RefusedByDatabase, stub: RefusedByDatabase);

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Restrict_of_a_required_relationship(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.Add(new Keeper { Id = 1, Pets = { new Pet { Id = 1 } } });
            await context.SaveChangesAsync();
        }

        await using (var context = For(tables, "Green"))
        {
            var keeper = await context.Set<Keeper>().Include(k => k.Pets).SingleAsync();

            // As EF says it without tenants, and not that the tenant cannot be changed.
            var exception = Assert.Throws<InvalidOperationException>(() => context.Remove(keeper));
            Assert.Contains("has been severed", exception.Message, StringComparison.Ordinal);
            Assert.Equal("Green", context.Tenancy().TenantOf(context.ChangeTracker.Entries<Pet>().Single().Entity));
        }

        await using (var context = For(tables, "Green"))
        {
            context.Remove(new Keeper { Id = 1 });
            await Assert.ThrowsAsync<DbUpdateException>(() => context.SaveChangesAsync());
        }

        Assert.Equal(["Green", "Red"], await Database(tables).ColumnAsync("""SELECT "TenantId" FROM "Pet" ORDER BY 1"""));
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Two_relationships_over_one_column(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.AddRange(new Room { Id = 1 }, new Cupboard { Id = 1 }, new DoorKey { Id = 1, Number = 1 });
            await context.SaveChangesAsync();
        }

        await using (var context = For(tables, "Green"))
        {
            context.Remove(await context.Set<Room>().Include(r => r.Keys).SingleAsync());
            await context.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green|1", "Red|1|1"],
            await Database(tables).ColumnAsync("""SELECT concat_ws('|', "TenantId", "Id", "Number") FROM "DoorKey" ORDER BY 1"""));
    }

    private async Task VerifyAsync<TBehavior>(Tables tables, string tracked, string stub)
    {
        var (parents, children) = ($"\"{typeof(TBehavior).Name}Parents\"", $"\"{typeof(TBehavior).Name}Children\"");

        foreach (var (isTracked, expected) in new[] { (true, tracked), (false, stub) })
        {
            foreach (var tenant in (string[])["Green", "Red"])
            {
                await using var context = For(tables, tenant);
                context.Add(new Parent<TBehavior> { Id = 1, Children = { new Child<TBehavior> { Id = 1 } } });
                await context.SaveChangesAsync();
            }

            var outcome = await OutcomeAsync<TBehavior>(tables, isTracked);
            Assert.Equal(
                expected,
                outcome ?? string.Concat(
                    await Database(tables).ColumnAsync(
                        $"""SELECT concat_ws('|', "TenantId", "Id", coalesce("ParentId"::text, 'NULL')) FROM {children} WHERE "TenantId" = 'Green' """)));
            Assert.Equal(
                outcome is null ? ["Red"] : ["Green", "Red"],
                await Database(tables).ColumnAsync($"""SELECT "TenantId" FROM {parents} ORDER BY 1"""));
            Assert.Equal(
                ["Red|1|1"],
                await Database(tables).ColumnAsync($"""SELECT concat_ws('|', "TenantId", "Id", "ParentId") FROM {children} WHERE "TenantId" <> 'Green' """));

            await Database(tables).ExecuteAsync($"DELETE FROM {children}; DELETE FROM {parents}");
        }
    }

    private async Task<string?> OutcomeAsync<TBehavior>(Tables tables, bool isTracked)
    {
        await using var context = For(tables, "Green");
        var parent = isTracked
            ? await context.Set<Parent<TBehavior>>().Include(p => p.Children).SingleAsync()
            : new Parent<TBehavior> { Id = 1 };
        try
        {
            context.Remove(parent);
            await context.SaveChangesAsync();
            return null;
        }
        catch (DbUpdateException exception) when (exception.InnerException is PostgresException
                 { SqlState: PostgresErrorCodes.ForeignKeyViolation or PostgresErrorCodes.RestrictViolation })
        {
            return RefusedByDatabase;
        }
    }
}
