using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     What works for several tenants at once reaches those in the same tables, and refuses the others rather than to write their rows
///     where nobody looks for them.
/// </summary>
public sealed class SeparateReachTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _disposables = [];
    private TestDatabase _home = null!;
    private TestDatabase _own = null!;
    private DbContextOptions<BoxContext> _options = null!;

    // Green and Blue share the home database, Red has a schema in it, and Gray a database.
    public async ValueTask InitializeAsync()
    {
        (_home, _own) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = TenantDatabases.Create(
            x => x.MultiTenantedDatabasesWithMasterDatabaseTable(
                _home.ConnectionString,
                t =>
                {
                    t.OthersShareTheHomeDatabase();
                    t.NameDatabase("own", _own.ConnectionString);
                }));
        _disposables.Add(databases);
        _options = new DbContextOptionsBuilder<BoxContext>()
            .UseTestDatabase("Host=nowhere.invalid").UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantDatabases(databases)).Options;

        await using (var green = For("Green"))
        {
            await green.Database.EnsureCreatedAsync();
        }

        await databases.AddAsync("Red", TenantDestination.InSchema("red"));
        await databases.AddAsync("Gray", TenantDestination.InDatabase("own"));
        foreach (var tenant in (string[])["Red", "Gray"])
        {
            await using var db = For(tenant);
            await db.Database.EnsureCreatedAsync();
        }

        foreach (var tenant in (string[])["Green", "Blue", "Red", "Gray"])
        {
            await using var db = For(tenant);
            db.Add(new Box { Name = "of " + tenant });
            await db.SaveChangesAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var disposable in _disposables.AsEnumerable().Reverse())
        {
            await disposable.DisposeAsync();
        }
    }

    [Theory]
    [InlineData("Green", "Blue")]
    [InlineData("Red")]
    [InlineData("Gray")]
    public async Task Queries_across_tenants_end_where_the_tables_do(string tenant, params string[] others)
    {
        await using var db = For(tenant);
        var all = new[] { tenant }.Concat(others).Select(t => "of " + t).Order().ToArray();

        Assert.Equal(all, await Names(db.Boxes.Where(a => a.AnyTenant())));
        Assert.Equal(all, await Names(db.Boxes.Where(a => a.TenantIsOneOf("Green", "Blue", "Red", "Gray"))));
        Assert.Equal(all, await Names(db.Boxes.IgnoreQueryFilters()));
        using (db.Tenancy().AcrossTenants("test"))
        {
            Assert.Equal(all, await Names(db.Boxes));
        }

        Assert.Equal(["of " + tenant], await Names(db.Boxes));
    }

    [Theory]
    [InlineData("Green", "Red")]
    [InlineData("Green", "Gray")]
    [InlineData("Red", "Green")]
    [InlineData("Red", "Gray")]
    [InlineData("Gray", "Blue")]
    public async Task Work_for_a_tenant_elsewhere_is_refused(string tenant, string elsewhere)
    {
        var before = await RowsAsync();
        await using var db = For(tenant);
        Box[] boxes = [new Box { Name = "lost" }];

        Assert.Equal(elsewhere, Assert.Throws<InvalidTenantForDatabaseException>(() => db.Tenancy().ForTenant(elsewhere)).TenantId);
        await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => db.Tenancy().BulkInsertAsync(elsewhere, boxes));
        await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => db.Tenancy().BulkInsertAsync(_ => elsewhere, boxes));

        using (db.Tenancy().AcrossTenants("test"))
        {
            db.Entry(boxes[0]).Property("TenantId").CurrentValue = elsewhere;
            db.Add(boxes[0]);
            await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => db.SaveChangesAsync());
        }

        await using var group = new BoxContext(_options);
        Assert.Throws<InvalidTenantForDatabaseException>(() => group.Tenancy().Use([tenant, elsewhere]));
        Assert.Equal(before, await RowsAsync());
    }

    [Fact]
    public async Task Work_for_a_tenant_in_the_same_tables_is_not()
    {
        await using var db = For("Green");

        db.Tenancy().ForTenant("Blue").Add(new Box { Name = "for Blue" });
        await db.SaveChangesAsync();
        await db.Tenancy().BulkInsertAsync("Blue", [new Box { Name = "copied for Blue" }]);
        using (db.Tenancy().AcrossTenants("test"))
        {
            var box = new Box { Name = "across for Blue" };
            db.Entry(box).Property("TenantId").CurrentValue = "Blue";
            db.Add(box);
            await db.SaveChangesAsync();
        }

        Assert.Equal(
            ["across for Blue", "copied for Blue", "for Blue", "of Blue"],
            await _home.ColumnAsync("""SELECT "Name" FROM "Boxes" WHERE "TenantId" = 'Blue' ORDER BY 1"""));
    }

    private static async Task<List<string>> Names(IQueryable<Box> boxes)
        => await boxes.Select(a => a.Name).Order().ToListAsync();

    private async Task<List<string>> RowsAsync()
        =>
        [
            .. await _home.ColumnAsync("""SELECT 'home ' || "Name" FROM "Boxes" UNION ALL SELECT 'red ' || "Name" FROM red."Boxes" ORDER BY 1"""),
            .. await _own.ColumnAsync("""SELECT 'own ' || "Name" FROM "Boxes" ORDER BY 1"""),
        ];

    private BoxContext For(string tenant)
    {
        var context = new BoxContext(_options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private async Task<TestDatabase> DatabaseAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        _disposables.Add(database);
        return database;
    }

    private sealed class BoxContext(DbContextOptions<BoxContext> options) : DbContext(options)
    {
        public DbSet<Box> Boxes => Set<Box>();
    }

    private sealed class Box
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }
}
