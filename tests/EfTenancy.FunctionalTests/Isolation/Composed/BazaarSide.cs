using System.Data;
using System.Data.Common;
using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>
///     Where a unit of work is done: contexts of one tenant in one transaction, which is rolled back. Where the databases of plain EF have
///     all tenants, it may reach the rows of others too.
/// </summary>
/// <param name="databases">Have the tables.</param>
/// <param name="own">The tenant's number.</param>
/// <param name="holder">Has the transaction, so that no other context ends it.</param>
public abstract class BazaarSide(BazaarDatabases databases, int own, BazaarContext holder) : IAsyncDisposable
{
    private readonly List<BazaarContext> _contexts = [];
    private DbTransaction? _transaction;

    /// <summary>What <see cref="Own" /> is for a context of several tenants.</summary>
    protected const int Nobody = -1;

    /// <summary>The tenant whose rows are written without naming it.</summary>
    public int Own
        => IsOfNobody ? Nobody : First;

    /// <summary>Whether each row that is added is to be given its tenant.</summary>
    public bool IsOfNobody
        => Databases.IsGroup(First);

    /// <summary>The tenant, or the first of several.</summary>
    protected int First { get; private set; } = own;

    /// <summary>Whether rows of a tenant are read without naming it.</summary>
    public bool Reads(int tenant)
        => Databases.Readable(First).Contains(tenant);

    /// <summary>Whether work for other tenants is a part of it.</summary>
    public bool IsOfSeveralTenants
        => Databases.PlainHasAllTenants;

    /// <summary>Whether rows of others are there too, so that each tells whose it is.</summary>
    public bool HasRowsOfOthers
        => IsOfSeveralTenants || Databases.HaveSharedRows;

    protected BazaarDatabases Databases { get; } = databases;

    protected abstract BazaarContext CreateContext();

    /// <summary>Where another tenant's work is done.</summary>
    public abstract BazaarSide Of(int tenant);

    /// <summary>All rows that the unit of work may have written.</summary>
    public abstract Task<List<string>> RowsAsync();

    /// <summary>Begins work for all tenants.</summary>
    public abstract IDisposable AcrossTenants(BazaarContext db);

    /// <summary>The rows of a tenant; those of all in <see cref="AcrossTenants" />.</summary>
    public abstract IQueryable<T> Set<T>(BazaarContext db, IEntityType type, int tenant)
        where T : class;

    /// <summary>Finds a row of a tenant by its key.</summary>
    public abstract Task FindAsync<T>(BazaarContext db, IEntityType type, object[] key, int tenant)
        where T : class;

    /// <summary>Adds an object for a tenant, updates, attaches or removes it.</summary>
    public abstract void Track<T>(BazaarContext db, TrackVerb verb, T row, int tenant)
        where T : class;

    /// <summary>The number of the tenant whose row an entry is; rows that EF makes between others, and parts, have keys that begin with their owner's.</summary>
    public int TenantOf(EntityEntry entry)
        => !HasRowsOfOthers ? Own
            : entry.Entity is OrderLine line ? line.OrderId / 100 - 1
            : entry.Metadata.IsOwned() ? (int)entry.Property(entry.Metadata.FindPrimaryKey()!.Properties.First(p => p.ClrType == typeof(int))).CurrentValue! / 100 - 1
            : (int)entry.Property(nameof(Item.Origin)).CurrentValue!;

    public virtual Task<int> SaveAsync(BazaarContext db, bool isAsync)
        => isAsync ? db.SaveChangesAsync() : Task.FromResult(db.SaveChanges());

    protected static DbSet<T> SetOf<T>(BazaarContext db, IEntityType type)
        where T : class
        => type.HasSharedClrType ? db.Set<T>(type.Name) : db.Set<T>();

    protected static void Track<T>(DbSet<T> set, TrackVerb verb, T row)
        where T : class
        => _ = verb switch
        {
            TrackVerb.Add => set.Add(row),
            TrackVerb.Attach => set.Attach(row),
            TrackVerb.Update => set.Update(row),
            _ => set.Remove(row),
        };

    /// <summary>Another context in the same transaction.</summary>
    public async Task<BazaarContext> ContextAsync()
    {
        var db = CreateContext();
        _contexts.Add(db);
        _transaction ??= (await holder.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted)).GetDbTransaction();
        db.Database.SetDbConnection(_transaction.Connection);
        await db.Database.UseTransactionAsync(_transaction);
        return db;
    }

    /// <summary>Ends all contexts, with what they track, and goes on for a tenant in the same transaction.</summary>
    public async Task EndContextsAsync(int next)
    {
        foreach (var db in _contexts)
        {
            await db.DisposeAsync();
        }

        _contexts.Clear();
        First = next;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await EndContextsAsync(First);
        await holder.DisposeAsync();
    }

    /// <summary>What the tables hold, with the tenant in front where there is one, and the number of the tenant whose row it should be.</summary>
    protected async Task<List<(string? Tenant, string Row)>> TablesAsync()
    {
        await using var command = _transaction!.Connection!.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = string.Join(" UNION ALL ", Tables(holder));
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<(string?, string)>();
        while (await reader.ReadAsync())
        {
            rows.Add((reader.IsDBNull(0) ? null : reader.GetString(0), reader.GetString(1)));
        }

        rows.Sort((x, y) => string.CompareOrdinal(x.Item2, y.Item2));
        return rows;
    }

    // The database's own ids are others for each.
    private IEnumerable<string> Tables(BazaarContext db)
        => from table in db.Model.GetRelationalModel().Tables
           let tenant = table.FindColumn(TenancyDefaults.TenantPropertyName) is null ? "NULL" : $"\"{TenancyDefaults.TenantPropertyName}\""
           let id = table.Name == nameof(Note) ? " - 'Id'" : ""
           let key = table.Name switch { nameof(Price) => "ProductId", nameof(OrderLine) => "OrderId", _ => "Id" }
           let origin = !HasRowsOfOthers ? Own.ToString(CultureInfo.InvariantCulture)
               : table.FindColumn(nameof(Item.Origin)) is null || key == "OrderId" ? $"\"{key}\" / 100 - 1"
               : "\"Origin\""
           select $"""
               SELECT {tenant}::text, '{table.Name} ' || ({origin})::text || (to_jsonb(t) - '{TenancyDefaults.TenantPropertyName}'{id})::text FROM "{table.Name}" t
               """;
}

public enum TrackVerb
{
    Add,
    Attach,
    Update,
    Remove,
}
