using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>
///     Random operations. Each draws its arguments first and returns what to do with a context, so that the same thing can be
///     done twice; its answer is a text.
/// </summary>
public sealed class OracleOperations(Random random)
{
    private const int Keys = 12;
    private static readonly string[] Words = ["alpha", "beta", "gamma", "delta"];

    public (string Name, Func<OracleContext, Task<string>> Run) Next()
    {
        Func<(string, Func<OracleContext, Task<string>>)>[] operations =
        [
            AddClient, AddClient, AddJobGraph, AddJobGraph, AddJobGraph, AddStep, AddStep, AddLabel,
            ChangeTracked, ChangeDisconnected, ChangeDisconnectedGraph, AttachAndChange, RemoveTracked, RemoveStub, RemoveJobWithSteps,
            ChangeOwned, ChangeOwnedCollection, ChangeParent, ChangeLabels, ChangeKeyOfReference,
            BulkUpdate, BulkDelete, SeveralInOneSave, RolledBack,
            ReadJobs, ReadWithInclude, ReadSplit, ReadJoined, ReadGrouped, ReadWithSubqueries, ReadUnion, ReadDerived, ReadBySql,
            ReadProjected, FindOne, LoadExplicitly, ReadDatabaseValues, Reload, CountAll, ReadUnfilteredByUser,
        ];

        return operations[random.Next(operations.Length)]();
    }

    /// <summary>Everything that the context can see.</summary>
    public static async Task<string> Everything(OracleContext db)
        => Text(await db.Clients.OrderBy(c => c.Id).Select(c => $"{c.Id} {c.Name} {c.Email} {c.Address!.City} {string.Join('+', c.Phones.OrderBy(p => p.Id).Select(p => p.Number))}").ToListAsync())
            + Text(await db.Jobs.IgnoreQueryFilters([OracleContext.HiddenFilter]).OrderBy(j => j.Id)
                .Select(j => $"{j.Id} {j.Title} {j.Amount} {j.IsHidden} {j.ClientId} {j.ParentId} {string.Join('+', j.Labels.OrderBy(l => l.Id).Select(l => l.Id))}").ToListAsync())
            + Text(await db.Steps.OrderBy(s => s.Id).Select(s => $"{s.Id} {s.JobId} {s.Count}").ToListAsync())
            + Text(await db.Labels.OrderBy(l => l.Id).Select(l => $"{l.Id} {l.Name}").ToListAsync());

    private int Key()
        => random.Next(1, Keys + 1);

    private int? MaybeKey()
        => random.Next(3) == 0 ? null : Key();

    private int Number()
        => random.Next(100);

    private string Word()
        => Words[random.Next(Words.Length)];

    private (string, Func<OracleContext, Task<string>>) AddClient()
    {
        var (id, word, number, owned) = (Key(), Word(), random.Next(6), random.Next(2) == 0);
        return ($"AddClient {id} {word} {number}", db =>
        {
            var client = new Client { Id = id, Name = word, Email = $"{number}@x", Address = owned ? new Place { City = word } : null };
            if (owned)
            {
                client.Phones.Add(new Phone { Id = number, Number = word });
            }

            db.Add(client);
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) AddJobGraph()
    {
        var (id, word, number, client, parent, urgent) = (Key(), Word(), Number(), MaybeKey(), MaybeKey(), random.Next(3) == 0);
        var steps = Enumerable.Range(0, random.Next(3)).Select(_ => Key()).Distinct().ToList();
        return ($"AddJobGraph {id} client {client} parent {parent} steps {string.Join(',', steps)}", db =>
        {
            var job = urgent
                ? new UrgentJob { Id = id, Title = word, Hours = number }
                : new Job { Id = id, Title = word };
            (job.Amount, job.ClientId, job.ParentId, job.IsHidden) = (number, client, parent, number > 90);
            job.Steps.AddRange(steps.Select(s => new Step { Id = s, Count = number }));
            db.Add(job);
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) AddStep()
    {
        var (id, job, number) = (Key(), Key(), Number());
        return ($"AddStep {id} job {job}", db =>
        {
            db.Add(new Step { Id = id, JobId = job, Count = number });
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) AddLabel()
    {
        var (id, word) = (random.Next(1, 5), Word());
        return ($"AddLabel {id}", db =>
        {
            db.Add(new Label { Id = id, Name = word });
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeTracked()
    {
        var (id, word, number) = (Key(), Word(), Number());
        return ($"ChangeTracked {id}", async db =>
        {
            if (await db.Jobs.SingleOrDefaultAsync(j => j.Id == id) is not { } job)
            {
                return "none";
            }

            (job.Title, job.Amount, job.IsHidden) = (word, number, number > 90);
            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeDisconnected()
    {
        var (id, word, number, client) = (Key(), Word(), Number(), MaybeKey());
        return ($"ChangeDisconnected {id} client {client}", db =>
        {
            db.Update(new Job { Id = id, Title = word, Amount = number, ClientId = client });
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeDisconnectedGraph()
    {
        var (id, word, step, number) = (Key(), Word(), Key(), Number());
        return ($"ChangeDisconnectedGraph {id} step {step}", db =>
        {
            db.Update(new Client { Id = id, Name = word, Email = $"{number}@y", Jobs = { new Job { Id = id, Title = word, Steps = { new Step { Id = step, Count = number } } } } });
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) AttachAndChange()
    {
        var (id, number) = (Key(), Number());
        return ($"AttachAndChange {id}", db =>
        {
            db.Attach(new Step { Id = id, JobId = id }).Entity.Count = number + 1;
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) RemoveTracked()
    {
        var id = Key();
        return ($"RemoveTracked {id}", async db =>
        {
            if (await db.Clients.Include(c => c.Jobs).SingleOrDefaultAsync(c => c.Id == id) is not { } client)
            {
                return "none";
            }

            db.Remove(client);
            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) RemoveStub()
    {
        var (id, kind) = (Key(), random.Next(3));
        return ($"RemoveStub {id} {kind}", db =>
        {
            db.Remove(kind switch
            {
                0 => new Step { Id = id },
                1 => new Client { Id = id, Name = "", Email = "" },
                _ => (object)new Job { Id = id, Title = "" },
            });
            return Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) RemoveJobWithSteps()
    {
        var id = Key();
        return ($"RemoveJobWithSteps {id}", async db =>
        {
            db.RemoveRange(await db.Jobs.Include(j => j.Steps).Include(j => j.Children).Where(j => j.Id == id).ToListAsync());
            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeOwned()
    {
        var (id, word, clear) = (Key(), Word(), random.Next(3) == 0);
        return ($"ChangeOwned {id} {clear}", async db =>
        {
            if (await db.Clients.FindAsync(id) is not { } client)
            {
                return "none";
            }

            client.Address = clear ? null : new Place { City = word };
            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeOwnedCollection()
    {
        var (id, word, number) = (Key(), Word(), Key());
        return ($"ChangeOwnedCollection {id} {number}", async db =>
        {
            if (await db.Clients.SingleOrDefaultAsync(c => c.Id == id) is not { } client)
            {
                return "none";
            }

            if (client.Phones.Count > 1)
            {
                client.Phones.Remove(client.Phones.MinBy(p => p.Id)!);
            }
            else
            {
                client.Phones.Add(new Phone { Id = number, Number = word });
            }

            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeParent()
    {
        var (id, parent) = (Key(), MaybeKey());
        return ($"ChangeParent {id} {parent}", async db =>
        {
            var job = await db.Jobs.FindAsync(id);
            var other = parent is null ? null : await db.Jobs.FindAsync(parent);
            if (job is null || job == other)
            {
                return "none";
            }

            job.Parent = other;
            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeLabels()
    {
        var (id, label, remove) = (Key(), random.Next(1, 5), random.Next(2) == 0);
        return ($"ChangeLabels {id} {label} {remove}", async db =>
        {
            var job = await db.Jobs.Include(j => j.Labels).SingleOrDefaultAsync(j => j.Id == id);
            var other = await db.Labels.FindAsync(label);
            if (job is null || other is null)
            {
                return "none";
            }

            if (remove)
            {
                job.Labels.Remove(other);
            }
            else if (!job.Labels.Contains(other))
            {
                job.Labels.Add(other);
            }

            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ChangeKeyOfReference()
    {
        var (id, job) = (Key(), Key());
        return ($"ChangeKeyOfReference {id} {job}", async db =>
        {
            if (await db.Steps.FindAsync(id) is not { } step)
            {
                return "none";
            }

            step.JobId = job;
            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) BulkUpdate()
    {
        var (word, number, id) = (Word(), Number(), Key());
        return ($"BulkUpdate {word} {number} {id}", async db =>
            Text(
                await db.Jobs.Where(j => j.Title == word).ExecuteUpdateAsync(s => s.SetProperty(j => j.Amount, j => j.Amount + number)),
                await db.Steps.Where(s => s.Job!.ClientId == id).ExecuteUpdateAsync(s => s.SetProperty(x => x.Count, number))));
    }

    private (string, Func<OracleContext, Task<string>>) BulkDelete()
    {
        var (number, word) = (Number(), Word());
        return ($"BulkDelete {number}", async db =>
            Text(await db.Steps.Where(s => s.Count == number || (s.Job!.Title == word && s.Count < 10)).ExecuteDeleteAsync()));
    }

    private (string, Func<OracleContext, Task<string>>) SeveralInOneSave()
    {
        var (client, job, step, word, number) = (Key(), Key(), Key(), Word(), random.Next(6));
        return ($"SeveralInOneSave {client} {job} {step}", async db =>
        {
            db.Add(new Client { Id = client, Name = word, Email = $"{number}@z" });
            db.Add(new Step { Id = step, JobId = job, Count = number });
            if (await db.Jobs.FindAsync(job) is { } found)
            {
                found.ClientId = client;
            }

            return await Save(db);
        });
    }

    private (string, Func<OracleContext, Task<string>>) RolledBack()
    {
        var (id, word) = (Key(), Word());
        return ($"RolledBack {id}", async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            db.Add(new Client { Id = id, Name = word, Email = $"{id}@r" });
            var saved = await Save(db);
            return saved.StartsWith('1') ? saved + await CountText(db) : saved;
        });
    }

    private (string, Func<OracleContext, Task<string>>) ReadJobs()
    {
        var (number, skip) = (Number(), random.Next(4));
        return ($"ReadJobs {number} {skip}", async db =>
            Text(await db.Jobs.Where(j => j.Amount > number).OrderBy(j => j.Title).ThenBy(j => j.Id).Skip(skip).Take(5).Select(j => j.Id).ToListAsync()));
    }

    private (string, Func<OracleContext, Task<string>>) ReadWithInclude()
    {
        var id = Key();
        return ($"ReadWithInclude {id}", async db =>
        {
            var clients = await db.Clients.Include(c => c.Jobs.Where(j => j.Amount > 10).OrderBy(j => j.Id)).ThenInclude(j => j.Steps)
                .Include(c => c.Jobs).ThenInclude(j => j.Labels).Where(c => c.Id <= id).OrderBy(c => c.Id).ToListAsync();
            return Describe(clients);
        });
    }

    private (string, Func<OracleContext, Task<string>>) ReadSplit()
        => ("ReadSplit", async db => Describe(
            await db.Clients.AsSplitQuery().AsNoTracking().Include(c => c.Jobs).ThenInclude(j => j.Steps).Include(c => c.Jobs)
                .ThenInclude(j => j.Labels).OrderBy(c => c.Id).ToListAsync()));

    private (string, Func<OracleContext, Task<string>>) ReadJoined()
    {
        var number = Number();
        return ($"ReadJoined {number}", async db => Text(
            await (from j in db.Jobs
                   join s in db.Steps on j.Id equals s.JobId
                   join c in db.Clients on j.ClientId equals c.Id into cs
                   from c in cs.DefaultIfEmpty()
                   where s.Count > number
                   orderby j.Id, s.Id
                   select $"{j.Id} {s.Id} {c.Name}").ToListAsync()));
    }

    private (string, Func<OracleContext, Task<string>>) ReadGrouped()
        => ("ReadGrouped", async db => Text(
            await db.Jobs.GroupBy(j => j.Title).OrderBy(g => g.Key).Select(g => $"{g.Key} {g.Count()} {g.Sum(j => j.Amount)} {g.Max(j => j.Id)}").ToListAsync()));

    private (string, Func<OracleContext, Task<string>>) ReadWithSubqueries()
    {
        var (number, ids) = (Number(), Enumerable.Range(0, 3).Select(_ => Key()).ToArray());
        return ($"ReadWithSubqueries {number}", async db => Text(
            await db.Clients.Where(c => db.Jobs.Any(j => j.ClientId == c.Id && db.Steps.Count(s => s.JobId == j.Id) > 0) || ids.Contains(c.Id))
                .OrderBy(c => c.Id).Select(c => $"{c.Id} {db.Jobs.Count()} {db.Steps.Max(s => (int?)s.Count)} {c.Jobs.Count(j => j.Amount > number)}").ToListAsync()));
    }

    private (string, Func<OracleContext, Task<string>>) ReadUnion()
    {
        var word = Word();
        return ($"ReadUnion {word}", async db => Text(
            await db.Clients.Select(c => c.Name).Union(db.Labels.Select(l => l.Name)).Concat(db.Jobs.Where(j => j.Title == word).Select(j => j.Title))
                .Except(db.Labels.Where(l => l.Name == word).Select(l => l.Name)).OrderBy(n => n).ToListAsync()));
    }

    private (string, Func<OracleContext, Task<string>>) ReadDerived()
        => ("ReadDerived", async db => Text(
            await db.Set<UrgentJob>().OrderBy(j => j.Id).Select(j => $"{j.Id} {j.Hours}").ToListAsync(),
            await db.Jobs.OfType<UrgentJob>().CountAsync(j => j.Children.Any(c => c is UrgentJob))));

    private (string, Func<OracleContext, Task<string>>) ReadBySql()
    {
        var number = Number();
        return ($"ReadBySql {number}", async db => Text(
            await db.Steps.FromSql($"SELECT * FROM \"Steps\" WHERE \"Count\" >= {number}").OrderBy(s => s.Id).Select(s => $"{s.Id} {s.Job!.Title}").ToListAsync()));
    }

    private (string, Func<OracleContext, Task<string>>) ReadProjected()
        => ("ReadProjected", async db => Text(
            (await db.Labels.OrderBy(l => l.Id).Select(l => new { l.Name, Jobs = l.Jobs.OrderBy(j => j.Id).Select(j => new { j.Title, Client = j.Client!.Name, Steps = j.Steps.Sum(s => s.Count) }).ToList() }).ToListAsync())
                .Select(l => $"{l.Name}: {string.Join(',', l.Jobs)}")));

    private (string, Func<OracleContext, Task<string>>) FindOne()
    {
        var id = Key();
        return ($"FindOne {id}", async db => Text(
            (await db.Jobs.FindAsync(id))?.Title, db.Clients.Find(id)?.Name, (await db.FindAsync<Step>(id))?.Count, (await db.Jobs.FindAsync(id))?.Amount));
    }

    private (string, Func<OracleContext, Task<string>>) LoadExplicitly()
    {
        var id = Key();
        return ($"LoadExplicitly {id}", async db =>
        {
            if (await db.Jobs.FindAsync(id) is not { } job)
            {
                return "none";
            }

            await db.Entry(job).Collection(j => j.Steps).LoadAsync();
            await db.Entry(job).Reference(j => j.Client).LoadAsync();
            await db.Entry(job).Collection(j => j.Labels).Query().Where(l => l.Id > 1).LoadAsync();
            return Text(job.Steps.Select(s => s.Id).Order(), job.Client?.Name, job.Labels.Select(l => l.Id).Order());
        });
    }

    private (string, Func<OracleContext, Task<string>>) ReadDatabaseValues()
    {
        var id = Key();
        return ($"ReadDatabaseValues {id}", async db =>
            Text((await db.Attach(new Step { Id = id, JobId = 1 }).GetDatabaseValuesAsync())?.GetValue<int>("Count")));
    }

    private (string, Func<OracleContext, Task<string>>) Reload()
    {
        var id = Key();
        return ($"Reload {id}", async db =>
        {
            var entry = db.Attach(new Label { Id = id, Name = "?" });
            await entry.ReloadAsync();
            return Text(entry.State, entry.Entity.Name);
        });
    }

    private (string, Func<OracleContext, Task<string>>) CountAll()
        => ("CountAll", CountText);

    private (string, Func<OracleContext, Task<string>>) ReadUnfilteredByUser()
        => ("ReadUnfilteredByUser", async db => Text(await db.Jobs.IgnoreQueryFilters([OracleContext.HiddenFilter]).CountAsync()));

    private static async Task<string> CountText(OracleContext db)
        => Text(await db.Clients.CountAsync(), await db.Jobs.CountAsync(), await db.Steps.LongCountAsync(), await db.Labels.AnyAsync());

    private static string Describe(IEnumerable<Client> clients)
        => Text(clients.Select(c => $"{c.Id} {c.Address?.City} {string.Join(',', c.Phones.OrderBy(p => p.Id).Select(p => p.Number))} [{string.Join(';', c.Jobs.OrderBy(j => j.Id).Select(j => $"{j.Id} {j.Title} {string.Join(',', j.Steps.Select(s => s.Id).Order())} {string.Join(',', j.Labels.Select(l => l.Id).Order())}"))}]"));

    private static async Task<string> Save(OracleContext db)
        => (await db.SaveChangesAsync()).ToString(CultureInfo.InvariantCulture);

    private static string Text(params object?[] values)
        => string.Join(
            '|', values.Select(v => v is System.Collections.IEnumerable list and not string
                ? "(" + string.Join(", ", list.Cast<object?>()) + ")"
                : Convert.ToString(v, CultureInfo.InvariantCulture)));
}
