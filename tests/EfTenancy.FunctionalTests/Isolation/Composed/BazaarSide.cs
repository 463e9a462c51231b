using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation.Composed;

/// <summary>Where a unit of work is done: contexts of one tenant in one transaction, which is rolled back.</summary>
public abstract class BazaarSide(int own) : IAsyncDisposable
{
    private readonly List<BazaarContext> _contexts = [];
    private DbTransaction? _transaction;

    public int Own { get; } = own;

    protected abstract BazaarContext CreateContext();

    /// <summary>All rows that the tenant has.</summary>
    public abstract Task<List<string>> RowsAsync();

    /// <summary>Another context in the same transaction.</summary>
    public async Task<BazaarContext> ContextAsync()
    {
        var db = CreateContext();
        _contexts.Add(db);
        if (_transaction is null)
        {
            _transaction = (await db.Database.BeginTransactionAsync(IsolationLevel.ReadCommitted)).GetDbTransaction();
        }
        else
        {
            db.Database.SetDbConnection(_transaction.Connection);
            await db.Database.UseTransactionAsync(_transaction);
        }

        return db;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var db in _contexts.AsEnumerable().Reverse())
        {
            await db.DisposeAsync();
        }
    }

    /// <summary>What the tables hold, with the tenant in front where there is one.</summary>
    protected async Task<List<(string? Tenant, string Row)>> TablesAsync()
    {
        await using var command = _transaction!.Connection!.CreateCommand();
        command.Transaction = _transaction;
        command.CommandText = string.Join(" UNION ALL ", Tables(_contexts[0]));
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
    private static IEnumerable<string> Tables(BazaarContext db)
        => from table in db.Model.GetRelationalModel().Tables
           let tenant = table.FindColumn(TenancyDefaults.TenantPropertyName) is null ? "NULL" : $"\"{TenancyDefaults.TenantPropertyName}\""
           let id = table.Name == nameof(Note) ? " - 'Id'" : ""
           select $"""SELECT {tenant}::text, '{table.Name} ' || (to_jsonb(t) - '{TenancyDefaults.TenantPropertyName}'{id})::text FROM "{table.Name}" t""";
}

public sealed class PlainSide(BazaarDatabases databases, int own) : BazaarSide(own)
{
    public override async Task<List<string>> RowsAsync()
        => [.. (await TablesAsync()).Select(r => r.Row)];

    protected override BazaarContext CreateContext()
        => databases.Plain(Own);
}

public sealed class TenantedSide(BazaarDatabases databases, int own) : BazaarSide(own)
{
    private string? _others;

    public override async Task<List<string>> RowsAsync()
    {
        var rows = await TablesAsync();
        var others = string.Join('\n', rows.Where(r => r.Tenant != databases.Tenants(Own)).OrderBy(r => r.Tenant, StringComparer.Ordinal));
        Assert.Equal(_others ??= others, others);
        return [.. rows.Where(r => r.Tenant == databases.Tenants(Own)).Select(r => r.Row)];
    }

    protected override BazaarContext CreateContext()
    {
        var db = databases.Tenanted();
        db.Tenancy().Use(databases.Tenants(Own));
        return db;
    }
}
