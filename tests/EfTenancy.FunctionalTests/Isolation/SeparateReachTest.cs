using System.Linq.Expressions;
using EfTenancy.Diagnostics;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     What works for several tenants at once reaches those in the same tables, and refuses the others rather than to write their rows
///     where nobody looks for them.
/// </summary>
public sealed class SeparateReachTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private TestDatabase _home = null!;
    private TestDatabase _own = null!;
    private TenantDatabases _databases = null!;
    private DbContextOptions<BoxContext> _options = null!;

    // Green and Blue share the home database, Red has a schema in it, and Gray a database.
    public override async ValueTask InitializeAsync()
    {
        (_home, _own) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = _databases = TenantDatabases.Create(
            x => x.MultiTenantedDatabasesWithMasterDatabaseTable(
                _home.ConnectionString,
                t =>
                {
                    t.OthersShareTheHomeDatabase();
                    t.NameDatabase("own", _own.ConnectionString);
                }));
        Own(databases);
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

    [Theory]
    [InlineData("Green", "Blue")]
    [InlineData("Red")]
    [InlineData("Gray")]
    public async Task Queries_across_tenants_end_where_the_tables_do(string tenant, params string[] others)
    {
        await using var db = For(tenant);
        var all = new[] { tenant }.Concat(others).Select(t => "of " + t).Order().ToArray();

        Assert.Equal(all, await Names(db.Boxes.Where(a => a.AnyTenant())));
        Assert.Equal(all, await Names(db.Boxes.Where(a => a.TenantIsOneOf(new[] { tenant }.Concat(others).ToArray()))));
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
    public async Task Naming_a_tenant_elsewhere_in_a_query_is_refused(string tenant, string elsewhere)
    {
        var before = await RowsAsync();
        await using var db = For(tenant);
        string[] both = [tenant, elsewhere];

        var refused = await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => Names(db.Boxes.Where(b => b.TenantIsOneOf(both))));
        Assert.Equal((elsewhere, await _databases.FindAsync(elsewhere)), (refused.TenantId, refused.Destination));
        Assert.Contains($"'{tenant}' in {await _databases.FindAsync(tenant)}", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"CreateDbContext(\"{elsewhere}\")", refused.Message, StringComparison.Ordinal);

        await RefusedAsync(() => Names(db.Boxes.Where(b => b.TenantIsOneOf(tenant, elsewhere))));
        await RefusedAsync(() => Names(db.Boxes.Where(b => b.TenantIsOneOf(elsewhere))));
        await RefusedAsync(() => Names(Constant(db.Boxes, "Green", "Red", "Gray")));
        await RefusedAsync(() => Names(db.Boxes.Where(b => db.Boxes.Any(o => o.TenantIsOneOf(both) && o.Id != b.Id))));
        await RefusedAsync(() => db.Boxes.Where(b => b.TenantIsOneOf(both)).ExecuteDeleteAsync());
        await RefusedAsync(() => db.Boxes.Where(b => b.TenantIsOneOf(both)).ExecuteUpdateAsync(s => s.SetProperty(b => b.Name, "x")));
        Assert.Throws<InvalidTenantForDatabaseException>(() => db.Boxes.Where(b => b.TenantIsOneOf(both)).ToList());
        await using (await db.Database.BeginTransactionAsync())
        {
            await RefusedAsync(() => Names(db.Boxes.Where(b => b.TenantIsOneOf(both))));
        }

        // Compiled where all are at hand, and run where one is not.
        var compiled = EF.CompileQuery((BoxContext c, string[] ids) => c.Boxes.Where(b => b.TenantIsOneOf(ids)).Select(b => b.Name));
        Assert.Equal(["of " + tenant], compiled(db, [tenant]));
        Assert.Throws<InvalidTenantForDatabaseException>(() => compiled(db, both).ToList());
        await using var group = new BoxContext(_options);
        group.Tenancy().Use([tenant]);
        await RefusedAsync(() => Names(group.Boxes.Where(b => b.TenantIsOneOf(both))));

        Assert.Equal(["of " + tenant], await Names(db.Boxes.Where(b => b.TenantIsOneOf(tenant))));
        Assert.Equal(["of " + elsewhere], await Names(For(elsewhere).Boxes.Where(b => b.TenantIsOneOf(elsewhere))));
        Assert.Equal(before, await RowsAsync());

        static Task RefusedAsync(Func<Task> query)
            => Assert.ThrowsAsync<InvalidTenantForDatabaseException>(query);
    }

    [Fact]
    public async Task A_query_for_all_tenants_warns_once_that_it_ends_where_the_tables_do()
    {
        var warnings = new List<string>();
        var pool = new PooledDbContextFactory<BoxContext>(
            new DbContextOptionsBuilder<BoxContext>(_options)
                .LogTo((id, _) => id == TenancyEventId.TenantsElsewhereNotRead, data => warnings.Add($"{data.LogLevel} {data}")).Options);
        foreach (var (tenant, place) in ((string, string)[])[("Green", "the home database"), ("Red", "schema 'red'"), ("Gray", "database 'own'")])
        {
            // What names its tenants, or reads one row of the context's own, leaves out nobody.
            await using (var db = await pool.CreateDbContextAsync(tenant))
            {
                await Names(db.Boxes.Where(b => b.TenantIsOneOf(tenant)));
                var box = await db.Boxes.OrderBy(b => b.Id).FirstAsync();
                await db.Entry(box).GetDatabaseValuesAsync();
                await db.Entry(box).ReloadAsync();
                await db.Boxes.IgnoreQueryFilters(["another"]).ToListAsync();
            }

            Assert.Empty(warnings);
            Func<BoxContext, Task>[] queries =
            [
                db => Names(db.Boxes.Where(b => b.AnyTenant())),
                db => Names(db.Boxes.IgnoreQueryFilters()),
                db => Names(db.Boxes.IgnoreQueryFilters([TenancyDefaults.QueryFilterName])),
                async db =>
                {
                    using (db.Tenancy().AcrossTenants("test"))
                    {
                        await Names(db.Boxes);
                    }
                },
            ];
            foreach (var query in queries)
            {
                await using (var db = await pool.CreateDbContextAsync(tenant))
                {
                    await query(db);
                    await query(db);
                }

                var warning = Assert.Single(warnings);
                Assert.StartsWith("Warning ", warning, StringComparison.Ordinal);
                Assert.Contains(place, warning, StringComparison.Ordinal);
                warnings.Clear();
            }
        }
    }

    [Fact]
    public async Task The_warning_can_be_made_an_error()
    {
        await using var db = new BoxContext(
            new DbContextOptionsBuilder<BoxContext>(_options)
                .ConfigureWarnings(w => w.Throw(TenancyEventId.TenantsElsewhereNotRead).Ignore(CoreEventId.ManyServiceProvidersCreatedWarning)).Options);
        db.Tenancy().Use("Green");

        await Assert.ThrowsAsync<InvalidOperationException>(() => Names(db.Boxes.Where(b => b.AnyTenant())));
        await Assert.ThrowsAsync<InvalidOperationException>(() => Names(db.Boxes.IgnoreQueryFilters()));
        Assert.Equal(["of Green"], await Names(db.Boxes));
    }

    [Theory]
    [InlineData("databases")]
    [InlineData("one database")]
    [InlineData("schemas")]
    [InlineData("shards")]
    public async Task Every_style_refuses_tenants_elsewhere_by_name_and_warns_where_all_are_meant(string style)
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = TenantDatabases.Create(
            x => _ = style switch
            {
                "databases" => x.MultiTenantedDatabases(
                    l => l.AddMultipleTenantDatabase(one.ConnectionString, "a", "c").AddSingleTenantDatabase(two.ConnectionString, "b")),
                "one database" => x.MultiTenantedDatabases(l => l.AddMultipleTenantDatabase(one.ConnectionString, "a", "c")),
                "schemas" => x.MultiTenantedSchemas(one.ConnectionString),
                _ => x.MultiTenantedWithShardedDatabases(
                    _home.ConnectionString,
                    s =>
                    {
                        s.NameDatabase("one", one.ConnectionString);
                        s.NameDatabase("two", two.ConnectionString);
                        s.AssignBy((tenant, _) => tenant == "b" ? "two" : "one");
                    }),
            });
        Own(databases);
        var warnings = new List<string>();
        var options = new DbContextOptionsBuilder<BoxContext>()
            .UseTestDatabase("Host=nowhere.invalid").UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantDatabases(databases))
            .LogTo((id, _) => id == TenancyEventId.TenantsElsewhereNotRead, data => warnings.Add(data.ToString())).Options;
        string[] tenants = style is "one database" ? ["a", "c"] : ["a", "b", "c"];
        foreach (var tenant in tenants)
        {
            if (style is "schemas")
            {
                await databases.AddAsync(tenant);
            }

            await using var own = For(tenant, options);
            await own.Database.EnsureCreatedAsync();
            own.Add(new Box { Name = "of " + tenant });
            await own.SaveChangesAsync();
        }

        await using var db = For("a", options);
        var elsewhere = tenants.Except(style is "schemas" ? ["a"] : ["a", "c"]).ToArray();
        foreach (var other in elsewhere)
        {
            Assert.Equal(
                other,
                (await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => Names(db.Boxes.Where(b => b.TenantIsOneOf("a", other))))).TenantId);
            Assert.Throws<InvalidTenantForDatabaseException>(() => db.Tenancy().ForTenant(other));
            await using var group = new BoxContext(options);
            Assert.Throws<InvalidTenantForDatabaseException>(() => group.Tenancy().Use(["a", other]));
            using (db.Tenancy().AcrossTenants("test"))
            {
                // A row of one's own that is given away is a write to another's place, too.
                foreach (var state in (EntityState[])[EntityState.Added, EntityState.Modified, EntityState.Deleted])
                {
                    var box = new Box { Id = 1, Name = "lost" };
                    db.Entry(box).Property("TenantId").CurrentValue = other;
                    db.Entry(box).State = state;
                    await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => db.SaveChangesAsync());
                    db.ChangeTracker.Clear();
                }
            }
        }

        string[] here = [.. tenants.Except(elsewhere)];
        Assert.Equal(here.Select(t => "of " + t), await Names(db.Boxes.Where(b => b.TenantIsOneOf(here))));
        Assert.Equal(here.Select(t => "of " + t), await Names(db.Boxes.Where(b => b.AnyTenant())));
        Assert.Equal(elsewhere.Length == 0 ? 0 : 1, warnings.Count);

        // Who has no place yet has no rows, and asking makes none. One whom nobody knows is an error.
        if (style is "shards")
        {
            Assert.Equal(["of a"], await Names(db.Boxes.Where(b => b.TenantIsOneOf("a", "nobody"))));
            Assert.DoesNotContain("nobody", (await databases.ListAsync()).Select(t => t.TenantId));
        }
        else
        {
            Assert.Equal(
                "nobody",
                (await Assert.ThrowsAsync<UnknownTenantException>(() => Names(db.Boxes.Where(b => b.TenantIsOneOf("a", "nobody"))))).TenantId);
        }
    }

    [Fact]
    public async Task Tenants_that_were_moved_together_are_still_read_together()
    {
        var (one, two) = (await DatabaseAsync(), await DatabaseAsync());
        var databases = TenantDatabases.Create(
            x => x.MultiTenantedWithShardedDatabases(
                _home.ConnectionString,
                s =>
                {
                    s.UseRegistrySchema("shards");
                    s.NameDatabase("one", one.ConnectionString);
                    s.NameDatabase("two", two.ConnectionString);
                    s.AssignBy((tenant, _) => tenant == "b" ? "two" : "one");
                }));
        Own(databases);
        var options = new DbContextOptionsBuilder<BoxContext>()
            .UseTestDatabase("Host=nowhere.invalid").UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantDatabases(databases)).Options;
        foreach (var tenant in (string[])["a", "b", "c"])
        {
            await using var own = For(tenant, options);
            await own.Database.EnsureCreatedAsync();
        }

        await using var db = For("a", options);
        Assert.Empty(await Names(db.Boxes.Where(b => b.TenantIsOneOf("a", "c"))));
        await two.ExecuteAsync("""INSERT INTO "Boxes" ("TenantId", "Name") VALUES ('a', 'of a'), ('c', 'of c')""");
        await MoveAsync("a", "c");
        Assert.Equal(["of a", "of c"], await Names(db.Boxes.Where(b => b.TenantIsOneOf("a", "b", "c"))));

        await _home.ExecuteAsync("UPDATE shards.tenant_destinations SET database_name = 'one' WHERE tenant_id = 'c'");
        databases.Registered.Changed();
        await Assert.ThrowsAsync<InvalidTenantForDatabaseException>(() => Names(db.Boxes.Where(b => b.TenantIsOneOf("a", "c"))));

        async Task MoveAsync(params string[] tenants)
        {
            await _home.ExecuteAsync(
                $"UPDATE shards.tenant_destinations SET database_name = 'two' WHERE tenant_id IN ({string.Join(", ", tenants.Select(t => $"'{t}'"))})");
            databases.Registered.Changed();
        }
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

    private static IQueryable<Box> Constant(IQueryable<Box> boxes, params string[] tenants)
    {
        var box = Expression.Parameter(typeof(Box), "b");
        return boxes.Where(
            Expression.Lambda<Func<Box, bool>>(
                Expression.Call(
                    typeof(TenancyQueryableExtensions), nameof(TenancyQueryableExtensions.TenantIsOneOf), [typeof(Box)],
                    box, Expression.Constant(tenants)),
                box));
    }

    private static async Task<List<string>> Names(IQueryable<Box> boxes)
        => await boxes.Select(a => a.Name).Order().ToListAsync();

    private async Task<List<string>> RowsAsync()
        =>
        [
            .. await _home.ColumnAsync("""SELECT 'home ' || "Name" FROM "Boxes" UNION ALL SELECT 'red ' || "Name" FROM red."Boxes" ORDER BY 1"""),
            .. await _own.ColumnAsync("""SELECT 'own ' || "Name" FROM "Boxes" ORDER BY 1"""),
        ];

    private BoxContext For(string tenant, DbContextOptions<BoxContext>? options = null)
    {
        var context = new BoxContext(options ?? _options);
        context.Tenancy().Use(tenant);
        return context;
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
