using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

/// <summary>
///     Rows of two tenants in one unit of work, joined by a many-to-many navigation or as parents of one row. Each tenant has player 1 and
///     teams 1 and 2, so that the database would take a row of either tenant with the ids of both.
/// </summary>
public class RowOfTwoTenantsTest(RowOfTwoTenantsTest.Fixture fixture) : IClassFixture<RowOfTwoTenantsTest.Fixture>
{
    public static TheoryData<string> Ways
        => new(Links.Keys);

    private static readonly Dictionary<string, Action<LeagueContext>> Links = new()
    {
        ["added to the own row's"] = db => Blue(db).Teams.Add(RedTeam(db)),
        ["added to the other's"] = db => RedTeam(db).Players.Add(Blue(db)),
        ["both ways"] = db =>
        {
            Blue(db).Teams.Add(RedTeam(db));
            RedTeam(db).Players.Add(Blue(db));
        },
        ["where one side has no navigation"] = db => Blue(db).Fans.Add(db.Tenancy().ForTenant("Red").Set<Fan>().Single()),
        ["new row with another tenant's"] = db => db.Add(new Player { Id = 2, Teams = { RedTeam(db) } }),
        ["new row of another tenant"] = db =>
        {
            var team = new Team { Id = 3 };
            db.Tenancy().ForTenant("Red").Add(team);
            Blue(db).Teams.Add(team);
        },
        ["new row of another tenant, which was in the collection before"] = db =>
        {
            var team = new Team { Id = 3 };
            db.ChangeTracker.AutoDetectChangesEnabled = false;
            Blue(db).Teams.Add(team);
            db.Tenancy().ForTenant("Red").Add(team);
        },
        ["new row with two parents"] = db => db.Add(new Match { Home = RedTeam(db), Guest = BlueTeam(db) }),
        ["new row in the collections of two parents"] = db =>
        {
            var match = new Match();
            RedTeam(db).HomeMatches.Add(match);
            match.Guest = BlueTeam(db);
        },
        ["new row with a parent that gets another"] = db =>
        {
            var match = new Match { Home = RedTeam(db) };
            db.Add(match);
            match.Guest = BlueTeam(db);
        },
        ["new row with a parent that goes into another's collection"] = db =>
        {
            var match = new Match { Guest = BlueTeam(db) };
            db.Add(match);
            RedTeam(db).HomeMatches.Add(match);
        },
        ["claimed row with another tenant's"] = db => db.Attach(new Player { Id = 1, Teams = { RedTeam(db) } }),
    };

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task It_is_refused_and_nothing_is_written(string way)
    {
        foreach (var save in (Func<DbContext, Task>[])[c => c.SaveChangesAsync(), c => Task.FromResult(c.SaveChanges())])
        {
            await using var db = fixture.For("Blue");

            var early = Record.Exception(() => Links[way](db));
            db.ChangeTracker.AutoDetectChangesEnabled = true;
            var refused = early ?? await Record.ExceptionAsync(() => save(db));

            Assert.Contains("a row and all that it references is of one tenant", Assert.IsType<InvalidOperationException>(refused).Message, StringComparison.Ordinal);

            // Nor when it is tried again.
            await Record.ExceptionAsync(() => save(db));
            await using var all = fixture.CreateContext();
            using var _ = all.Tenancy().AcrossTenants("test");
            Assert.Empty(await all.Set<Dictionary<string, object>>("PlayerTeam").ToListAsync());
            Assert.Empty(await all.Set<Dictionary<string, object>>("FanPlayer").ToListAsync());
            Assert.Empty(await all.Set<Match>().ToListAsync());
        }
    }

    [Fact]
    public async Task Rows_of_each_tenant_are_linked_beside_each_other()
    {
        await using var db = fixture.For("Blue");
        await using var transaction = await db.Database.BeginTransactionAsync();
        var red = db.Tenancy().ForTenant("Red");
        var redPlayer = await red.Set<Player>().SingleAsync();

        redPlayer.Teams.Add(RedTeam(db));
        redPlayer.Teams.Add(new Team { Id = 9 });
        Blue(db).Teams.Add(await db.Set<Team>().SingleAsync(t => t.Id == 2));
        red.Add(new Match { Home = RedTeam(db), Guest = new Team { Id = 7 } });
        db.Add(new Match { Home = RedTeam(db) });
        db.Add(new Match { Guest = BlueTeam(db), Home = await db.Set<Team>().SingleAsync(t => t.Id == 2) });
        red.Add(new Player { Id = 5, Teams = { RedTeam(db), new Team { Id = 8 } } });
        await db.SaveChangesAsync();

        using var _ = db.Tenancy().AcrossTenants("test");
        Assert.Equal(
            ["Blue 1 2", "Red 1 1", "Red 1 9", "Red 5 1", "Red 5 8"],
            (await db.Set<Dictionary<string, object>>("PlayerTeam").AsNoTracking().ToListAsync())
                .Select(l => $"{l["TenantId"]} {l["PlayersId"]} {l["TeamsId"]}").Order());
        Assert.Equal(
            ["Blue 2 1", "Red 1 ", "Red 1 7"],
            (await db.Set<Match>().AsNoTracking().Select(m => new { Tenant = EF.Property<string>(m, "TenantId"), Home = m.Home!.Id, Guest = (int?)m.Guest!.Id })
                .ToListAsync()).Select(m => $"{m.Tenant} {m.Home} {m.Guest}").Order());
    }

    private static Player Blue(LeagueContext db)
        => db.Set<Player>().Single();

    private static Team BlueTeam(LeagueContext db)
        => db.Set<Team>().Single(t => t.Id == 1);

    private static Team RedTeam(LeagueContext db)
        => db.Tenancy().ForTenant("Red").Set<Team>().Single(t => t.Id == 1);

    public class LeagueContext(DbContextOptions<LeagueContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.Entity<Player>().HasMany(p => p.Teams).WithMany(t => t.Players);
            modelBuilder.Entity<Team>().Property(t => t.Id).ValueGeneratedNever();
            modelBuilder.Entity<Player>().HasMany(p => p.Fans).WithMany();
            modelBuilder.Entity<Match>().HasOne(m => m.Home).WithMany(t => t.HomeMatches);
            modelBuilder.Entity<Match>().HasOne(m => m.Guest).WithMany();
        }
    }

    public class Player
    {
        public int Id { get; set; }

        public List<Team> Teams { get; } = [];

        public List<Fan> Fans { get; } = [];
    }

    public class Team
    {
        public int Id { get; set; }

        public List<Player> Players { get; } = [];

        public List<Match> HomeMatches { get; } = [];
    }

    public class Match
    {
        public int Id { get; set; }

        public Team? Home { get; set; }

        public Team? Guest { get; set; }
    }

    public class Fan
    {
        public int Id { get; set; }
    }

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<LeagueContext>(postgres)
    {
        public override LeagueContext CreateContext(string connectionString)
            => new(new DbContextOptionsBuilder<LeagueContext>()
                .UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted())
                .Options);

        public LeagueContext For(string tenant)
        {
            var context = CreateContext();
            context.Tenancy().Use(tenant);
            return context;
        }

        protected override async Task SeedTemplateAsync(LeagueContext context)
        {
            await context.Database.EnsureCreatedAsync();
            foreach (var tenant in (string[])["Red", "Blue"])
            {
                context.Tenancy().Use(tenant);
                context.AddRange(new Player { Id = 1 }, new Team { Id = 1 }, new Team { Id = 2 }, new Fan { Id = 1 });
                await context.SaveChangesAsync();
                context.ChangeTracker.Clear();
            }
        }
    }
}
