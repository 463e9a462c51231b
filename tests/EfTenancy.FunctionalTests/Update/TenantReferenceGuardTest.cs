using System.Data.Common;
using EfTenancy.Diagnostics;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

/// <summary>
///     References where keys are ids only and the database would take any. Red has machine 1, site (1, 2), thing 1 and part -1; Green has machines
///     2 and 3, sites (1, 9), (5, 5) and (6, 6), and thing 2. Machine n has the code 100 + n.
/// </summary>
public class TenantReferenceGuardTest(PostgresFixture postgres)
{
    public static TheoryData<string> References
        => new(Foreign.Keys);

    private static readonly Dictionary<string, Part> Foreign = new()
    {
        ["by key"] = new() { Id = 1, MachineId = 1 },
        ["by another reference"] = new() { Id = 1, MachineId = 2, SpareId = 1 },
        ["by alternate key"] = new() { Id = 1, MachineCode = 101 },
        ["by composite key, half of which is one's own"] = new() { Id = 1, SiteA = 1, SiteB = 2 },
        ["to a shared-type entity"] = new() { Id = 1, ThingId = 1 },
        ["from a derived type"] = new SpecialPart { Id = 1, MachineId = 1 },
        ["of a derived type"] = new SpecialPart { Id = 1, TwinId = -1 },
    };

    [Theory]
    [MemberData(nameof(References))]
    public async Task Reference_to_a_foreign_row_is_refused(string reference)
    {
        await using var database = await CreateAsync();

        // Beside one that is allowed, each way to save.
        await using (var db = For(database, "Green"))
        {
            db.AddRange(Foreign[reference], new Part { Id = 2, MachineId = 2, SpareId = 3, MachineCode = 102, SiteA = 5, SiteB = 5, ThingId = 2 });
            await RefusedAsync(() => db.SaveChangesAsync());
            await RefusedAsync(() => Task.FromResult(db.SaveChanges()));
        }

        Assert.Equal(0L, await PartsAsync(database));
    }

    [Fact]
    public async Task Refusal_names_both_sides_and_is_an_event()
    {
        await using var database = await CreateAsync();
        var events = new List<EventData>();
        await using var db = For(database, "Green", o => o.LogTo((id, _) => id == TenancyEventId.CrossTenantWriteRefused, events.Add));
        db.Add(new Part { Id = 1, MachineId = 1 });

        var exception = await RefusedAsync(() => db.SaveChangesAsync());

        Assert.All(["'Part'", "'Machine'", "{MachineId}", "'Green'"], part => Assert.Contains(part, exception.Message, StringComparison.Ordinal));
        Assert.Contains(exception.Message, Assert.Single(events).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Own_rows_can_be_referenced_in_every_way()
    {
        await using var database = await CreateAsync();
        await using var db = For(database, "Green");

        // Several times the same row, several rows, rows of everyone, no rows, and half of a composite key, which references nothing.
        db.AddRange(
            new Part { Id = 1, MachineId = 2, SpareId = 2, MachineCode = 102, SiteA = 5, SiteB = 5, ThingId = 2, CountryId = 1 },
            new Part { Id = 2, MachineId = 2, SpareId = 3, MachineCode = 103, SiteA = 6, SiteB = 6, ThingId = 2, CountryId = 1 },
            new Part { Id = 3, SiteA = 1 },
            new Part { Id = 4 },
            new SpecialPart { Id = 5, Machine = new Machine { Id = 4, Code = 104 } });
        await db.SaveChangesAsync();
        db.Add(new SpecialPart { Id = 6, TwinId = 5, MachineId = 4 });
        db.SaveChanges();

        Assert.Equal(6L, await PartsAsync(database));
    }

    [Fact]
    public async Task Own_rows_that_a_filter_hides_can_be_referenced()
    {
        await using var database = await CreateAsync();
        await database.ExecuteAsync("""UPDATE "Machine" SET "IsHidden" = true""");
        await using var db = For(database, "Green");

        db.Add(new Part { Id = 1, MachineId = 2 });
        await db.SaveChangesAsync();

        Assert.Equal(1L, await PartsAsync(database));
    }

    [Fact]
    public async Task Changing_a_reference_to_a_foreign_row_is_refused()
    {
        await using var database = await CreateAsync();
        await using var db = For(database, "Green");
        var part = new Part { Id = 1, MachineId = 2, SiteA = 1, SiteB = 9 };
        db.Add(part);
        await db.SaveChangesAsync();

        part.MachineId = 1;
        await RefusedAsync(() => db.SaveChangesAsync());
        part.MachineId = 2;

        // One column of two.
        part.SiteB = 2;
        await RefusedAsync(() => Task.FromResult(db.SaveChanges()));

        Assert.Equal(["2 1 9"], await database.ColumnAsync("""SELECT concat_ws(' ', "MachineId", "SiteA", "SiteB") FROM "Part" WHERE "Id" = 1"""));
    }

    [Fact]
    public async Task Rows_of_two_tenants_are_saved_together_but_not_across()
    {
        await using var database = await CreateAsync();

        await using (var db = For(database, "Green"))
        {
            db.Add(new Part { Id = 1, MachineId = 2 });
            db.Tenancy().ForTenant("Red").Add(new Part { Id = 2, MachineId = 1 });
            await db.SaveChangesAsync();
        }

        await using (var db = For(database, "Green"))
        {
            db.Add(new Part { Id = 3, MachineId = 1 });
            db.Tenancy().ForTenant("Red").Add(new Part { Id = 4, MachineId = 1 });
            await RefusedAsync(() => db.SaveChangesAsync());
        }

        Assert.Equal(2L, await PartsAsync(database));
    }

    [Fact]
    public async Task A_claimed_id_does_not_give_a_tracked_row_of_another_tenant_away()
    {
        await using var database = await CreateAsync();
        await using var db = For(
            database,
            "Green",
            o => o.AddInterceptors(new UpdatingIdentityResolutionInterceptor(preserveModifiedValues: false, updateOriginalValues: true)));
        using (db.Tenancy().AcrossTenants("a test"))
        {
            await db.Set<Part>().LoadAsync();
        }

        db.Update(new SpecialPart { Id = -1, MachineId = 2 });
        Assert.Equal(EntityState.Modified, Assert.Single(db.ChangeTracker.Entries<Part>()).State);
        await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync());
        Assert.Equal(
            ["Red"], await database.ColumnAsync("""SELECT concat("TenantId", "MachineId") FROM "Part" WHERE "Id" = -1"""));
    }

    [Fact]
    public async Task A_row_does_not_go_to_another_tenant_with_its_references()
    {
        await using var database = await CreateAsync();
        await using var db = For(database, "Green");
        db.Add(new Part { Id = 1, MachineId = 2 });
        await db.SaveChangesAsync();
        using (db.Tenancy().AcrossTenants("a test"))
        {
            foreach (var moved in (object[])[await db.Set<Part>().SingleAsync(p => p.Id == 1), await db.Set<Machine>().SingleAsync(m => m.Id == 2)])
            {
                var tenant = db.Entry(moved).Property("TenantId");
                tenant.CurrentValue = "Red";
                var refused = await Assert.ThrowsAsync<CrossTenantWriteException>(() => db.SaveChangesAsync());
                Assert.Contains("belongs to tenant 'Green' and was given the tenant 'Red'", refused.Message, StringComparison.Ordinal);
                tenant.CurrentValue = "Green";
            }
        }

        Assert.Equal(
            ["Green 1", "Green 2"],
            await database.ColumnAsync(
                """
                SELECT "TenantId" || ' ' || "Id" FROM "Part" WHERE "Id" = 1 UNION ALL SELECT "TenantId" || ' ' || "Id" FROM "Machine" WHERE "Id" = 2
                """));
    }

    [Fact]
    public async Task Reference_to_a_new_row_of_another_tenant_is_refused()
    {
        await using var database = await CreateAsync();
        await using var db = For(database, "Green");
        var machine = new Machine { Id = 7, Code = 107 };
        db.Tenancy().ForTenant("Red").Add(machine);
        db.Add(new Part { Id = 1, MachineId = 7 });

        await RefusedAsync(() => db.SaveChangesAsync());

        Assert.Equal(0L, await database.ScalarAsync<long>("""SELECT count(*) FROM "Machine" WHERE "Id" = 7"""));
    }

    [Fact]
    public async Task Only_references_that_are_written_are_looked_up()
    {
        await using var database = await CreateAsync();
        var selects = new Selects();
        await using var db = For(database, "Green", o => o.AddInterceptors(selects));
        var part = new Part { Id = 1, MachineId = 2 };
        db.Add(part);
        await db.SaveChangesAsync();
        Assert.Equal(1, selects.Count);

        part.Name = "changed";
        await db.SaveChangesAsync();
        db.Remove(part);
        await db.SaveChangesAsync();
        Assert.Equal(1, selects.Count);
    }

    [Fact]
    public async Task Nothing_is_looked_up_where_the_database_does()
    {
        await using var database = await CreateAsync(TenantKeyStyle.TenantThenId);
        var selects = new Selects();
        await using var db = For(database, "Green", o => o.AddInterceptors(selects), TenantKeyStyle.TenantThenId);

        db.Add(new Part { Id = 1, MachineId = 2 });
        await db.SaveChangesAsync();

        Assert.Equal(0, selects.Count);
    }

    [Fact]
    public async Task New_rows_of_one_tenant_reference_each_other_though_its_values_are_never_equal()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await using var db = new CodedContext(
            new DbContextOptionsBuilder<CodedContext>().UseTestDatabase(database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdOnly)).Options);
        await db.Database.EnsureCreatedAsync();
        db.Tenancy().Use("Green");
        var shelf = new Shelf { Id = 1 };

        db.Tenancy().ForTenant("Red").Add(shelf);
        db.Tenancy().ForTenant("Red").Add(new Box { Id = 1, ShelfId = 1 });
        await db.SaveChangesAsync();
        db.Add(new Shelf { Id = 2 });
        db.Tenancy().ForTenant("Red").Add(new Box { Id = 2, ShelfId = 2 });

        await RefusedAsync(() => db.SaveChangesAsync());
        Assert.Equal(["1 Red"], await database.ColumnAsync("""SELECT "Id" || ' ' || "TenantId" FROM "Box" """));
    }

    [Fact]
    public async Task Keys_are_compared_as_the_model_compares_them()
    {
        await using var database = await CreateVariedAsync();
        await using var db = VariedFor(database, "Green");
        db.AddRange(new Lock { Id = [7, 7] }, new Lock { Id = [8] });
        await db.SaveChangesAsync();
        db.ChangeTracker.Clear();

        // Two arrays, one key.
        db.AddRange(new Gate { Id = 1, LockId = [7, 7] }, new Gate { Id = 2, LockId = [7, 7] }, new Gate { Id = 3, LockId = [8] });
        await db.SaveChangesAsync();
        db.Add(new Gate { Id = 4, LockId = [1] });
        await RefusedAsync(() => db.SaveChangesAsync());

        Assert.Equal(["0707", "0707", "08"], await database.ColumnAsync("""SELECT encode("LockId", 'hex') FROM "Gate" ORDER BY "Id" """));
    }

    [Fact]
    public async Task Owned_rows_of_owned_rows_are_written_and_those_of_a_foreign_owner_refused()
    {
        await using var database = await CreateVariedAsync();
        await using (var db = VariedFor(database, "Green"))
        {
            db.Add(new Building { Id = 2, Floors = { new Floor { Rooms = { new Room { Name = "first" } } } } });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();

            var building = await db.Set<Building>().SingleAsync();
            building.Floors[0].Rooms.Add(new Room { Name = "second" });
            building.Floors.Add(new Floor { Rooms = { new Room { Name = "third" } } });
            await db.SaveChangesAsync();
        }

        await using (var db = VariedFor(database, "Green"))
        {
            var claimed = new Building { Id = 1, Floors = { new Floor { Id = await database.ScalarAsync<int>("""SELECT min("Id") FROM "Floor" """) } } };
            db.Attach(claimed);
            claimed.Floors[0].Rooms.Add(new Room { Name = "stolen" });
            await RefusedAsync(() => db.SaveChangesAsync());
        }

        Assert.Equal(
            ["Green first", "Green second", "Green third", "Red attic"],
            await database.ColumnAsync("""SELECT "TenantId" || ' ' || "Name" FROM "Room" ORDER BY "TenantId", "Name" """));
    }

    [Fact]
    public async Task References_are_to_rows_of_a_table_whatever_their_type_as_in_the_database()
    {
        await using var database = await CreateVariedAsync();
        await using var db = VariedFor(database, "Green");
        db.AddRange(new Repair { Id = 2 }, new Inspection { Id = 3 });
        await db.SaveChangesAsync();

        // Two foreign keys on one column, for two types of one table.
        db.AddRange(new Bill { Id = 2, JobId = 2 }, new Bill { Id = 3, JobId = 3 });
        await db.SaveChangesAsync();
        db.AddRange(new Repair { Id = 5 }, new Bill { Id = 5, JobId = 5 });
        await db.SaveChangesAsync();
        db.Add(new Bill { Id = 4, JobId = 1 });
        await RefusedAsync(() => db.SaveChangesAsync());

        Assert.Equal(["2", "3", "5"], await database.ColumnAsync("""SELECT "JobId"::text FROM "Bill" ORDER BY "Id" """));
    }

    [Fact]
    public async Task An_own_row_with_the_same_id_in_another_table_of_the_hierarchy_opens_no_foreign_row()
    {
        await using var database = await CreateVariedAsync();
        await using (var db = VariedFor(database, "Green"))
        {
            db.AddRange(new Dog { Id = 1 }, new Collar { Id = 1, CatId = 1 });
            await RefusedAsync(() => db.SaveChangesAsync());
        }

        await using (var db = VariedFor(database, "Green"))
        {
            db.Add(new Dog { Id = 1 });
            await db.SaveChangesAsync();
            db.Add(new Collar { Id = 1, CatId = 1 });
            await RefusedAsync(() => db.SaveChangesAsync());
        }

        await using (var db = VariedFor(database, "Green"))
        {
            db.AddRange(new Cat { Id = 2 }, new Collar { Id = 2, CatId = 2 });
            await db.SaveChangesAsync();
            db.Add(new Collar { Id = 3, CatId = 2 });
            await db.SaveChangesAsync();
        }

        Assert.Equal(["2", "2"], await database.ColumnAsync("""SELECT "CatId"::text FROM "Collar" """));
    }

    [Fact]
    public async Task Parts_of_a_row_are_written_with_it()
    {
        await using var database = await CreateVariedAsync();
        await using (var db = VariedFor(database, "Green"))
        {
            db.AddRange(new Vehicle { Id = 2 }, new Tank { Id = 2, Litres = 50 });
            await db.SaveChangesAsync();
        }

        await using (var db = VariedFor(database, "Green"))
        {
            db.Attach(new Vehicle { Id = 1 });
            db.Add(new Tank { Id = 1, Litres = 70 });
            await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync());
        }

        Assert.Equal(["Red ", "Green 50"], await database.ColumnAsync("""SELECT concat("TenantId", ' ', "Litres") FROM "Vehicle" ORDER BY "Id" """));
    }

    private async Task<TestDatabase> CreateVariedAsync()
    {
        var database = await postgres.CreateDatabaseAsync();
        await using var db = VariedFor(database, "Red");
        await db.Database.EnsureCreatedAsync();
        db.AddRange(
            new Lock { Id = [1] },
            new Building { Id = 1, Floors = { new Floor { Rooms = { new Room { Name = "attic" } } } } },
            new Repair { Id = 1 },
            new Cat { Id = 1 },
            new Vehicle { Id = 1 });
        await db.SaveChangesAsync();
        return database;
    }

    private static VariedContext VariedFor(TestDatabase database, string tenant)
    {
        var context = new VariedContext(
            new DbContextOptionsBuilder<VariedContext>().UseTestDatabase(database.ConnectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(TenantKeyStyle.IdOnly)).Options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private async Task<TestDatabase> CreateAsync(TenantKeyStyle style = TenantKeyStyle.IdOnly)
    {
        var database = await postgres.CreateDatabaseAsync();
        await using (var db = For(database, "Red", style: style))
        {
            await db.Database.EnsureCreatedAsync();
            db.AddRange(new Country { Id = 1 }, new Machine { Id = 1, Code = 101 }, new Site { A = 1, B = 2 }, new SpecialPart { Id = -1 });
            db.Things.Add(new() { ["Id"] = 1 });
            await db.SaveChangesAsync();
        }

        await using (var db = For(database, "Green", style: style))
        {
            db.AddRange(
                new Machine { Id = 2, Code = 102 }, new Machine { Id = 3, Code = 103 },
                new Site { A = 1, B = 9 }, new Site { A = 5, B = 5 }, new Site { A = 6, B = 6 });
            db.Things.Add(new() { ["Id"] = 2 });
            await db.SaveChangesAsync();
        }

        return database;
    }

    // As a reference to a row that is not there.
    private static async Task<CrossTenantWriteException> RefusedAsync(Func<Task> save)
        => Assert.IsType<CrossTenantWriteException>((await Assert.ThrowsAsync<DbUpdateException>(save)).InnerException);

    // Red's part -1 is there to be referenced.
    private static Task<long> PartsAsync(TestDatabase database)
        => database.ScalarAsync<long>("""SELECT count(*) FROM "Part" WHERE "Id" <> -1""");

    private static GuardContext For(
        TestDatabase database,
        string tenant,
        Action<DbContextOptionsBuilder>? configure = null,
        TenantKeyStyle style = TenantKeyStyle.IdOnly)
    {
        var options = new DbContextOptionsBuilder<GuardContext>().UseTestDatabase(database.ConnectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantKeyStyle(style));
        configure?.Invoke(options);
        var context = new GuardContext(options.Options);
        context.Tenancy().Use(tenant);
        return context;
    }

    private sealed class Selects : DbCommandInterceptor
    {
        public int Count { get; private set; }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command,
            CommandEventData eventData,
            InterceptionResult<DbDataReader> result,
            CancellationToken cancellationToken = default)
        {
            Count += command.CommandText.StartsWith("SELECT", StringComparison.Ordinal) ? 1 : 0;
            return base.ReaderExecutingAsync(command, eventData, result, cancellationToken);
        }
    }

    private sealed class GuardContext(DbContextOptions<GuardContext> options) : DbContext(options)
    {
        public DbSet<Dictionary<string, object>> Things => Set<Dictionary<string, object>>("Thing");

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Country>().IsSingleTenanted().Property(c => c.Id).ValueGeneratedNever();
            modelBuilder.Entity<Machine>(
                machine =>
                {
                    machine.HasAlternateKey(m => m.Code);
                    machine.Property(m => m.Id).ValueGeneratedNever();
                    machine.HasQueryFilter("Hidden", m => !m.IsHidden);
                });
            modelBuilder.Entity<Site>().HasKey(s => new { s.A, s.B });
            modelBuilder.SharedTypeEntity<Dictionary<string, object>>(
                "Thing", thing => thing.IndexerProperty<int>("Id").ValueGeneratedNever());
            modelBuilder.Entity<Part>(
                part =>
                {
                    part.Property(p => p.Id).ValueGeneratedNever();
                    part.HasOne<Country>().WithMany().HasForeignKey(p => p.CountryId);
                    part.HasOne(p => p.Machine).WithMany().HasForeignKey(p => p.MachineId);
                    part.HasOne<Machine>().WithMany().HasForeignKey(p => p.SpareId);
                    part.HasOne<Machine>().WithMany().HasForeignKey(p => p.MachineCode).HasPrincipalKey(m => m.Code);
                    part.HasOne<Site>().WithMany().HasForeignKey(p => new { p.SiteA, p.SiteB });
                    part.HasOne("Thing", null).WithMany().HasForeignKey(nameof(Part.ThingId));
                });
            modelBuilder.Entity<SpecialPart>().HasOne<SpecialPart>().WithMany().HasForeignKey(p => p.TwinId);
        }
    }

    private sealed class VariedContext(DbContextOptions<VariedContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Gate>().Property(g => g.Id).ValueGeneratedNever();
            modelBuilder.Entity<Gate>().HasOne<Lock>().WithMany().HasForeignKey(g => g.LockId);
            modelBuilder.Entity<Building>(
                building =>
                {
                    building.Property(b => b.Id).ValueGeneratedNever();
                    building.OwnsMany(
                        b => b.Floors,
                        floor =>
                        {
                            floor.ToTable("Floor").HasKey(f => f.Id);
                            floor.OwnsMany(f => f.Rooms).ToTable("Room");
                        });
                });
            modelBuilder.Entity<Job>().Property(j => j.Id).ValueGeneratedNever();
            modelBuilder.Entity<Repair>().HasMany<Bill>().WithOne().HasForeignKey(b => b.JobId);
            modelBuilder.Entity<Inspection>().HasMany<Bill>().WithOne().HasForeignKey(b => b.JobId);
            modelBuilder.Entity<Bill>().Property(b => b.Id).ValueGeneratedNever();
            modelBuilder.Entity<Animal>().UseTpcMappingStrategy().Property(a => a.Id).ValueGeneratedNever();
            modelBuilder.Entity<Dog>();
            modelBuilder.Entity<Cat>().HasMany<Collar>().WithOne().HasForeignKey(c => c.CatId);
            modelBuilder.Entity<Collar>().Property(c => c.Id).ValueGeneratedNever();
            modelBuilder.Entity<Vehicle>().ToTable("Vehicle").Property(v => v.Id).ValueGeneratedNever();
            modelBuilder.Entity<Engine>().ToTable("Vehicle").HasOne<Vehicle>().WithOne().HasForeignKey<Engine>(e => e.Id);
            modelBuilder.Entity<Tank>().ToTable("Vehicle").HasOne<Vehicle>().WithOne().HasForeignKey<Tank>(t => t.Id);
            modelBuilder.Entity<Tank>().HasOne<Engine>().WithOne().HasForeignKey<Tank>(t => t.Id);
        }
    }

    private sealed class Lock
    {
        public byte[] Id { get; set; } = [];
    }

    private sealed class Gate
    {
        public int Id { get; set; }

        public byte[]? LockId { get; set; }
    }

    private sealed class Building
    {
        public int Id { get; set; }

        public List<Floor> Floors { get; } = [];
    }

    private sealed class Floor
    {
        public int Id { get; set; }

        public List<Room> Rooms { get; } = [];
    }

    private sealed class Room
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    private abstract class Job
    {
        public int Id { get; set; }
    }

    private sealed class Repair : Job;

    private sealed class Inspection : Job;

    private sealed class Bill
    {
        public int Id { get; set; }

        public int JobId { get; set; }
    }

    private abstract class Animal
    {
        public int Id { get; set; }
    }

    private sealed class Cat : Animal;

    private sealed class Dog : Animal;

    private sealed class Collar
    {
        public int Id { get; set; }

        public int CatId { get; set; }
    }

    private sealed class Vehicle
    {
        public int Id { get; set; }
    }

    private sealed class Engine
    {
        public int Id { get; set; }

        public int Power { get; set; }
    }

    private sealed class Tank
    {
        public int Id { get; set; }

        public int Litres { get; set; }
    }

    private sealed class CodedContext(DbContextOptions<CodedContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Shelf>(
                shelf =>
                {
                    shelf.Property(s => s.Id).ValueGeneratedNever();
                    shelf.Property(s => s.TenantId).HasConversion(c => c!.Text, t => new Code { Text = t });
                });
            modelBuilder.Entity<Box>(
                box =>
                {
                    box.Property(b => b.Id).ValueGeneratedNever();
                    box.Property(b => b.TenantId).HasConversion(c => c!.Text, t => new Code { Text = t });
                    box.HasOne<Shelf>().WithMany().HasForeignKey(b => b.ShelfId);
                });
        }
    }

    private sealed class Code
    {
        public required string Text { get; init; }
    }

    private sealed class Shelf
    {
        public int Id { get; set; }

        public Code? TenantId { get; set; }
    }

    private sealed class Box
    {
        public int Id { get; set; }

        public int ShelfId { get; set; }

        public Code? TenantId { get; set; }
    }

    private sealed class Country
    {
        public int Id { get; set; }
    }

    private sealed class Machine
    {
        public int Id { get; set; }

        public int Code { get; set; }

        public bool IsHidden { get; set; }
    }

    private sealed class Site
    {
        public int A { get; set; }

        public int B { get; set; }
    }

    private class Part
    {
        public int Id { get; set; }

        public string? Name { get; set; }

        public int? CountryId { get; set; }

        public int? MachineId { get; set; }

        public Machine? Machine { get; set; }

        public int? SpareId { get; set; }

        public int? MachineCode { get; set; }

        public int? SiteA { get; set; }

        public int? SiteB { get; set; }

        public int? ThingId { get; set; }
    }

    private sealed class SpecialPart : Part
    {
        public int? TwinId { get; set; }
    }
}
