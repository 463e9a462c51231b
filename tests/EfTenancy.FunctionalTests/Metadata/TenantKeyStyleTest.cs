using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Metadata;

public class TenantKeyStyleTest(PostgresFixture postgres)
{
    [Fact]
    public async Task IdThenTenant_ends_keys_and_references_with_the_tenant_and_indexes_it()
    {
        await using var database = await CreateAsync(TenantKeyStyle.IdThenTenant);

        Assert.Equal(
            ["""
             FK_Parts_Machines_MachineId_TenantId FOREIGN KEY ("MachineId", "TenantId") REFERENCES "Machines"("Id", "TenantId") ON DELETE CASCADE
             """,
             """PK_Machines PRIMARY KEY ("Id", "TenantId")""",
             """PK_Parts PRIMARY KEY ("Id", "TenantId")"""],
            await ConstraintsAsync(database));
        Assert.Equal(["Machines", "Parts"], await TablesWithTenantIndexAsync(database));

        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = For(database, TenantKeyStyle.IdThenTenant, tenant);
            db.Add(new Machine { Id = 1, Name = tenant, Parts = { new Part { Id = 1 } } });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();
            Assert.Equal(tenant, (await db.FindAsync<Machine>(1))!.Name);
            Assert.Single((await db.Set<Machine>().Include(m => m.Parts).SingleAsync()).Parts);
            Assert.Equal(tenant, db.Find<Machine>(1)!.Name);
        }

        await using (var db = For(database, TenantKeyStyle.IdThenTenant, "Green"))
        {
            db.Add(new Machine { Id = 2, Name = "Green" });
            await db.SaveChangesAsync();
        }

        await using (var db = For(database, TenantKeyStyle.IdThenTenant, "Red"))
        {
            db.Add(new Part { Id = 2, MachineId = 2 });
            await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());
            db.ChangeTracker.Clear();
            db.Remove(new Machine { Id = 1, Name = "" });
            await db.SaveChangesAsync();
        }

        Assert.Equal(["1 Green", "2 Green"], await MachinesAsync(database));
    }

    [Fact]
    public async Task IdThenTenant_can_be_partitioned()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var db = new MachineContext(Options(database, TenantKeyStyle.IdThenTenant, partition: true));
        await db.Database.EnsureCreatedAsync();
        db.Add(new Machine { Id = 1, Name = "x", Parts = { new Part { Id = 1 } } });
        await db.SaveChangesAsync();
        Assert.Equal(1L, await database.ScalarAsync<long>("""SELECT (SELECT count(*) FROM "Parts_a") + (SELECT count(*) FROM "Parts_b")"""));
    }

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public async Task Arrays_in_json_are_read_and_written_in_each_style(TenantKeyStyle style)
    {
        await using var database = await postgres.CreateDatabaseAsync();
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = new CatalogContext(
                new DbContextOptionsBuilder<CatalogContext>().UseTestDatabase(database.ConnectionString)
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style)).Options);
            db.Tenancy().Use(tenant);
            await db.Database.EnsureCreatedAsync();
            db.Add(new Catalog { Pages = { new Page { Title = "1", Notes = { new Note { Text = "a" }, new Note { Text = tenant } } } } });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();

            var catalog = await db.Set<Catalog>().SingleAsync();
            catalog.Pages[0].Notes[1].Text += "!";
            catalog.Pages.Add(new Page { Title = "2" });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();

            var pages = (await db.Set<Catalog>().AsNoTracking().Select(c => new { c.Pages }).SingleAsync()).Pages;
            Assert.Equal(["1: a " + tenant + "!", "2: "], pages.Select(p => $"{p.Title}: {string.Join(' ', p.Notes.Select(n => n.Text))}"));
            Assert.Equal([tenant + "!"], await db.Set<Catalog>().SelectMany(c => c.Pages).SelectMany(p => p.Notes)
                .Where(n => n.Text != "a").Select(n => n.Text).ToListAsync());
        }
    }

    [Theory]
    [InlineData(TenantKeyStyle.TenantThenId)]
    [InlineData(TenantKeyStyle.IdThenTenant)]
    [InlineData(TenantKeyStyle.IdOnly)]
    public async Task An_own_key_with_the_tenant_may_own_what_is_in_its_row_in_json_and_elsewhere(TenantKeyStyle style)
    {
        await using var database = await postgres.CreateDatabaseAsync();
        foreach (var tenant in (string[])["Green", "Red"])
        {
            await using var db = new LedgerContext(
                new DbContextOptionsBuilder<LedgerContext>().UseTestDatabase(database.ConnectionString)
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style)).Options);
            db.Tenancy().Use(tenant);
            await db.Database.EnsureCreatedAsync();
            db.Add(new Ledger { Id = 1, Cover = new Note { Text = tenant }, Back = new Note { Text = tenant }, Pages = { new Page { Title = tenant } }, Notes = { new Note { Text = tenant } } });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();

            var ledger = await db.Set<Ledger>().SingleAsync();
            Assert.Equal([tenant, tenant, tenant, tenant], [ledger.Cover!.Text, ledger.Back!.Text, ledger.Pages.Single().Title, ledger.Notes.Single().Text]);
            (ledger.Cover.Text, ledger.Back.Text, ledger.Pages[0].Title, ledger.Notes[0].Text) = ("a", "b", "c", "d");
            await db.SaveChangesAsync();
        }

        Assert.Equal(
            ["Green a b c d", "Red a b c d"],
            await database.ColumnAsync(
                """
                SELECT concat_ws(' ', l."TenantId", "Cover_Text", "Back" ->> 'Text', "Pages" -> 0 ->> 'Title', n."Text")
                FROM "Ledger" l JOIN "Notes" n ON n."LedgerId" = l."Id" AND n."TenantId" = l."TenantId" ORDER BY 1
                """));
    }

    [Fact]
    public async Task IdOnly_leaves_documents_as_they_are_and_to_their_row()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        CatalogContext For(string tenant)
        {
            var context = new CatalogContext(
                new DbContextOptionsBuilder<CatalogContext>().UseTestDatabase(database.ConnectionString)
                    .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdOnly)).Options);
            context.Tenancy().Use(tenant);
            return context;
        }

        await using var green = For("Green");
        await green.Database.EnsureCreatedAsync();
        await database.ExecuteAsync(
            """
            INSERT INTO "Catalog" ("Id", "TenantId", "Cover", "Pages") OVERRIDING SYSTEM VALUE SELECT id, tenant, '{"Text": "old", "TenantId": "earlier"}', '[{"Title": "old", "Notes": [{"Text": "a"}]}]'
            FROM (VALUES (1, 'Green'), (2, 'Red')) AS t (id, tenant)
            """);

        var catalog = await green.Set<Catalog>().SingleAsync();
        Assert.Equal("Green", green.Tenancy().TenantOf(catalog.Cover!));
        catalog.Cover!.Text = "new";
        catalog.Pages[0].Notes[0].Text = "b";
        catalog.Pages.Add(new Page { Title = "new" });
        Assert.Equal(1, await green.SaveChangesAsync());
        Assert.Equal("new", (await green.Entry(catalog).Reference(c => c.Cover).TargetEntry!.GetDatabaseValuesAsync())!.GetValue<string>("Text"));

        foreach (var change in (Action<Catalog>[])[
                     c => c.Cover!.Text = "stolen",
                     c => c.Cover = new Note { Text = "stolen" },
                     c => c.Cover = null,
                     c => c.Pages.Add(new Page { Title = "stolen" })])
        {
            await using var other = For("Green");
            var stub = new Catalog { Id = 2, Cover = new Note { Text = "" } };
            other.Attach(stub);
            Assert.Null(await other.Entry(stub).Reference(c => c.Cover).TargetEntry!.GetDatabaseValuesAsync());
            Assert.Null(other.Entry(stub).Reference(c => c.Cover).TargetEntry!.GetDatabaseValues());
            change(stub);
            await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => other.SaveChangesAsync());

            other.ChangeTracker.Clear();
            change(await other.Set<Catalog>().SingleAsync(c => c.TenantIsOneOf("Red")));
            Assert.Equal("Red", (await Assert.ThrowsAsync<CrossTenantWriteException>(() => other.SaveChangesAsync())).RowTenantId);
        }

        Assert.Equal(
            [
                """1 Green {"Text": "new", "TenantId": "earlier"} [{"Notes": [{"Text": "b"}], "Title": "old"}, {"Notes": [], "Title": "new"}]""",
                """2 Red {"Text": "old", "TenantId": "earlier"} [{"Notes": [{"Text": "a"}], "Title": "old"}]""",
            ],
            await database.ColumnAsync("""SELECT concat_ws(' ', "Id", "TenantId", "Cover", "Pages") FROM "Catalog" ORDER BY "Id" """));
    }

    [Fact]
    public async Task IdOnly_leaves_keys_and_references_and_looks_for_the_tenant_in_each_write()
    {
        await using var database = await CreateAsync(TenantKeyStyle.IdOnly);
        Assert.Equal(
            ["""FK_Parts_Machines_MachineId FOREIGN KEY ("MachineId") REFERENCES "Machines"("Id") ON DELETE CASCADE""",
             """PK_Machines PRIMARY KEY ("Id")""",
             """PK_Parts PRIMARY KEY ("Id")"""],
            await ConstraintsAsync(database));
        Assert.Equal(["Machines", "Parts"], await TablesWithTenantIndexAsync(database));

        await using (var red = For(database, TenantKeyStyle.IdOnly, "Red"))
        {
            red.Add(new Machine { Id = 1, Name = "Red", Parts = { new Part { Id = 1 } } });
            await red.SaveChangesAsync();
        }

        await using (var red = For(database, TenantKeyStyle.IdOnly, "Red"))
        {
            var refusal = await Assert.ThrowsAsync<InvalidOperationException>(
                () => red.Set<Part>().Where(p => p.TenantIsOneOf("Red")).Select(p => p.Machine!.Name).ToListAsync());
            Assert.Contains("'Part.Machine': with TenantKeyStyle.IdOnly", refusal.Message, StringComparison.Ordinal);
        }

        var before = await RowsAsync(database);
        foreach (var attack in Attacks)
        {
            await using var green = For(database, TenantKeyStyle.IdOnly, "Green");
            await attack(green);
            Assert.Equal(before, await RowsAsync(database));
        }

        await using (var red = For(database, TenantKeyStyle.IdOnly, "Red"))
        {
            red.Update(new Machine { Id = 1, Name = "changed" });
            await red.SaveChangesAsync();
            Assert.Equal("changed", (await red.FindAsync<Machine>(1))!.Name);
            red.Add(new Part { Id = 3, MachineId = 1 });
            red.Add(new Part { Id = 4, Machine = new Machine { Id = 4, Name = "Red" } });
            await red.SaveChangesAsync();
        }

        Assert.Equal(["1 changed", "4 Red"], await MachinesAsync(database));
    }

    private static readonly Func<MachineContext, Task>[] Attacks =
    [
        async green => Assert.Empty(await green.Set<Machine>().ToListAsync()),
        async green => Assert.Null(await green.FindAsync<Machine>(1)),
        green => RefusedAsync<DbUpdateConcurrencyException>(green, () => green.Update(new Machine { Id = 1, Name = "stolen" })),
        green => RefusedAsync<DbUpdateConcurrencyException>(green, () => green.Remove(new Machine { Id = 1, Name = "" })),
        green => RefusedAsync<DbUpdateConcurrencyException>(
            green, () => green.Attach(new Machine { Id = 1, Name = "" }).Property(m => m.Name).CurrentValue = "stolen"),
        green => RefusedAsync<DbUpdateException>(green, () => green.Add(new Machine { Id = 1, Name = "taken" })),

        // References, by value, to a claimed row, by navigation, and by changing one's own row.
        green => RefusedAsync<DbUpdateException>(green, () => green.Add(new Part { Id = 2, MachineId = 1 })),
        green => RefusedAsync<DbUpdateException>(
            green, () => green.Add(new Part { Id = 2, Machine = green.Attach(new Machine { Id = 1, Name = "" }).Entity })),
        green => RefusedAsync<DbUpdateException>(green, () => green.Update(new Part { Id = 2, MachineId = 1 })),
        async green =>
        {
            var red = green.Tenancy().ForTenant("Red").Find<Machine>(1)!;
            await RefusedAsync<DbUpdateException>(green, () => green.Add(new Part { Id = 2, Machine = red }));
        },
        async green => Assert.Equal(0, await green.Set<Machine>().ExecuteDeleteAsync()),
        async green => await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Set<Part>().ExecuteUpdateAsync(s => s.SetProperty(p => p.MachineId, 1))),

        async green => await Assert.ThrowsAsync<NotSupportedException>(
            () => green.Tenancy().BulkInsertAsync([new Part { Id = 2, MachineId = 1 }])),

        // A reference does not bind rows to a tenant here, so no predicate may stand in for the filter of what it leads to.
        async green => await Assert.ThrowsAsync<InvalidOperationException>(
            () => green.Set<Part>().Where(p => p.TenantIsOneOf("Green")).Select(p => p.Machine!.Name).ToListAsync()),
    ];

    [Fact]
    public async Task IdOnly_finds_no_tracked_row_of_another_tenant()
    {
        await using var database = await CreateAsync(TenantKeyStyle.IdOnly);
        foreach (var (id, tenant) in ((int, string)[])[(1, "Green"), (2, "Red")])
        {
            await using var db = For(database, TenantKeyStyle.IdOnly, tenant);
            db.Add(new Machine { Id = id, Name = tenant });
            await db.SaveChangesAsync();
        }

        await using var green = For(database, TenantKeyStyle.IdOnly, "Green");
        using (green.Tenancy().AcrossTenants("all are tracked"))
        {
            Assert.Equal(2, (await green.Set<Machine>().ToListAsync()).Count);
            Assert.Equal("Red", green.Find<Machine>(2)!.Name);
        }

        Assert.Null(green.Find<Machine>(2));
        Assert.Null(await green.FindAsync<Machine>(2));
        Assert.Null(green.Set<Machine>().Local.FindEntry(2));
        Assert.Equal("Green", green.Find<Machine>(1)!.Name);
        Assert.Equal("Green", (await green.FindAsync<Machine>(1))!.Name);
        Assert.Equal("Green", green.Set<Machine>().Local.FindEntry(1)!.Entity.Name);
        Assert.Null(green.Tenancy().ForTenant("Red").Find<Machine>(1));
        Assert.Null(await green.Tenancy().ForTenant("Red").FindAsync<Machine>([1]));
        Assert.Equal("Red", green.Tenancy().ForTenant("Red").Find<Machine>(2)!.Name);
    }

    [Fact]
    public void IdOnly_is_refused_where_the_tenant_could_not_be_looked_for()
    {
        using var partitioned = new MachineContext(Options(null, TenantKeyStyle.IdOnly, partition: true));
        Assert.Contains(
            "'Machine' is partitioned by tenant", Assert.Throws<InvalidOperationException>(() => partitioned.Model).Message, StringComparison.Ordinal);

        using var tpt = new TptContext(
            new DbContextOptionsBuilder<TptContext>().UseTestDatabase("Host=nowhere")
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdOnly)).Options);
        Assert.Contains(
            "'Robot' is mapped to several tables", Assert.Throws<InvalidOperationException>(() => tpt.Model).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task IdOnly_wants_procedures_that_look_for_the_tenant()
    {
        using var careless = new PumpContext<bool>(Procedures<PumpContext<bool>>(null));
        Assert.Contains(
            "'Pump' is updated by the stored procedure 'set_pump'",
            Assert.Throws<InvalidOperationException>(() => careless.Model).Message,
            StringComparison.Ordinal);

        await using var database = await postgres.CreateDatabaseAsync();
        foreach (var tenant in (string[])["Green", "Red", "Green"])
        {
            await using var db = new PumpContext<string>(Procedures<PumpContext<string>>(database));
            if (await db.Database.EnsureCreatedAsync())
            {
                await database.ExecuteAsync(
                    """
                    CREATE PROCEDURE set_pump(id int, tenant text, name text) LANGUAGE sql
                    AS 'UPDATE "Pump" SET "Name" = name WHERE "Id" = id AND "TenantId" = tenant';
                    INSERT INTO "Pump" ("Id", "TenantId", "Name") VALUES (1, 'Red', 'red')
                    """);
            }

            db.Tenancy().Use(tenant);
            db.Update(new Pump { Id = 1, Name = tenant });
            await db.SaveChangesAsync();
        }

        Assert.Equal(["Red Red"], await database.ColumnAsync("""SELECT "TenantId" || ' ' || "Name" FROM "Pump" """));
    }

    private static DbContextOptions<TContext> Procedures<TContext>(TestDatabase? database)
        where TContext : DbContext
        => new DbContextOptionsBuilder<TContext>().UseTestDatabase(database?.ConnectionString ?? "Host=nowhere")
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdOnly)).Options;

    private static async Task RefusedAsync<TException>(MachineContext db, Action change)
        where TException : Exception
    {
        // Adding what is tracked as another's is refused by EF itself.
        if (Record.Exception(change) is { } refused)
        {
            Assert.Equal(typeof(InvalidOperationException), refused.GetType());
            return;
        }

        await Assert.ThrowsAsync<TException>(() => db.SaveChangesAsync());
    }

    private async Task<TestDatabase> CreateAsync(TenantKeyStyle style)
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var db = new MachineContext(Options(database, style));
        await db.Database.EnsureCreatedAsync();
        return database;
    }

    private static MachineContext For(TestDatabase database, TenantKeyStyle style, string tenant)
    {
        var context = new MachineContext(Options(database, style));
        context.Tenancy().Use(tenant);
        return context;
    }

    private static DbContextOptions<MachineContext> Options(TestDatabase? database, TenantKeyStyle style, bool partition = false)
        => new DbContextOptionsBuilder<MachineContext>().UseTestDatabase(database?.ConnectionString ?? "Host=nowhere").UseTenancy(
            t =>
            {
                t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style);
                if (partition)
                {
                    t.PartitionMultiTenantedEntities(x => x.ByHash("a", "b"));
                }
            }).Options;

    private static Task<List<string>> ConstraintsAsync(TestDatabase database)
        => database.ColumnAsync(
            "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text LIKE '\"%' AND contype IN ('p', 'f') ORDER BY 1");

    private static Task<List<string>> TablesWithTenantIndexAsync(TestDatabase database)
        => database.ColumnAsync(
            "SELECT tablename FROM pg_indexes WHERE indexdef LIKE '%btree (\"TenantId\")' ORDER BY 1");

    private static Task<List<string>> MachinesAsync(TestDatabase database)
        => database.ColumnAsync("""SELECT "Id" || ' ' || "Name" FROM "Machines" ORDER BY "Id" """);

    private static Task<List<string>> RowsAsync(TestDatabase database)
        => database.ColumnAsync("""SELECT m::text || m.ctid || m.xmin FROM "Machines" m UNION ALL SELECT p::text || p.ctid || p.xmin FROM "Parts" p""");

    /// <typeparam name="TProcedure">A bool for procedures that set the tenant, a string for those that look for it.</typeparam>
    private sealed class PumpContext<TProcedure>(DbContextOptions<PumpContext<TProcedure>> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Pump>().UpdateUsingStoredProcedure(
                "set_pump",
                p => _ = typeof(TProcedure) == typeof(bool)
                    ? p.HasOriginalValueParameter(x => x.Id).HasParameter(x => x.TenantId).HasParameter(x => x.Name)
                    : p.HasOriginalValueParameter(x => x.Id).HasOriginalValueParameter(x => x.TenantId).HasParameter(x => x.Name));
    }

    private sealed class Pump
    {
        public int Id { get; set; }

        public string? TenantId { get; set; }

        public required string Name { get; set; }
    }

    private sealed class MachineContext(DbContextOptions<MachineContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Machine>().ToTable("Machines").Property(m => m.Id).ValueGeneratedNever();
            modelBuilder.Entity<Part>().ToTable("Parts").Property(p => p.Id).ValueGeneratedNever();
        }
    }

    private sealed class TptContext(DbContextOptions<TptContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Robot>().UseTptMappingStrategy().HasBaseType<Machine>();
    }

    private sealed class CatalogContext(DbContextOptions<CatalogContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Catalog>()
                .OwnsOne(c => c.Cover, cover => cover.ToJson())
                .OwnsMany(c => c.Pages, page => page.ToJson().OwnsMany(p => p.Notes));
    }

    private sealed class Catalog
    {
        public int Id { get; set; }

        public Note? Cover { get; set; }

        public List<Page> Pages { get; } = [];
    }

    private sealed class LedgerContext(DbContextOptions<LedgerContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Ledger>(
                ledger =>
                {
                    ledger.HasKey(l => new { l.TenantId, l.Id });
                    ledger.OwnsOne(l => l.Cover);
                    ledger.OwnsOne(l => l.Back, back => back.ToJson());
                    ledger.OwnsMany(l => l.Pages, page => page.ToJson().Ignore(p => p.Notes));
                    ledger.OwnsMany(l => l.Notes, note => note.ToTable("Notes").Property<int>("Id"));
                });
    }

    private sealed class Ledger
    {
        public string? TenantId { get; set; }

        public int Id { get; set; }

        public Note? Cover { get; set; }

        public Note? Back { get; set; }

        public List<Page> Pages { get; } = [];

        public List<Note> Notes { get; } = [];
    }

    private sealed class Page
    {
        public required string Title { get; set; }

        public List<Note> Notes { get; } = [];
    }

    private sealed class Note
    {
        public required string Text { get; set; }
    }

    private class Machine
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Part> Parts { get; } = [];
    }

    private sealed class Robot : Machine
    {
        public int Arms { get; set; }
    }

    private sealed class Part
    {
        public int Id { get; set; }

        public int MachineId { get; set; }

        public Machine? Machine { get; set; }
    }
}
