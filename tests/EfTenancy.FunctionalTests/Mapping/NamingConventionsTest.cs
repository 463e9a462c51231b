using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>Names that a convention of the application gives, with EFCore.NamingConventions, for every kind of mapping.</summary>
public class NamingConventionsTest(PostgresFixture postgres)
{
    private const string Tables =
        """
        pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace::regnamespace::text NOT IN ('pg_catalog', 'information_schema')
        """;

    private const string ColumnsWithoutTenant =
        $"""
        SELECT c.relname || '.' || a.attname FROM pg_attribute a, {Tables}
            AND a.attrelid = c.oid AND a.attnum > 0 AND a.attname <> 'tenant_id' ORDER BY 1
        """;

    private const string TablesWithoutTenant =
        $"SELECT c.relname FROM {Tables} AND NOT EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'tenant_id')";

    public enum Style
    {
        TenantThenId,
        IdThenTenant,
        Hashed,
    }

    public sealed class Mappings : TheoryData<Type, Style>
    {
        public Mappings()
        {
            // Not the split entities: plain EF cannot create their tables either, since all get one name for their keys.
            foreach (var context in (Type[])
                     [
                         typeof(InheritanceContext), typeof(KeysContext), typeof(MiscContext), typeof(OwnedContext), typeof(RelationshipsContext),
                         typeof(DeleteBehaviorContext),
                     ])
            {
                foreach (var style in Enum.GetValues<Style>())
                {
                    Add(context, style);
                }
            }
        }
    }

    [Theory]
    [ClassData(typeof(Mappings))]
    public async Task Tables_are_those_of_plain_EF_with_the_tenant(Type context, Style style)
    {
        await using var plain = await postgres.CreateDatabaseAsync();
        await using var tenanted = await postgres.CreateDatabaseAsync();
        await CreateTablesAsync(context, plain, null);
        await CreateTablesAsync(context, tenanted, style);

        Assert.Equal(await plain.ColumnAsync(ColumnsWithoutTenant), await tenanted.ColumnAsync(ColumnsWithoutTenant));
        Assert.Empty(await tenanted.ColumnAsync(TablesWithoutTenant));
    }

    [Fact]
    public async Task Rows_are_read_and_written_in_partitions_that_come_and_go()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var options = Options(typeof(OwnedContext), database, t => t
            .DisableDefaultTenant().PartitionMultiTenantedEntities(x => x.ByManagedListPartitions("tenants")));
        OwnedContext For(string tenant)
        {
            var context = new OwnedContext((DbContextOptions<OwnedContext>)options);
            context.Tenancy().Use(tenant);
            return context;
        }

        await using (var context = new OwnedContext((DbContextOptions<OwnedContext>)options))
        {
            await context.Database.EnsureCreatedAsync();
            await context.Tenancy().Administration.AddAsync(["Green", "Red"]);
        }

        await new MappingScenario<House>(
            tenant => new House
            {
                Id = 1, Name = tenant, Roof = new Roof { Tiles = tenant, Paint = new Paint { Colour = tenant } }, Cellar = new Cellar { Wine = tenant },
            },
            house => (house.Roof!.Paint!.Colour, house.Cellar!.Wine) = (house.Roof.Paint.Colour + "!", house.Cellar.Wine + "!"),
            house => new House { Id = house.Id, Name = "" })
        {
            TenantColumn = "tenant_id",
        }.RunAsync(For, database);

        await using var green = For("Green");
        Assert.Equal(1, await green.Tenancy().BulkInsertAsync([new House { Id = 2, Name = "Green", Roof = new Roof { Tiles = "Green" } }]));
        Assert.Equal("Green", (await green.Set<House>().SingleAsync()).Roof!.Tiles);
        Assert.Equal(["Green"], await database.ColumnAsync("SELECT tenant_id FROM house WHERE tableoid <> 'house'::regclass"));
        await green.Tenancy().Administration.RemoveAsync(["Green"]);
        Assert.Empty(await database.ColumnAsync("SELECT tenant_id FROM house"));
    }

    [Fact]
    public async Task IdOnly_has_one_tenant_for_a_row_and_all_that_is_owned_in_it()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        var options = Options(typeof(OwnedContext), database, t => t.UseTenantKeyStyle(TenantKeyStyle.IdOnly));
        OwnedContext For(string tenant)
        {
            var context = new OwnedContext((DbContextOptions<OwnedContext>)options);
            context.Tenancy().Use(tenant);
            return context;
        }

        await using var green = For("Green");
        await green.Database.EnsureCreatedAsync();
        Assert.Equal(
            ["tenant_id"],
            await database.ColumnAsync("SELECT attname FROM pg_attribute WHERE attrelid = 'house'::regclass AND attname LIKE '%tenant_id'"));

        // As in a database that had these rows before.
        await database.ExecuteAsync(
            """
            INSERT INTO house (id, tenant_id, discriminator, name, roof_tiles, roof_paint_colour) OVERRIDING SYSTEM VALUE
            VALUES (1, 'Green', 'House', '', 'old', 'old'), (2, 'Green', 'House', '', NULL, NULL), (3, 'Red', 'House', '', 'old', 'old')
            """);

        var houses = await green.Set<House>().OrderBy(h => h.Id).ToListAsync();
        Assert.Equal(["old", null], houses.Select(h => h.Roof?.Tiles));
        Assert.Equal("Green", green.Tenancy().TenantOf(houses[0].Roof!.Paint!));
        houses[0].Roof!.Paint!.Colour = "new";
        houses[1].Roof = new Roof { Tiles = "new" };
        await green.SaveChangesAsync();
        houses[1].Roof = null;
        await green.SaveChangesAsync();
        green.Add(new House { Id = 4, Name = "", Roof = new Roof { Tiles = "new", Paint = new Paint { Colour = "new" } } });
        await green.SaveChangesAsync();

        foreach (var change in (Action<House>[])[h => h.Roof!.Tiles = "stolen", h => h.Roof!.Paint!.Colour = "stolen", h => h.Roof = null])
        {
            await using var other = For("Green");
            var stub = new House { Id = 3, Name = "", Roof = new Roof { Tiles = "old", Paint = new Paint { Colour = "old" } } };
            other.Attach(stub);
            change(stub);
            await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => other.SaveChangesAsync());
        }

        Assert.Equal(
            ["1 Green old new", "2 Green", "3 Red old old", "4 Green new new"],
            await database.ColumnAsync(
                "SELECT concat_ws(' ', id, tenant_id, roof_tiles, roof_paint_colour) FROM house ORDER BY id"));
    }

    private static async Task CreateTablesAsync(Type type, TestDatabase database, Style? style)
    {
        await using var context = (DbContext)Activator.CreateInstance(
            type,
            Options(
                type,
                database,
                style is null ? null : t =>
                {
                    t.UseTenantKeyStyle(style == Style.IdThenTenant ? TenantKeyStyle.IdThenTenant : TenantKeyStyle.TenantThenId);
                    if (style == Style.Hashed)
                    {
                        t.PartitionMultiTenantedEntities(x => x.ByHash("a", "b"));
                    }
                }))!;
        await context.Database.EnsureCreatedAsync();
    }

    private static DbContextOptions Options(Type type, TestDatabase database, Action<TenancyDbContextOptionsBuilder>? tenancy)
    {
        var options = (DbContextOptionsBuilder)Activator.CreateInstance(typeof(DbContextOptionsBuilder<>).MakeGenericType(type))!;
        options.UseTestDatabase(database.ConnectionString).UseSnakeCaseNamingConvention();
        return (tenancy is null ? options : options.UseTenancy(t => tenancy(t.AllEntitiesAreMultiTenanted()))).Options;
    }
}
