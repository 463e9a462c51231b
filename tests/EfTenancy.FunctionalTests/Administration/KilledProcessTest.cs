using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>A process that adds or removes tenants is killed at some moment; the same call, or a repair, finishes its work.</summary>
public class KilledProcessTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    // Never touched by a child process; one of them shares its partitions with tenants that come and go.
    private static readonly Dictionary<string, string> Keepers = new() { ["keeper"] = "keeper", ["small keeper"] = "small" };

    private TestDatabase _database = null!;
    private List<string> _foreignKeys = null!;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task The_same_call_or_a_repair_finishes_what_a_killed_process_began()
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(Keepers);
        await Insert(Keepers.Keys);
        _foreignKeys = await ForeignKeys();
        Assert.Equal(11, _foreignKeys.Count);

        var random = new Random(Seed);
        var moments = new List<string>();
        for (var round = 0; round < Scale.KillRounds; round++)
        {
            string[] ids = [.. Enumerable.Range(0, 4).Select(i => $"r{round}_{i}")];
            var suffixes = ids.ToDictionary(id => id, id => id.EndsWith('0') ? "small" : id);
            var isRemoval = round % 2 == 1;
            if (isRemoval)
            {
                await tenants.AddAsync(suffixes);
                await Insert(ids);
            }

            var finished = await KillAsync(isRemoval ? "remove" : "add", suffixes, TimeSpan.FromMilliseconds(random.Next(0, isRemoval ? 350 : 700)));
            var state = (await tenants.ListAsync()).Where(t => ids.Contains(t.TenantId)).ToList();
            moments.Add(
                (isRemoval ? "remove " : "add ")
                + (finished ? "had finished" : state.Count == 0 ? "none registered" : $"{state[0].State}, {state.Sum(t => t.Partitions)} partitions"));

            var isHalf = state.Exists(t => t.State is TenantState.Adding or TenantState.Removing);
            if (random.Next(2) == 0 && isHalf)
            {
                await tenants.RepairAsync();
            }
            else if (!isRemoval)
            {
                await tenants.AddAsync(suffixes);
            }
            else if (state.Count > 0)
            {
                await tenants.RemoveAsync(state.Select(t => t.TenantId));
            }

            await AssertWhole(isRemoval ? [] : ids);
            if (!isRemoval)
            {
                await Insert(ids);
                await tenants.RemoveAsync(ids);
                await AssertWhole([]);
            }
        }

        foreach (var moment in moments.GroupBy(m => m).OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{moment.Count()} × {moment.Key}");
        }
    }

    private static int Seed
        => 4;

    private Task<bool> KillAsync(string command, Dictionary<string, string> suffixes, TimeSpan delay)
        => KilledProcess.RunAsync(
            _database.ConnectionString, command, string.Join(',', suffixes.Select(s => command == "add" ? $"{s.Key}={s.Value}" : s.Key)), delay);

    private async Task Insert(IEnumerable<string> ids)
    {
        foreach (var id in ids)
        {
            await using var context = WarehouseContext.Create(_database.ConnectionString, id);
            context.AddRows(1);
            await context.SaveChangesAsync();
        }
    }

    private async Task AssertWhole(string[] ids)
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        var tenants = context.Tenancy().Administration;

        var registered = await tenants.ListAsync();
        Assert.Equal(Keepers.Keys.Concat(ids).Order(StringComparer.Ordinal), registered.Select(t => t.TenantId));
        Assert.All(registered, t => Assert.Equal((TenantState.Active, 10, 0), (t.State, t.Partitions, t.MissingPartitions)));

        // The partitions of the registry and no table more: nothing is left detached.
        var suffixes = registered.Select(t => t.Suffix).Distinct().Count();
        Assert.Equal(10 * suffixes, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relispartition"));
        Assert.Equal(["Region", "tenant_partitions"], await _database.ColumnAsync(
            "SELECT relname FROM pg_class WHERE relkind = 'r' AND NOT relispartition AND relnamespace IN ('public'::regnamespace, 'tenants'::regnamespace) ORDER BY 1"));
        Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_inherits WHERE inhdetachpending"));
        Assert.Equal(_foreignKeys, await ForeignKeys());
        Assert.Empty(await tenants.RepairAsync());

        foreach (var keeper in Keepers.Keys)
        {
            await using var rows = WarehouseContext.Create(_database.ConnectionString, keeper);
            Assert.Equal((1, 2, 1), (await rows.Orders.CountAsync(), await rows.Categories.CountAsync(), await rows.Set<Payment>().CountAsync()));
        }
    }

    // Each with what it has become in the partitions: those that check the rows of a partition, and those that look at the rows that
    // reference one. The keepers' partitions are named, for the rest a partition has all of them or is counted.
    private Task<List<string>> ForeignKeys()
        => _database.ColumnAsync(
            """
            WITH RECURSIVE keys AS (
                SELECT oid, oid AS root, conrelid, confrelid, convalidated FROM pg_constraint WHERE contype = 'f' AND conparentid = 0
                UNION ALL
                SELECT f.oid, keys.root, f.conrelid, f.confrelid, f.convalidated FROM pg_constraint f JOIN keys ON f.conparentid = keys.oid
            ),
            of_table AS (
                SELECT f.oid, f.conrelid, f.confrelid, format('%s %s %s', f.conname, pg_get_constraintdef(f.oid), f.convalidated) AS name
                FROM pg_constraint f WHERE f.contype = 'f' AND f.conparentid = 0
            )
            SELECT concat_ws(
                ' | ', t.name,
                (SELECT string_agg(p.inhrelid::regclass::text, ', ' ORDER BY p.inhrelid::regclass::text) FROM pg_inherits p
                    JOIN pg_class c ON c.oid = p.inhrelid AND c.relname ~ '_(keeper|small)$'
                    WHERE p.inhparent = t.conrelid AND EXISTS (
                        SELECT FROM keys k WHERE k.root = t.oid AND k.conrelid = p.inhrelid AND k.confrelid = t.confrelid AND k.convalidated)),
                (SELECT string_agg(p.inhrelid::regclass::text, ', ' ORDER BY p.inhrelid::regclass::text) FROM pg_inherits p
                    JOIN pg_class c ON c.oid = p.inhrelid AND c.relname ~ '_(keeper|small)$'
                    WHERE p.inhparent = t.confrelid AND EXISTS (
                        SELECT FROM keys k WHERE k.root = t.oid AND k.confrelid = p.inhrelid AND k.convalidated)),
                (SELECT count(*) FROM pg_inherits p WHERE p.inhparent = t.conrelid AND NOT EXISTS (
                    SELECT FROM keys k WHERE k.root = t.oid AND k.conrelid = p.inhrelid AND k.confrelid = t.confrelid AND k.convalidated)),
                (SELECT count(*) FROM pg_inherits p WHERE p.inhparent = t.confrelid AND NOT EXISTS (
                    SELECT FROM keys k WHERE k.root = t.oid AND k.confrelid = p.inhrelid AND k.convalidated)),
                (SELECT count(*) FROM keys k WHERE k.root = t.oid AND NOT k.convalidated))
            FROM of_table t ORDER BY 1
            """);
}
