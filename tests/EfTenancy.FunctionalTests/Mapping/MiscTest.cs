using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

public class MiscTest(PlainDatabase<MiscContext> plain, HashedDatabase<MiscContext> hashed) : MappingTest<MiscContext>(plain, hashed)
{
    // PostgreSQL does not give xmin back from an insert into a partitioned table.
    protected override string[] PlainTables => ["RowVersioned"];

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Types_without_keys_over_a_view_and_queries(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.AddRange(
                new Sale { Id = 1, Item = "same", Amount = 1 },
                new Sale { Id = 2, Item = "same", Amount = 2 },
                new Sale { Id = 3, Item = tenant, Amount = 3 });
            await context.SaveChangesAsync();
        }

        await using var green = For(tables, "Green");
        Assert.Equal(
            [("Green", 3), ("same", 3)], (await green.Set<SalesOfItem>().OrderBy(s => s.Item).ToListAsync()).Select(s => (s.Item, s.Amount)));
        Assert.Equal(["Green"], await green.Set<SalesOfItem>().Where(s => s.Item != "same").Select(s => s.Item).ToListAsync());
        Assert.Equal(["Green", "same", "same"], await green.Set<SaleOfQuery>().OrderBy(s => s.Item).Select(s => s.Item).ToListAsync());
        Assert.Equal(3, (await green.Set<SaleRow>().FromSqlRaw("""SELECT "TenantId", "Item" FROM "Sale" """).ToListAsync()).Count);
        Assert.Equal(3, await green.Set<Sale>().FromSql($"""SELECT * FROM "Sale" """).CountAsync());

        // The view and the entity beside it are each filtered.
        Assert.Equal(
            3, await green.Set<SalesOfItem>().Join(green.Set<Sale>(), v => v.Item, s => s.Item, (v, s) => s.Id).CountAsync());
        Assert.Equal(6, await green.Set<Sale>().Where(s => s.AnyTenant()).CountAsync());
        Assert.Equal(4, await green.Set<SalesOfItem>().Where(s => s.AnyTenant()).CountAsync());

        await Database(tables).ExecuteAsync("""DELETE FROM "Sale" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Raw_query_without_the_tenant_is_refused(Tables tables)
    {
        await using var green = For(tables, "Green");
        var exception = await Assert.ThrowsAnyAsync<Exception>(
            () => green.Set<SaleRow>().FromSqlRaw("""SELECT "Item" FROM "Sale" """).ToListAsync());
        Assert.Contains("TenantId", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Property_bag(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Dictionary<string, object>>(
                tenant => new Dictionary<string, object> { ["Id"] = 1, ["Name"] = tenant },
                setting => setting["Name"] += "!",
                setting => new Dictionary<string, object> { ["Id"] = setting["Id"], ["Name"] = "" })
            {
                Set = context => context.Set<Dictionary<string, object>>(MiscContext.Settings),
                Add = (context, setting) => context.Set<Dictionary<string, object>>(MiscContext.Settings).Add(setting),
                Update = (context, setting) => context.Set<Dictionary<string, object>>(MiscContext.Settings).Update(setting),
                Remove = (context, setting) => context.Set<Dictionary<string, object>>(MiscContext.Settings).Remove(setting),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Concurrency_token(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Versioned>(
                tenant => new Versioned { Id = 1, Name = tenant, Version = 1 },
                versioned => versioned.Name += "!",
                versioned => new Versioned { Id = versioned.Id, Name = "", Version = versioned.Version }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Stale_concurrency_token_is_refused(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.Add(new Versioned { Id = 2, Name = tenant, Version = tenant == "Green" ? 1 : 2 });
            await context.SaveChangesAsync();
        }

        await using var green = For(tables, "Green");

        // The version of Red's row.
        green.Update(new Versioned { Id = 2, Name = "stale", Version = 2 });
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => green.SaveChangesAsync());
        Assert.Equal(["Green", "Red"], await Database(tables).ColumnAsync("""SELECT "Name" FROM "Versioned" ORDER BY 1"""));
        await Database(tables).ExecuteAsync("""DELETE FROM "Versioned" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Tenant_property_of_its_own(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<OwnTenant>(
                tenant => new OwnTenant { Id = 1, Name = tenant, Lines = { new OwnTenantLine { Id = 1, Name = tenant } } },
                entity => (entity.Name, entity.Lines[0].Name) = (entity.Name + "!", entity.Lines[0].Name + "!"),
                entity => new OwnTenant { Id = entity.Id, Name = "" })
            {
                Load = entities => entities.Include(e => e.Lines),
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Row_version(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<RowVersioned>(
                tenant => new RowVersioned { Id = 1, Name = tenant },
                versioned => versioned.Name += "!",
                versioned => new RowVersioned { Id = versioned.Id, Name = "", Version = versioned.Version })
            {
                IsDetachedByQuery = true,
            });

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Ignored_tenant_property_of_a_derived_type(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Person>(
                tenant => new Landlord { Id = 1, Name = tenant },
                person => person.Name += "!",
                person => new Landlord { Id = person.Id, Name = "" }));

    [Theory]
    [ClassData(typeof(AllTables))]
    public async Task Lazy_loading_stays_in_its_tenant(Tables tables)
    {
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tables, tenant);
            context.Add(new Lazy { Id = 1, Name = tenant, Leaves = [new Leaf { Id = 1, Name = tenant }] });
            await context.SaveChangesAsync();
        }

        await using var green = For(tables, "Green");
        foreach (var lazy in await green.Set<Lazy>().IgnoreQueryFilters().ToListAsync())
        {
            // Red's entity is there, read past the filter, but Green's context has not opened Red.
            if (lazy.Name == "Green")
            {
                Assert.Equal("Green", Assert.Single(lazy.Leaves).Name);
            }
            else
            {
                Assert.Throws<InvalidOperationException>(() => lazy.Leaves);
            }
        }

        // Nor for one that nothing tracks: either it is refused, or what comes is Green's.
        await using var untracked = For(tables, "Green");
        foreach (var lazy in await untracked.Set<Lazy>().IgnoreQueryFilters().AsNoTracking().ToListAsync())
        {
            try
            {
                Assert.DoesNotContain("Red", lazy.Leaves.Select(l => l.Name));
            }
            catch (InvalidOperationException exception)
            {
                Assert.Contains("Lazy", exception.Message, StringComparison.Ordinal);
            }
        }

        await Database(tables).ExecuteAsync("""DELETE FROM "Leaf"; DELETE FROM "Lazy" """);
    }

    [Theory]
    [ClassData(typeof(AllTables))]
    public Task Notification_entity(Tables tables)
        => VerifyAsync(
            tables,
            new MappingScenario<Notifier>(
                tenant => new Notifier { Id = 1, Name = tenant },
                notifier => notifier.Name += "!",
                notifier => new Notifier { Id = notifier.Id }));
}
