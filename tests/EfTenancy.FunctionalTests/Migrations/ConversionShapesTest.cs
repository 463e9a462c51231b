using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Tables of every shape that EF makes, with rows, begin to follow the registry, and stop.</summary>
public class ConversionShapesTest(PostgresFixture postgres) : IAsyncLifetime
{
    private TestDatabase _database = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task Keys_references_rows_and_files_stay_and_tenants_work_on()
    {
        var contexts = new ConversionContexts(_database.ConnectionString, Model);
        await contexts.CreatePlainAsync();
        foreach (var tenant in (string[])["a", "b", TenancyDefaults.DefaultTenantId])
        {
            await WriteAsync(contexts.Plain, tenant);
        }

        var (rows, keys, files) = (await ChecksumsAsync(), await KeysAsync(), await FilesAsync());
        Assert.Equal(11, rows.Count);

        await contexts.ConvertAsync();

        Assert.Equal(rows, await ChecksumsAsync());
        Assert.Equal(keys, await KeysAsync());
        Assert.Equal(files, await FilesAsync());
        Assert.False(contexts.HasDifferences());
        Assert.Equal(11, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'p'"));
        await using var managed = contexts.Managed();
        var tenants = managed.Tenancy().Administration;
        Assert.Empty(await tenants.RepairAsync());
        await tenants.AddAsync(["c"]);
        await WriteAsync(contexts.Managed, "c");
        await tenants.SplitAsync(["a"]);
        await WriteAsync(contexts.Managed, "a");
        await tenants.RemoveAsync(["b"]);
        await Assert.ThrowsAsync<UnknownTenantException>(() => WriteAsync(contexts.Managed, "b"));
        await WriteAsync(contexts.Managed, TenancyDefaults.DefaultTenantId);
        Assert.Empty(await tenants.RepairAsync());

        rows = await ChecksumsAsync();
        await contexts.ConvertBackAsync();
        Assert.Equal(rows, await ChecksumsAsync());
        Assert.Equal(keys, await KeysAsync());
        await WriteAsync(contexts.Plain, "c");

        rows = await ChecksumsAsync();
        await contexts.ConvertAsync();
        Assert.Equal(rows, await ChecksumsAsync());
        Assert.Equal(keys, await KeysAsync());
        Assert.Empty(await tenants.RepairAsync());
        foreach (var tenant in (string[])["a", "c", TenancyDefaults.DefaultTenantId])
        {
            await WriteAsync(contexts.Managed, tenant);
        }
    }

    private static void Model(ModelBuilder modelBuilder)
    {
        // Two tables in a circle, one of which references itself; owned ones; a join table; tables for each type.
        modelBuilder.Entity<Crew>().HasOne<Vessel>().WithMany().HasForeignKey(c => c.VesselId).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<Vessel>().HasOne<Crew>().WithMany().HasForeignKey(v => v.OwnerId).OnDelete(DeleteBehavior.Restrict);
        modelBuilder.Entity<Crew>().HasOne<Crew>().WithMany().HasForeignKey(c => c.BossId);
        modelBuilder.Entity<Crew>().OwnsOne(c => c.Home, h => h.ToTable("Homes"));
        modelBuilder.Entity<Crew>().OwnsMany(c => c.Shifts, s => s.ToTable("Shifts"));
        modelBuilder.Entity<Crew>().HasMany(c => c.Skills).WithMany(s => s.Crews);
        modelBuilder.Entity<Freight>().UseTptMappingStrategy();
        modelBuilder.Entity<Crate>();
        modelBuilder.Entity<Pallet>().HasOne(p => p.On).WithMany();
        modelBuilder.Entity<Dock>().UseTpcMappingStrategy();
        modelBuilder.Entity<DryDock>();
    }

    private static async Task WriteAsync(Func<string?, DbContext> open, string tenant)
    {
        await using var context = open(tenant);
        var crew = new Crew { Home = new Home { Street = tenant }, Shifts = { new Shift { Text = tenant } }, Skills = { new Skill { Name = tenant } } };
        context.Add(crew);
        await context.SaveChangesAsync();
        var vessel = new Vessel { OwnerId = crew.Id };
        context.Add(vessel);
        await context.SaveChangesAsync();
        (crew.VesselId, crew.BossId) = (vessel.Id, crew.Id);
        var crate = new Crate { Name = tenant, Height = 9 };
        context.AddRange(crate, new Pallet { Name = tenant, On = crate }, new Dock { Name = tenant }, new DryDock { Name = tenant, Depth = 1 });
        await context.SaveChangesAsync();
    }

    private async Task<List<string>> ChecksumsAsync()
    {
        var checksums = new List<string>();
        foreach (var table in await _database.ColumnAsync(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace ORDER BY 1"))
        {
            checksums.AddRange(await _database.ColumnAsync($"SELECT '{table} ' || count(*) || ' ' || sum(hashtextextended(to_jsonb(t)::text, 0)) FROM {table} t"));
        }

        return checksums;
    }

    private Task<List<string>> KeysAsync()
        => _database.ColumnAsync(
            """
            SELECT concat_ws(' ', conrelid::regclass, conname, pg_get_constraintdef(oid), convalidated) FROM pg_constraint
            WHERE contype <> 'n' AND conparentid = 0 AND connamespace = 'public'::regnamespace ORDER BY 1
            """);

    private Task<List<string>> FilesAsync()
        => _database.ColumnAsync("SELECT relfilenode FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1");

    public class Crew
    {
        public int Id { get; set; }

        public int? VesselId { get; set; }

        public int? BossId { get; set; }

        public Home? Home { get; set; }

        public List<Shift> Shifts { get; } = [];

        public List<Skill> Skills { get; } = [];
    }

    public class Vessel
    {
        public int Id { get; set; }

        public int? OwnerId { get; set; }
    }

    public class Home
    {
        public required string Street { get; set; }
    }

    public class Shift
    {
        public int Id { get; set; }

        public required string Text { get; set; }
    }

    public class Skill
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Crew> Crews { get; } = [];
    }

    public class Freight
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class Crate : Freight
    {
        public int Height { get; set; }
    }

    public class Pallet : Freight
    {
        public Crate? On { get; set; }
    }

    public class Dock
    {
        public int Id { get; set; }

        public required string Name { get; set; }
    }

    public class DryDock : Dock
    {
        public int Depth { get; set; }
    }
}
