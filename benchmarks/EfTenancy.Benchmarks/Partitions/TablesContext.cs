using Microsoft.EntityFrameworkCore;

namespace EfTenancy.Benchmarks.Partitions;

/// <summary>Ten tables, each of which but the first references the one before.</summary>
public class TablesContext(DbContextOptions options, int tables = 10) : DbContext(options)
{
    public static IReadOnlyList<string> Tables { get; } = [.. Enumerable.Range(0, 10).Select(i => $"T{i}")];

    public static async Task<TablesContext> CreateAsync(string connectionString, bool isPartitioned = true)
    {
        var context = new TablesContext(OptionsOf(connectionString, isPartitioned));
        await context.Database.EnsureCreatedAsync();
        return context;
    }

    protected static DbContextOptions OptionsOf(string connectionString, bool isPartitioned)
        => new DbContextOptionsBuilder()
                .UseNpgsql(connectionString, npgsql => npgsql.CommandTimeout(0))
                .UseTenancy(
                    tenancy =>
                    {
                        tenancy.AllEntitiesAreMultiTenanted();
                        if (isPartitioned)
                        {
                            tenancy.PartitionMultiTenantedEntitiesManaged("tenants");
                        }
                    }).Options;

    public async Task FillAsync(string tenant, int rows, int? rowsOfLast = null)
    {
        foreach (var (i, table) in Tables.Take(tables).Index())
        {
            var (column, parent) = i == 0 ? ("", "") : (""", "ParentId" """, $", 1 + (i - 1) % {rows}");
            var sql = $"""INSERT INTO "{table}" ("TenantId", "Id", "Text"{column}) SELECT @p0, i, 'row ' || i{parent} FROM generate_series(1, @p1) AS i""";
            await Database.ExecuteSqlRawAsync(sql, tenant, i == tables - 1 ? rowsOfLast ?? rows : rows);
        }
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        foreach (var (i, table) in Tables.Take(tables).Index())
        {
            modelBuilder.SharedTypeEntity<Dictionary<string, object>>(
                table,
                entity =>
                {
                    entity.IndexerProperty<int>("Id").ValueGeneratedNever();
                    entity.IndexerProperty<string>("Text");
                    entity.HasKey("Id");
                    if (i > 0)
                    {
                        entity.IndexerProperty<int>("ParentId");
                        entity.HasOne(Tables[i - 1], null).WithMany().HasForeignKey("ParentId");
                    }
                });
        }
    }
}
