using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>One request of a tenant: it takes a context from the pool, does one thing with it, and leaves it in whatever state.</summary>
public sealed class LoadRequest(IServiceProvider services, LoadTally tally, Random random, string tenant)
{
    private static readonly Func<LoadContext, int, IAsyncEnumerable<Shipment>> CompiledShipments
        = EF.CompileAsyncQuery((LoadContext db, int from) => db.Shipments.Where(j => j.Id > from).OrderBy(j => j.Id).Take(10));

    private static readonly Func<LoadContext, int> CompiledCountOfMine
        = EF.CompileQuery((LoadContext db) => db.Memos.Count(m => m.Payload.StartsWith("Green/")));

    private static readonly Dictionary<string, Func<LoadRequest, LoadContext, Task>> Operations = new()
    {
        ["query"] = (r, db) => r.QueryAsync(db),
        ["query untracked"] = (r, db) => r.QueryUntrackedAsync(db),
        ["compiled query"] = (r, db) => r.QueryCompiledAsync(db),
        ["include"] = (r, db) => r.IncludeAsync(db),
        ["insert"] = (r, db) => r.InsertAsync(db),
        ["insert graph"] = (r, db) => r.InsertGraphAsync(db),
        ["update"] = (r, db) => r.UpdateAsync(db),
        ["update disconnected"] = (r, db) => r.UpdateDisconnectedAsync(db),
        ["delete"] = (r, db) => r.DeleteAsync(db),
        ["execute update"] = (r, db) => r.ExecuteUpdateAsync(db),
        ["execute delete"] = (r, db) => r.ExecuteDeleteAsync(db),
        ["for tenant"] = (r, db) => r.ForTenantAsync(db),
        ["across tenants"] = (r, db) => r.AcrossTenantsAsync(db),
        ["transaction"] = (r, db) => r.TransactionAsync(db, exception: null),
        ["cancelled"] = (r, db) => r.CancelledAsync(db),
        ["thrown half way"] = (r, db) => r.TransactionAsync(db, new HalfWayException()),
        ["left tracking"] = (r, db) => r.LeaveTrackingAsync(db),
        ["steal"] = (r, db) => r.StealAsync(db),
        ["bulk insert"] = (r, db) => r.BulkInsertAsync(db),
    };

    private readonly string _other = tenant == "Green" ? "Red" : "Green";

    public static IEnumerable<string> Names
        => Operations.Keys;

    public Task RunAsync()
        => RunAsync(Operations.Keys.ElementAt(random.Next(Operations.Count)));

    public async Task RunAsync(string name)
    {
        var run = Operations[name];
        try
        {
            switch (random.Next(3))
            {
                case 0:
                    await using (var scope = services.CreateAsyncScope())
                    {
                        await run(this, scope.ServiceProvider.GetRequiredService<LoadContext>());
                    }

                    break;
                case 1:
                    await using (var db = await Factory.CreateDbContextAsync())
                    {
                        await run(this, db);
                    }

                    break;
                default:
                    await using (var db = await Factory.CreateDbContextAsync(tenant))
                    {
                        await run(this, db);
                    }

                    break;
            }

            tally.CountDone(name);
        }
        catch (HalfWayException)
        {
            tally.CountDone(name);
        }
        catch (Exception exception) when (IsOfTheTrade(exception))
        {
            // Somebody else was faster. The transaction is rolled back, and nothing is counted.
            tally.CountGivenUp(name);
        }
        catch (Exception exception)
        {
            tally.Surprises.Enqueue($"{name} of {tenant}: {exception}");
        }
    }

    private IDbContextFactory<LoadContext> Factory
        => services.GetRequiredService<IDbContextFactory<LoadContext>>();

    private static bool IsOfTheTrade(Exception exception)
        => exception is DbUpdateConcurrencyException
            || (exception as PostgresException ?? exception.InnerException as PostgresException)?.SqlState
                is PostgresErrorCodes.ForeignKeyViolation or PostgresErrorCodes.DeadlockDetected;

    private async Task QueryAsync(LoadContext db)
    {
        Check(db, await db.Shipments.OrderByDescending(j => j.Id).Take(10).ToListAsync());
        Check(db, await db.Memos.OrderByDescending(m => m.Id).Take(10).ToListAsync());
        var some = await db.Shipments.OrderBy(j => j.Id).Select(j => j.Id).FirstOrDefaultAsync();
        Check(db, await db.Shipments.FindAsync(some) is { } shipment ? [shipment] : []);
    }

    private async Task QueryUntrackedAsync(LoadContext db)
    {
        Check(await db.Legs.AsNoTracking().Join(db.Shipments, s => s.ShipmentId, j => j.Id, (s, j) => s.Payload).Take(20).ToListAsync());
        Check(await db.Memos.Select(m => m.TenantId!).Distinct().ToListAsync());
        Check(await db.Memos.Select(m => m.Payload).Union(db.Shipments.Select(j => j.Payload)).OrderByDescending(p => p).Take(20).ToListAsync());
    }

    private async Task QueryCompiledAsync(LoadContext db)
    {
        var rows = new List<Shipment>();
        await foreach (var shipment in CompiledShipments(db, random.Next(500)))
        {
            rows.Add(shipment);
        }

        Check(db, rows);
        if (tenant == "Red" && CompiledCountOfMine(db) != 0)
        {
            tally.Crossings.Enqueue("A compiled query of Red counted rows of Green");
        }
    }

    private async Task IncludeAsync(LoadContext db)
    {
        var query = db.Shipments.Include(j => j.Legs).OrderByDescending(j => j.Id).Take(5);
        var shipments = await (random.Next(2) == 0 ? query.AsSplitQuery() : query).ToListAsync();
        Check(db, shipments);
        Check(db, shipments.SelectMany(j => j.Legs));
    }

    private async Task InsertAsync(LoadContext db)
    {
        db.AddRange(NewMemo(tenant), NewMemo(tenant), new Shipment { Payload = Payload(tenant) });
        await db.SaveChangesAsync();
        tally.CountRows("Memos", tenant, 2);
        tally.CountRows("Shipments", tenant, 1);
    }

    private async Task InsertGraphAsync(LoadContext db)
    {
        var shipment = new Shipment { Payload = Payload(tenant), Legs = { new Leg { Payload = Payload(tenant) }, new Leg { Payload = Payload(tenant) } } };
        db.Add(shipment);
        db.SaveChanges();
        Check(db, shipment.Legs);
        tally.CountRows("Shipments", tenant, 1);
        tally.CountRows("Legs", tenant, 2);
        var parent = await db.Shipments.OrderBy(j => j.Id).FirstAsync();
        db.Add(new Leg { Payload = Payload(tenant), ShipmentId = parent.Id });
        await db.SaveChangesAsync();
        tally.CountRows("Legs", tenant, 1);
    }

    private async Task UpdateAsync(LoadContext db)
    {
        var shipments = await db.Shipments.Include(j => j.Legs).OrderByDescending(j => j.Id).Skip(random.Next(50)).Take(3).AsSplitQuery().ToListAsync();
        Check(db, shipments);
        shipments.ForEach(j => j.Payload = Payload(tenant));
        shipments.SelectMany(j => j.Legs).ToList().ForEach(s => s.Payload = Payload(tenant));
        await db.SaveChangesAsync();
    }

    private async Task UpdateDisconnectedAsync(LoadContext db)
    {
        var id = await db.Shipments.OrderByDescending(j => j.Id).Skip(random.Next(50)).Select(j => j.Id).FirstOrDefaultAsync();
        if (id != 0)
        {
            db.Update(new Shipment { Id = id, Payload = Payload(tenant) });
            await db.SaveChangesAsync();
        }
    }

    private async Task DeleteAsync(LoadContext db)
    {
        var memos = await db.Memos.OrderBy(m => m.Id).Take(2).ToListAsync();
        Check(db, memos);
        db.RemoveRange(memos);
        await db.SaveChangesAsync();
        tally.CountRows("Memos", tenant, -memos.Count);
    }

    private async Task ExecuteUpdateAsync(LoadContext db)
    {
        var (payload, rest) = (Payload(tenant), random.Next(97));
        await db.Memos.OrderByDescending(m => m.Id).Take(3).ExecuteUpdateAsync(s => s.SetProperty(m => m.Payload, payload));
        await db.Legs.Where(s => s.Id % 97 == rest).ExecuteUpdateAsync(s => s.SetProperty(x => x.Payload, payload));
    }

    private async Task ExecuteDeleteAsync(LoadContext db)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        var shipment = await db.Shipments.OrderBy(j => j.Id).Skip(random.Next(20)).FirstOrDefaultAsync();
        if (shipment is not null)
        {
            Check(db, [shipment]);
            var legs = await db.Legs.Where(s => s.ShipmentId == shipment.Id).ExecuteDeleteAsync();
            db.Remove(shipment);
            await db.SaveChangesAsync();
            await transaction.CommitAsync();
            tally.CountRows("Legs", tenant, -legs);
            tally.CountRows("Shipments", tenant, -1);
        }
    }

    private async Task ForTenantAsync(LoadContext db)
    {
        var other = db.Tenancy().ForTenant(_other);
        var theirs = await other.Set<Memo>().OrderByDescending(m => m.Id).Take(5).ToListAsync();
        Check(db, theirs, _other);
        Check(db, await db.Memos.OrderByDescending(m => m.Id).Take(5).ToListAsync());
        other.Add(NewMemo(_other));
        db.Add(NewMemo(tenant));
        if (theirs is [var first, ..])
        {
            first.Payload = Payload(_other);
        }

        await db.SaveChangesAsync();
        tally.CountRows("Memos", _other, 1);
        tally.CountRows("Memos", tenant, 1);
    }

    // The scope is sometimes left to the pool to end.
    private async Task AcrossTenantsAsync(LoadContext db)
    {
        var scope = db.Tenancy().AcrossTenants("load");
        foreach (var memo in await db.Memos.OrderByDescending(m => m.Id).Take(10).ToListAsync())
        {
            Check(db, [memo], memo.TenantId!);
        }

        if (random.Next(2) == 0)
        {
            scope.Dispose();
            db.ChangeTracker.Clear();
            Check(db, await db.Memos.OrderByDescending(m => m.Id).Take(10).ToListAsync());
        }
    }

    private async Task TransactionAsync(LoadContext db, Exception? exception)
    {
        await using var transaction = await db.Database.BeginTransactionAsync();
        db.Add(NewMemo(tenant));
        await db.SaveChangesAsync();
        Check(db, await db.Memos.OrderByDescending(m => m.Id).Take(3).ToListAsync());
        db.Add(NewMemo(tenant));
        if (exception is not null)
        {
            throw exception;
        }

        await db.SaveChangesAsync();
        await transaction.CommitAsync();
        tally.CountRows("Memos", tenant, 2);
    }

    // Whether a cancelled COMMIT took place nobody knows, so it is not among what is cancelled.
    private async Task CancelledAsync(LoadContext db)
    {
        using var source = new CancellationTokenSource();
        try
        {
            await using var transaction = await db.Database.BeginTransactionAsync(source.Token);
            source.CancelAfter(TimeSpan.FromMilliseconds(random.Next(8)));
            db.AddRange(Enumerable.Range(0, 5).Select(_ => NewMemo(tenant)));
            await db.SaveChangesAsync(source.Token);
            Check(db, await db.Memos.OrderBy(m => m.Id).Take(50).ToListAsync(source.Token));
            await transaction.CommitAsync(CancellationToken.None);
            tally.CountRows("Memos", tenant, 5);
        }
        catch (OperationCanceledException)
        {
        }
    }

    private async Task LeaveTrackingAsync(LoadContext db)
    {
        Check(db, await db.Shipments.OrderByDescending(j => j.Id).Take(5).ToListAsync());
        db.Add(new Shipment { Payload = "never saved" });
        db.Update(new Memo { Id = 1, Payload = "never saved" });
        db.Tenancy().ForTenant(_other).Add(new Memo { Payload = "never saved" });
        db.Tenancy().ForTenant(_other).Attach(new Shipment { Id = int.MaxValue, Payload = "never saved" });
    }

    private async Task StealAsync(LoadContext db)
    {
        var theirs = await db.Memos.Where(m => m.TenantIsOneOf(_other)).OrderByDescending(m => m.Id).FirstOrDefaultAsync();
        if (theirs is null)
        {
            return;
        }

        Check(db, [theirs], _other);
        theirs.Payload = "stolen";
        await ExpectAsync<CrossTenantWriteException>(db);

        db.ChangeTracker.Clear();
        db.Remove(new Memo { Id = theirs.Id, Payload = "" });
        await ExpectAsync<DbUpdateConcurrencyException>(db);

        db.ChangeTracker.Clear();
        if (await db.Memos.FindAsync(theirs.Id) is not null
            || await db.Memos.Where(m => m.Id == theirs.Id).ExecuteDeleteAsync() != 0)
        {
            tally.Crossings.Enqueue($"{tenant} reached a row of {_other} by its id");
        }
    }

    private async Task BulkInsertAsync(LoadContext db)
    {
        await db.Tenancy().BulkInsertAsync(Enumerable.Range(0, 3).Select(_ => NewMemo(tenant)));
        tally.CountRows("Memos", tenant, 3);
    }

    private async Task ExpectAsync<TException>(LoadContext db)
        where TException : Exception
    {
        try
        {
            await db.SaveChangesAsync();
            tally.Crossings.Enqueue($"{tenant} wrote a row of {_other}");
        }
        catch (TException)
        {
        }
    }

    private Memo NewMemo(string owner)
        => new() { Payload = Payload(owner) };

    private string Payload(string owner)
        => $"{owner}/{tenant}/{random.Next()}";

    private void Check(LoadContext db, IEnumerable<IPayload> rows, string? owner = null)
    {
        owner ??= tenant;
        var list = rows.ToList();
        Check(list.Select(r => r.Payload), owner);
        foreach (var row in list)
        {
            if (db.Tenancy().TenantOf(row) != owner)
            {
                tally.Crossings.Enqueue($"{tenant} got a {row.GetType().Name} of {db.Tenancy().TenantOf(row)}, not of {owner}");
            }
        }

        if (db.Tenancy().TenantId != tenant)
        {
            tally.Crossings.Enqueue($"A context of {tenant} works for {db.Tenancy().TenantId}");
        }
    }

    private void Check(IEnumerable<string> payloads, string? owner = null)
    {
        owner ??= tenant;
        var list = payloads.ToList();
        tally.CountRead(list.Count);
        foreach (var payload in list.Where(p => p.Split('/')[0] != owner))
        {
            tally.Crossings.Enqueue($"{tenant} read '{payload}' where only rows of {owner} were asked for");
        }
    }

    private sealed class HalfWayException : Exception;
}
