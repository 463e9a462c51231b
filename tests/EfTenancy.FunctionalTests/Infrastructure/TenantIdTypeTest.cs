using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Infrastructure;

/// <summary>Tenants that are named by something else than a string, on a partitioned and on a plain table.</summary>
public class TenantIdTypeTest(PostgresFixture postgres)
{
    private const string A = "b6c7a1de-0f5e-4c0b-9d0a-5d6f0c1e2a3b";
    private const string B = "0a1b2c3d-0f5e-4c0b-9d0a-5d6f0c1e2a3b";

    [Fact]
    public Task Guids()
        => VerifyAsync<Guid>(A, B, A.ToUpperInvariant(), "uuid", Guid.Parse);

    [Fact]
    public Task Numbers()
        => VerifyAsync<int>("17", "-4", "017", "integer", int.Parse);

    [Fact]
    public Task Large_numbers()
        => VerifyAsync<long>("17000000000", "4", "+17000000000", "bigint", long.Parse);

    [Fact]
    public Task Optional_in_the_class()
        => VerifyAsync<Guid?>(A, B, A.ToUpperInvariant(), "uuid", id => Guid.Parse(id));

    [Fact]
    public Task A_struct_of_the_application_over_a_guid()
        => VerifyAsync<CompanyId>(A, B, A.ToUpperInvariant(), "uuid", id => new CompanyId(Guid.Parse(id)));

    [Fact]
    public Task A_class_of_the_application_over_a_string()
        => VerifyAsync<CompanyName>("O'Acme", "Beta", "O'Acme", "text", id => new CompanyName(id));

    private async Task VerifyAsync<T>(string a, string b, string otherwiseWritten, string columnType, Func<string, T> value)
    {
        await using var database = await postgres.CreateDatabaseAsync();
        TypedContext<T>.First = a;
        var options = new DbContextOptionsBuilder<TypedContext<T>>().UseTestDatabase(database.ConnectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options;
        TypedContext<T> For(string? tenant)
        {
            var context = new TypedContext<T>(options);
            if (tenant is not null)
            {
                context.Tenancy().Use(tenant);
            }

            return context;
        }

        await using (var db = For(null))
        {
            await db.Database.EnsureCreatedAsync();
        }

        Assert.Equal(
            [columnType],
            await database.ColumnAsync(
                """
                SELECT DISTINCT format_type(atttypid, atttypmod) FROM pg_attribute JOIN pg_class c ON c.oid = attrelid
                WHERE attname = 'TenantId' AND relkind IN ('r', 'p')
                """));

        // The same keys in both, through the tracker.
        foreach (var tenant in (string[])[a, b])
        {
            await using var db = For(tenant);
            db.Add(new Site { Id = 1, Name = tenant, Doors = { new Door { Id = 1, Name = tenant } }, Keys = { new Key { Id = 1 } } });
            await db.SaveChangesAsync();
        }

        await using (var db = For(otherwiseWritten))
        {
            Assert.Equal(a, db.Tenancy().TenantId);
            var site = await db.Set<Site>().Include(s => s.Doors).Include(s => s.Keys).SingleAsync();
            Assert.Equal((a, a), (site.Name, site.Doors.Single().Name));
            Assert.Equal(a, db.Tenancy().TenantOf(site));
            Assert.Same(site, await db.FindAsync<Site>(1));
            Assert.Equal(3, await db.Set<Site>().CountAsync(s => s.AnyTenant()));
            Assert.Equal([b], await db.Set<Site>().Where(s => s.TenantIsOneOf(b)).Select(s => s.Name).ToListAsync());
            string[] both = [otherwiseWritten, b];
            Assert.Equal(2, await db.Set<Site>().CountAsync(s => s.TenantIsOneOf(both)));
            Assert.Equal([a], (await db.Set<Site>().FromSql($"""SELECT * FROM "Sites" """).ToListAsync()).Select(s => s.Name));
            Assert.Equal(1, await db.Set<Door>().CountAsync(d => d.Site == site));
            var sites = new[] { site };
            Assert.Equal(1, await db.Set<Door>().CountAsync(d => sites.Contains(d.Site!)));

            db.Tenancy().ForTenant(b).Add(new Site { Id = 2, Name = b });
            Assert.Equal(b, db.Tenancy().ForTenant(b).Find<Site>(1)!.Name);
            await db.SaveChangesAsync();
        }

        // Disconnected, over a property of the class that says nothing, the right tenant, and another one.
        await using (var db = For(a))
        {
            db.Add(new Door<T> { Id = 7, Name = "own" });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();

            db.Update(new Door<T> { Id = 7, Name = "changed", TenantId = value(a) });
            await db.SaveChangesAsync();
            db.ChangeTracker.Clear();

            db.Update(new Door<T> { Id = 7, Name = "stolen", TenantId = value(b) });
            var refused = await Assert.ThrowsAsync<CrossTenantWriteException>(() => db.SaveChangesAsync());
            Assert.Equal((b, a), (refused.RowTenantId, refused.ContextTenantId));
            db.ChangeTracker.Clear();

            await Assert.ThrowsAnyAsync<InvalidOperationException>(
                () => db.Set<Door<T>>().ExecuteUpdateAsync(s => s.SetProperty(d => d.TenantId, value(b))));
            Assert.Equal(1, await db.Set<Door<T>>().Where(d => d.Id == 7).ExecuteUpdateAsync(s => s.SetProperty(d => d.Name, "bulk")));
            await db.Tenancy().BulkInsertAsync([new Door<T> { Id = 8, Name = "copied" }]);
            await Assert.ThrowsAsync<CrossTenantWriteException>(
                () => db.Tenancy().BulkInsertAsync([new Door<T> { Id = 9, Name = "copied", TenantId = value(b) }]));
        }

        Assert.Equal(
            [$"{a} bulk", $"{a} copied"],
            await database.ColumnAsync("""SELECT "TenantId" || ' ' || "Name" FROM "OwnDoors" ORDER BY "Id" """));

        // A reference into the other tenant has no row to lead to.
        await using (var db = For(b))
        {
            db.Add(new Door { Id = 70, Name = b, SiteId = 2 });
            await db.SaveChangesAsync();
        }

        await using (var db = For(a))
        {
            db.Add(new Door { Id = 71, Name = a, SiteId = 2 });
            await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync());
        }

        // Nobody's rows are the default tenant's, which is the zero of the type; and seeds are its.
        await using (var db = For(null))
        {
            Assert.Equal(TenancyDefaults.DefaultTenantId, db.Tenancy().TenantId);
            Assert.Equal("seed", (await db.Set<Site>().SingleAsync()).Name);
        }

        // Read by several.
        await using (var db = For(null))
        {
            db.Tenancy().Use([b, otherwiseWritten]);
            Assert.Equal([a, b, b], (await db.Set<Site>().Select(s => s.Name).ToListAsync()).OrderBy(n => n != a));
        }

        // Partitions by their values, of the type.
        Assert.Equal(
            3L + 1,
            await database.ScalarAsync<long>("""SELECT (SELECT count(*) FROM "Sites_one") + (SELECT count(*) FROM "Sites_rest")"""));
        Assert.Equal(1L, await database.ScalarAsync<long>("""SELECT count(*) FROM "Sites_one" """));
    }

    [Fact]
    public async Task An_id_that_is_none_of_the_type_is_refused_at_the_door()
    {
        await using var db = new PlainSites(
            new DbContextOptionsBuilder<PlainSites>().UseTestDatabase("Host=nowhere")
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantProperty<int>()).Options);

        Assert.Contains("'Green' is not a Int32", Assert.Throws<ArgumentException>(() => db.Tenancy().Use("Green")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => db.Tenancy().Use("99999999999"));
        Assert.Throws<ArgumentException>(() => db.Tenancy().ForTenant("1; DROP TABLE"));
        Assert.Throws<ArgumentException>(() => db.Tenancy().Use(["1", "Red"]));
        Assert.Throws<ArgumentException>(() => db.Set<Site>().Where(s => s.TenantIsOneOf("Red")).ToList());
    }

    [Fact]
    public async Task A_converter_that_makes_two_tenants_one_is_found_at_the_door()
    {
        await using var db = new LossyContext(
            new DbContextOptionsBuilder<LossyContext>().UseTestDatabase("Host=nowhere").UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);

        db.Tenancy().Use("acme");
        Assert.Contains("'ACME'", Assert.Throws<ArgumentException>(() => db.Tenancy().Use("ACME")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Shadow_properties_have_the_type_that_is_asked_for()
    {
        await using var db = new PlainSites(
            new DbContextOptionsBuilder<PlainSites>().UseTestDatabase("Host=nowhere")
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().UseTenantProperty<Guid>("Company")).Options);

        Assert.Equal(typeof(Guid), db.Model.FindEntityType(typeof(Site))!.FindProperty("Company")!.ClrType);
        Assert.Throws<ArgumentException>(() => db.Tenancy().Use("Green"));
        db.Tenancy().Use(A);
    }

    private sealed class TypedContext<T>(DbContextOptions<TypedContext<T>> options) : DbContext(options)
    {
        public static string First { get; set; } = "";

        protected override void ConfigureConventions(ModelConfigurationBuilder configurationBuilder)
        {
            configurationBuilder.Properties<CompanyId>().HaveConversion<CompanyId.Converter>();
            configurationBuilder.Properties<CompanyName>().HaveConversion<CompanyName.Converter>();
        }

        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Site>().ToTable("Sites")
                .IsPartitionedByTenant(x => x.ByList().AddPartition("one", First).WithDefaultPartition("rest"))
                .HasData(new { Id = 100, Name = "seed" });
            modelBuilder.Entity<Site>().Property(s => s.Id).ValueGeneratedNever();
            modelBuilder.Entity<Door>().Property(s => s.Id).ValueGeneratedNever();
            modelBuilder.Entity<Key>().Property(s => s.Id).ValueGeneratedNever();
            modelBuilder.Entity<Door<T>>(door =>
            {
                door.ToTable("OwnDoors");
                door.Property(d => d.Id).ValueGeneratedNever();
            });
        }
    }

    private sealed class PlainSites(DbContextOptions<PlainSites> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Site>();
    }

    private sealed class LossyContext(DbContextOptions<LossyContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Door<CompanyName>>()
                .Property(d => d.TenantId)
                .HasConversion(n => n.Name, text => new CompanyName(text.ToLowerInvariant()));
    }

    private sealed class Site
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public List<Door> Doors { get; } = [];

        public List<Key> Keys { get; } = [];
    }

    private sealed class Door
    {
        public int Id { get; set; }

        public required string Name { get; set; }

        public int? SiteId { get; set; }

        public Site? Site { get; set; }
    }

    private sealed class Key
    {
        public int Id { get; set; }

        public List<Site> Sites { get; } = [];
    }

    private sealed class Door<T>
    {
        public int Id { get; set; }

        public T TenantId { get; set; } = default!;

        public required string Name { get; set; }
    }

    private readonly record struct CompanyId(Guid Value)
    {
        public sealed class Converter()
            : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<CompanyId, Guid>(id => id.Value, guid => new CompanyId(guid));
    }

    private sealed record CompanyName(string Name)
    {
        public sealed class Converter()
            : Microsoft.EntityFrameworkCore.Storage.ValueConversion.ValueConverter<CompanyName, string>(n => n.Name, text => new CompanyName(text));
    }
}
