using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>A process that splits a bucket, whose tenants work, is killed at some moment; a repair tidies up, and the same call finishes.</summary>
public class KilledSplitTest(PostgresFixture postgres, ITestOutputHelper output) : IAsyncLifetime
{
    private TestDatabase _database = null!;
    private int _id = 1;

    public async ValueTask InitializeAsync()
        => _database = await postgres.CreateDatabaseAsync();

    public ValueTask DisposeAsync()
        => _database.DisposeAsync();

    [Fact]
    public async Task The_same_call_finishes_what_a_killed_split_began_and_a_repair_leaves_nothing_of_it()
    {
        await using var context = WarehouseContext.Create(_database.ConnectionString);
        await context.Database.EnsureCreatedAsync();
        var tenants = context.Tenancy().Administration;
        var random = new Random(11);
        var moments = new List<string>();
        for (var round = 0; round < Scale.KillRounds; round++)
        {
            string[] leaving = [$"r{round}a", $"r{round}b"];
            string[] all = [.. leaving, $"r{round}c"];
            await tenants.AddAsync(all.ToDictionary(id => id, _ => $"bucket{round}"));
            await Insert(all, 40);

            using var stop = new CancellationTokenSource();
            var written = Task.Run(() => WriteAsync(all, stop.Token));
            var finished = await KilledProcess.RunAsync(
                _database.ConnectionString, "split", string.Join(',', leaving), TimeSpan.FromMilliseconds(random.Next(0, 1_900)));
            var left = await _database.ColumnAsync(SplitCatalog.Leftovers);
            var suffixes = await Suffixes();
            moments.Add(
                finished ? "had finished" : suffixes.Contains(leaving[0]) ? "switched" : $"{left.Count(l => l.StartsWith("trigger", StringComparison.Ordinal)):00} tables on their way");
            AssertAllOrNothing(suffixes);

            if (random.Next(2) == 0)
            {
                // The server may not have seen yet that the process is gone; then its split counts as running.
                for (var attempt = 0; attempt < 50 && (await _database.ColumnAsync(SplitCatalog.Leftovers)).Count > 0; attempt++)
                {
                    await tenants.RepairAsync();
                    await Task.Delay(100);
                }

                Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));
                AssertAllOrNothing(await Suffixes());
            }

            await tenants.SplitAsync(leaving);
            await stop.CancelAsync();
            var rows = await written;

            Assert.Equal([leaving[0], leaving[1], $"bucket{round}"], await Suffixes());
            Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));
            Assert.Equal(30, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relkind = 'r' AND relispartition"));
            Assert.Equal(0, await _database.ScalarAsync<int>("SELECT count(*) FROM pg_constraint WHERE NOT convalidated"));
            Assert.Empty(await tenants.RepairAsync());
            foreach (var id in all)
            {
                await using var rowsOf = WarehouseContext.Create(_database.ConnectionString, id);
                Assert.Equal(rows[id], await rowsOf.OrderLines.OrderBy(l => l.Id).Select(l => l.Id).ToListAsync());
                Assert.Equal(
                    (rows[id].Count, 2 * rows[id].Count, rows[id].Count),
                    (await rowsOf.Orders.CountAsync(), await rowsOf.Categories.CountAsync(), await rowsOf.Set<Payment>().CountAsync()));
            }

            await tenants.RemoveAsync(all);
        }

        foreach (var moment in moments.GroupBy(m => m).OrderBy(m => m.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"{moment.Count()} × {moment.Key}");
        }

        async Task<List<string>> Suffixes()
            => [.. (await tenants.ListAsync()).Select(t => t.Suffix)];

        static void AssertAllOrNothing(List<string> suffixes)
            => Assert.True(suffixes.Distinct().Count() is 1 or 3, string.Join(", ", suffixes));
    }

    // What a killed split left behind must be in nobody's way.
    private async Task<Dictionary<string, List<int>>> WriteAsync(string[] ids, CancellationToken stop)
    {
        var rows = ids.ToDictionary(id => id, _ => Enumerable.Range(_id - 40, 40).ToList());
        while (!stop.IsCancellationRequested)
        {
            foreach (var id in ids)
            {
                await using var context = WarehouseContext.Create(_database.ConnectionString, id);
                context.AddRows(_id);
                await context.SaveChangesAsync(CancellationToken.None);
                rows[id].Add(_id++);
            }
        }

        return rows;
    }

    private async Task Insert(string[] ids, int count)
    {
        foreach (var id in ids)
        {
            await using var context = WarehouseContext.Create(_database.ConnectionString, id);
            for (var i = 0; i < count; i++)
            {
                context.AddRows(_id + i);
            }

            await context.SaveChangesAsync();
        }

        _id += count;
    }
}
