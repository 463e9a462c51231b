using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Scenarios;

/// <summary>
///     Marten's acceptance scenarios of isolation, under their numbers: what the rows of one tenant are to another, in queries and
///     in writes.
/// </summary>
public class IsolationScenariosTest(ShopFixture fixture, Clinics clinics)
    : IClassFixture<ShopFixture>, IClassFixture<Clinics>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ShopContext _green = null!;
    private ShopContext _red = null!;
    private ShopContext _blue = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CloneAsync();
        _green = For("Green");
        _red = For("Red");
        _blue = For("Blue");
    }

    public async ValueTask DisposeAsync()
    {
        await _green.DisposeAsync();
        await _red.DisposeAsync();
        await _blue.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Scenario_01_a_query_without_predicate_returns_the_tenants_rows_only()
    {
        Assert.Equal(await TitlesOfAsync("Green"), await _green.Orders.OrderBy(o => o.Title).Select(o => o.Title).ToListAsync());
        Assert.All(await _green.Orders.ToListAsync(), o => Assert.Equal("Green", _green.Tenancy().TenantOf(o)));
        Assert.Equal("Green", _green.Tenancy().TenantOf(Assert.Single(await _green.Customers.ToListAsync())));
        Assert.Equal("Green", Assert.Single(await _green.Invoices.ToListAsync()).TenantId);
        Assert.Equal(2, (await _green.OrderLines.ToListAsync()).Count);

        Assert.Equal(6, await _database.ScalarAsync<int>("""SELECT count(*) FROM "OrderLines" """));
        Assert.Equal(3, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Invoices" """));
    }

    [Fact]
    public async Task Scenario_02_loading_by_id_finds_nothing_of_another_tenant()
    {
        var (one, two) = (await AddOrderAsync(_green, "one"), await AddOrderAsync(_green, "two"));
        int[] both = [one, two];

        await using var green = For("Green");
        Assert.Equal("one", green.Orders.Find(one)!.Title);
        Assert.Equal("two", (await green.Orders.FindAsync(two))!.Title);
        Assert.Equal(2, await green.Orders.CountAsync(o => both.Contains(o.Id)));
        Assert.Equal("one", (await green.Orders.FromSql($"SELECT * FROM \"Orders\" WHERE \"Id\" = {one}").SingleAsync()).Title);

        Assert.Null(_red.Orders.Find(one));
        Assert.Null(await _red.Orders.FindAsync(one));
        Assert.Null(await _red.Orders.FindAsync("Green", one));
        Assert.Null(await _red.FindAsync(typeof(Order), two));
        Assert.Null(await _red.Orders.SingleOrDefaultAsync(o => o.Id == one));
        Assert.Empty(await _red.Orders.Where(o => both.Contains(o.Id)).ToListAsync());
        Assert.Empty(await _red.Orders.FromSql($"SELECT * FROM \"Orders\" WHERE \"Id\" = {one}").AsNoTracking().ToListAsync());
        Assert.Null(await _red.Entry(new Order { Id = one, Title = "" }).GetDatabaseValuesAsync());

        Assert.Equal(["Green", "Green"], await _database.ColumnAsync($"""SELECT "TenantId" FROM "Orders" WHERE "Id" IN ({one}, {two})"""));
    }

    [Fact]
    public async Task Scenario_03_the_same_key_lives_in_two_tenants()
    {
        foreach (var context in (ShopContext[])[_green, _red])
        {
            context.Add(new Order { Id = 50, Title = context.Tenancy().TenantId + "'s" });
            await context.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green Green's", "Red Red's"],
            await _database.ColumnAsync("""SELECT "TenantId" || ' ' || "Title" FROM "Orders" WHERE "Id" = 50 ORDER BY 1"""));
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var context = For(tenant);
            Assert.Equal(tenant + "'s", (await context.Orders.FindAsync(50))!.Title);
            Assert.Equal(tenant + "'s", (await context.Orders.SingleAsync(o => o.Id == 50)).Title);
        }

        // One change tracker holds both, too.
        var all = await _blue.Orders.Where(o => o.AnyTenant() && o.Id == 50).ToListAsync();
        Assert.Equal(["Green's", "Red's"], all.Select(o => o.Title).Order());
    }

    [Fact]
    public async Task Scenario_04_another_tenants_writes_by_id_leave_the_row_untouched()
    {
        var id = await AddOrderAsync(_green, "Green's");
        var before = await _database.RowsOfAsync("Green");

        foreach (var write in (Action<ShopContext>[])[
                     c => c.Update(new Order { Id = id, Title = "stolen" }),
                     c => c.Attach(new Order { Id = id, Title = "" }).Entity.Title = "stolen",
                     c => c.Remove(new Order { Id = id, Title = "" })])
        {
            await using var red = For("Red");
            write(red);
            await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => red.SaveChangesAsync());
            Assert.Equal(before, await _database.RowsOfAsync("Green"));
        }

        Assert.Equal(0, await _red.Orders.Where(o => o.Id == id).ExecuteUpdateAsync(s => s.SetProperty(o => o.Title, "stolen")));
        Assert.Equal(0, await _red.Orders.Where(o => o.Id == id).ExecuteDeleteAsync());

        // Find or create.
        if (await _red.Orders.FindAsync(id) is null)
        {
            _red.Add(new Order { Id = id, Title = "Red's" });
        }

        await _red.SaveChangesAsync();
        Assert.Equal(before, await _database.RowsOfAsync("Green"));
        Assert.Equal(
            ["Green Green's", "Red Red's"],
            await _database.ColumnAsync($"""SELECT "TenantId" || ' ' || "Title" FROM "Orders" WHERE "Id" = {id} ORDER BY 1"""));
    }

    [Theory]
    [InlineData(ClinicTables.Plain)]
    [InlineData(ClinicTables.Hashed)]
    public async Task Scenario_05_an_insert_is_stamped_with_the_contexts_tenant(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        await using (var white = clinic.For("White"))
        {
            var ward = new Ward { Name = "new", Beds = { new Bed { Name = "new", TenantId = "" } } };
            white.AddRange(
                new Patient
                {
                    Name = "new",
                    Address = new Residence { City = "new" },
                    Contacts = { new Contact { Phone = "new" }, new Contact { Phone = "new 2" } },
                    Visits = { new Visit { Reason = "new" } },
                },
                new Employee { Name = "new" },
                new Doctor { Name = "new", Field = "new" },
                new Scanner { Name = "new", Range = "new" },
                new Device { Name = "new" },
                ward);
            await white.SaveChangesAsync();
            Assert.Equal(("White", "White"), (ward.TenantId, ward.Beds[0].TenantId));
        }

        var stamped = await clinic.Database.ColumnAsync(
            """
            SELECT 'patient ' || "TenantId" FROM "Patients" WHERE "Address_City" = 'new' UNION ALL
            SELECT 'contact ' || "TenantId" FROM "Contact" WHERE "Phone" LIKE 'new%' UNION ALL
            SELECT 'visit ' || "TenantId" FROM "Visits" WHERE "Reason" = 'new' UNION ALL
            SELECT 'tph ' || "TenantId" FROM "Employees" WHERE "Name" = 'new' UNION ALL
            SELECT 'tpt root ' || "TenantId" FROM "Devices" WHERE "Name" = 'new' UNION ALL
            SELECT 'tpt leaf ' || "TenantId" FROM "Scanner" WHERE "Range" = 'new' UNION ALL
            SELECT 'ward ' || "TenantId" FROM "Wards" WHERE "Name" = 'new' UNION ALL
            SELECT 'bed ' || "TenantId" FROM "Beds" WHERE "Name" = 'new' ORDER BY 1
            """);
        Assert.Equal(
            [
                "bed White", "contact White", "contact White", "patient White", "tph White", "tph White", "tpt leaf White", "tpt root White",
                "tpt root White", "visit White", "ward White",
            ],
            stamped);
        await clinic.AssertRedIsUntouchedAsync();
    }

    [Fact]
    public async Task Scenario_06_a_tracked_row_of_another_tenant_is_refused_before_anything_is_sent()
    {
        var before = await _database.RowsOfAsync("Red");
        foreach (var write in (Action<ShopContext, Order>[])[
                     (_, order) => order.Title = "stolen",
                     (context, order) => context.Remove(order),
                     (context, order) => context.Update(order)])
        {
            await using var green = For("Green");
            green.Add(new Order { Title = "innocent" });
            write(green, await green.Orders.FirstAsync(o => o.TenantIsOneOf("Red") && o.Id == 1));
            fixture.Sql.Clear();

            var exception = await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
            Assert.Equal(("Red", "Green"), (exception.RowTenantId, exception.ContextTenantId));
            Assert.Contains("'Order'", exception.Message, StringComparison.Ordinal);
            Assert.Throws<CrossTenantWriteException>(() => green.SaveChanges());
            Assert.Empty(fixture.Sql);
        }

        Assert.Equal(before, await _database.RowsOfAsync("Red"));
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Orders" WHERE "Title" = 'innocent' """));
    }

    [Fact]
    public async Task Scenario_07_the_filter_applies_at_every_level()
    {
        // The ids are the same in each tenant, so a level without filter would find rows of three.
        Assert.Equal(
            ["Green 1", "Green 2"],
            await _green.Orders.Where(o => _green.OrderLines.Any(l => l.OrderId == o.Id)).Select(o => o.Title).OrderBy(t => t).ToListAsync());
        Assert.Equal(2, await _green.Regions.Select(r => _green.Orders.Count()).SingleAsync());
        Assert.Equal(
            ["Green 1 10", "Green 2 20"],
            await _green.Orders.Join(_green.OrderLines, o => o.Id, l => l.OrderId, (o, l) => o.Title + " " + l.Quantity).OrderBy(t => t).ToListAsync());

        // Any over children, of tenants' rows and of global ones; the second has nothing but the filter.
        Assert.Equal(["Green 2"], await _green.Orders.Where(o => o.Lines.Any(l => l.Quantity == 20)).Select(o => o.Title).ToListAsync());
        await _database.ExecuteAsync("""UPDATE "Customers" SET "Email" = 'red@x.org' WHERE "TenantId" = 'Red' """);
        Assert.Equal(0, await _green.Regions.CountAsync(r => r.Customers.Any(c => c.Email == "red@x.org")));
        Assert.Equal(1, await _red.Regions.CountAsync(r => r.Customers.Any(c => c.Email == "red@x.org")));
        Assert.Equal(1, await _green.Regions.Select(r => r.Customers.Count).SingleAsync());

        foreach (var regions in (IQueryable<Region>[])[
                     _green.Regions.Include(r => r.Customers).ThenInclude(c => c.Orders).ThenInclude(o => o.Lines).AsSingleQuery(),
                     _green.Regions.Include(r => r.Customers).ThenInclude(c => c.Orders).ThenInclude(o => o.Lines).AsSplitQuery()])
        {
            _green.ChangeTracker.Clear();
            var customer = Assert.Single((await regions.SingleAsync()).Customers);
            Assert.Equal("Green", _green.Tenancy().TenantOf(customer));
            Assert.Equal(["Green 1", "Green 2"], customer.Orders.Select(o => o.Title).Order());
            Assert.All(customer.Orders, o => Assert.Equal("Green", _green.Tenancy().TenantOf(Assert.Single(o.Lines))));
        }

        await using var clinic = await clinics.OpenAsync(ClinicTables.Plain);
        await using var green = clinic.For("Green");
        Assert.Equal("Green", (await green.Set<Doctor>().SingleAsync()).Field);
        Assert.Equal("Green", (await green.Employees.OfType<Doctor>().SingleAsync()).Name);
        Assert.Equal(1, await green.Employees.CountAsync(e => e is Doctor));
        Assert.Equal("Green", (await green.Set<Scanner>().SingleAsync()).TenantId);
        Assert.Equal("Green", (await green.Devices.SingleAsync(d => ((Scanner)d).Range != "")).TenantId);
    }

    [Fact]
    public async Task Scenario_08_one_compiled_query_serves_each_tenant()
    {
        var titles = EF.CompileAsyncQuery((ShopContext db) => db.Orders.OrderBy(o => o.Id).Select(o => o.Title));
        var byId = EF.CompileQuery((ShopContext db, int id) => db.Orders.Include(o => o.Lines).Single(o => o.Id == id));

        foreach (var context in (ShopContext[])[_green, _red, _green])
        {
            var tenant = context.Tenancy().TenantId;
            Assert.Equal([tenant + " 1", tenant + " 2"], await titles(context).ToListAsync());
            var order = byId(context, 2);
            Assert.Equal(tenant + " 2", order.Title);
            Assert.Equal(tenant, context.Tenancy().TenantOf(Assert.Single(order.Lines)));
        }
    }

    [Fact]
    public async Task Scenario_09_any_tenant_with_other_predicates_returns_the_rows_of_all()
    {
        await _database.ExecuteAsync("""UPDATE "OrderLines" SET "Quantity" = 99 WHERE "TenantId" = 'Red' """);

        Assert.Equal(
            ["Blue 2", "Green 2", "Red 2"],
            await _blue.Orders.Where(o => o.AnyTenant() && o.Paid).Select(o => o.Title).OrderBy(t => t).ToListAsync());
        Assert.Equal(
            ["Blue 2", "Green 2"],
            await _blue.Orders.Where(o => o.AnyTenant() && o.Lines.Any(l => l.Quantity == 20)).Select(o => o.Title).OrderBy(t => t).ToListAsync());
        Assert.Equal(
            await _database.ColumnAsync("""SELECT "Title" FROM "Orders" WHERE NOT "IsDeleted" ORDER BY "Title" COLLATE "C" """),
            (await _blue.Orders.Where(o => o.AnyTenant()).Select(o => o.Title).ToListAsync()).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Scenario_10_tenant_is_one_of_returns_exactly_those_tenants_and_the_rest_of_the_predicate()
    {
        Assert.Equal(
            ["Green 1", "Green 2", "Red 1", "Red 2"],
            await _blue.Orders.Where(o => o.TenantIsOneOf("Green", "Red")).Select(o => o.Title).OrderBy(t => t).ToListAsync());
        Assert.Equal(
            ["Green 2", "Red 2"],
            await _blue.Orders.Where(o => o.TenantIsOneOf("Green", "Red") && o.Paid).Select(o => o.Title).OrderBy(t => t).ToListAsync());
        Assert.Empty(await _blue.Orders.Where(o => o.TenantIsOneOf("Green", "Red") && o.Title.StartsWith("Blue")).ToListAsync());
    }

    [Fact]
    public async Task Scenario_11_a_global_type_is_the_same_from_every_tenant_and_has_no_tenant_column()
    {
        _green.Add(new Region { Id = 2, Name = "South" });
        await _green.SaveChangesAsync();

        foreach (var context in (ShopContext[])[_green, _red, _blue])
        {
            Assert.Equal(["North", "South"], await context.Regions.Select(r => r.Name).OrderBy(n => n).ToListAsync());
        }

        Assert.Equal(
            ["Id", "Name"],
            await _database.ColumnAsync(
                """SELECT column_name FROM information_schema.columns WHERE table_name = 'Regions' ORDER BY 1"""));
    }

    [Fact]
    public async Task Scenario_12_a_bulk_insert_goes_to_its_tenant_or_to_the_default_one()
    {
        await _blue.Tenancy().BulkInsertAsync("Green", [new Customer { Id = 70, Email = "bulk" }]);
        await _blue.Tenancy().BulkInsertAsync("Green", [new Order { Id = 70, Title = "bulk", CustomerId = 70 }]);
        await _blue.Tenancy().BulkInsertAsync("Green", [new Invoice { Id = Guid.NewGuid(), Amount = 70 }]);
        await _blue.Tenancy().BulkInsertAsync([new Region { Id = 70, Name = "bulk" }]);

        await using (var nobody = fixture.CreateContext(_database.ConnectionString))
        {
            await nobody.Tenancy().BulkInsertAsync([new Customer { Id = 70, Email = "bulk" }]);
        }

        Assert.Equal(
            ["*DEFAULT*", "Green"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Customers" WHERE "Email" = 'bulk' ORDER BY 1"""));
        Assert.Equal(
            ["Green", "Green"],
            await _database.ColumnAsync(
                """
                SELECT "TenantId" FROM "Orders" WHERE "Title" = 'bulk' UNION ALL SELECT "TenantId" FROM "Invoices" WHERE "Amount" = 70
                """));

        foreach (var context in (ShopContext[])[_green, _red, _blue])
        {
            var expected = context == _green ? 1 : 0;
            Assert.Equal(expected, await context.Orders.CountAsync(o => o.Title == "bulk" && o.Customer!.Email == "bulk"));
            Assert.Equal(expected, await context.Customers.CountAsync(c => c.Email == "bulk"));
            Assert.Equal(expected, await context.Invoices.CountAsync(i => i.Amount == 70));
            Assert.Equal(1, await context.Regions.CountAsync(r => r.Name == "bulk"));
        }
    }

    [Fact]
    public async Task Scenario_13_nested_operations_of_two_tenants_are_one_transaction()
    {
        _blue.Tenancy().ForTenant("Green").Add(new Order { Title = "g" });
        _blue.Tenancy().ForTenant("Red").Add(new Order { Title = "r", Lines = { new OrderLine { Quantity = 7 } } });
        await _blue.SaveChangesAsync();

        Assert.Equal(
            ["Green g", "Red r"],
            await _database.ColumnAsync("""SELECT "TenantId" || ' ' || "Title" FROM "Orders" WHERE length("Title") = 1 ORDER BY 1"""));
        Assert.Equal("Red", await _database.ScalarAsync<string>("""SELECT "TenantId" FROM "OrderLines" WHERE "Quantity" = 7"""));

        // The id of the transaction that wrote them.
        Assert.Single(
            await _database.ColumnAsync(
                """
                SELECT xmin::text FROM "Orders" WHERE length("Title") = 1 UNION SELECT xmin::text FROM "OrderLines" WHERE "Quantity" = 7
                """));

        // What one tenant cannot commit the other does not.
        _blue.Tenancy().ForTenant("Green").Add(new Order { Title = "x" });
        _blue.Tenancy().ForTenant("Red").Add(new Customer { Email = "a@x.org" });
        await Assert.ThrowsAsync<DbUpdateException>(() => _blue.SaveChangesAsync());
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Orders" WHERE "Title" = 'x' """));
    }

    [Theory]
    [InlineData(ClinicTables.Plain)]
    [InlineData(ClinicTables.Hashed)]
    public async Task Scenario_14_one_id_tracked_for_two_tenants_is_two_rows_with_concurrency_tokens_of_their_own(ClinicTables tables)
    {
        await using var clinic = await clinics.OpenAsync(tables);
        await clinic.Database.ExecuteAsync("""INSERT INTO "Wards" ("TenantId", "Id", "Name", "Version") VALUES ('Green', 2, 'Green 2', 7)""");

        await using var red = clinic.For("Red");
        var greens = red.Tenancy().ForTenant("Green").Find<Ward>(2)!;
        var reds = red.Wards.Find(2)!;
        Assert.Equal(("Green 2", 7), (greens.Name, greens.Version));
        Assert.Equal(("Red", 1), (reds.Name, reds.Version));
        Assert.Same(greens, red.Tenancy().ForTenant("Green").Find<Ward>(2));
        Assert.Same(reds, await red.Wards.SingleAsync(w => w.Id == 2));

        // Somebody changes Green's meanwhile: Red's is saved, Green's is not.
        await clinic.Database.ExecuteAsync("""UPDATE "Wards" SET "Version" = 8 WHERE "TenantId" = 'Green' AND "Id" = 2""");
        (reds.Name, reds.Version) = ("changed", 2);
        await red.SaveChangesAsync();
        (greens.Name, greens.Version) = ("lost", 9);
        var exception = await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => red.SaveChangesAsync());
        Assert.Same(greens, Assert.Single(exception.Entries).Entity);

        Assert.Equal(
            ["Green 2 8", "changed 2"],
            await clinic.Database.ColumnAsync("""SELECT "Name" || ' ' || "Version" FROM "Wards" WHERE "Id" = 2 ORDER BY "TenantId" """));
    }

    private ShopContext For(string tenant)
        => fixture.CreateContext(_database.ConnectionString, tenant);

    private static async Task<int> AddOrderAsync(ShopContext context, string title)
    {
        var order = context.Add(new Order { Title = title }).Entity;
        await context.SaveChangesAsync();
        context.ChangeTracker.Clear();
        return order.Id;
    }

    private Task<List<string>> TitlesOfAsync(string tenant)
        => _database.ColumnAsync($"""SELECT "Title" FROM "Orders" WHERE "TenantId" = '{tenant}' AND NOT "IsDeleted" ORDER BY 1""");
}
