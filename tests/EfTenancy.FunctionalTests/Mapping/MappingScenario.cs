using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Mapping;

/// <summary>
///     Takes one mapping through all kinds of reading and writing as Green, while Red holds a graph with the same keys, which must
///     stay as it is. What a graph looks like is compared as JSON; what the tables hold, by SQL past EF.
/// </summary>
/// <param name="Create">A new graph; its texts name the tenant, so that a row in the wrong tenant shows.</param>
/// <param name="Change">Changes every part of the graph.</param>
/// <param name="Stub">The key of an entity and nothing else, for a delete.</param>
public sealed record MappingScenario<TEntity>(Func<string, TEntity> Create, Action<TEntity> Change, Func<TEntity, TEntity> Stub)
    where TEntity : class
{
    private const string Green = "Green";
    private const string Red = "Red";

    private readonly HashSet<string> _tables = [];
    private readonly HashSet<string> _tablesOfRoot = [];
    private Func<string, MappingContext> _contextFor = null!;
    private TestDatabase _database = null!;
    private string[] _redRows = [];

    public string TenantColumn { get; init; } = "TenantId";

    public Func<IQueryable<TEntity>, IQueryable<TEntity>> Load { get; init; } = entities => entities;

    public Func<DbContext, IQueryable<TEntity>> Set { get; init; } = context => context.Set<TEntity>();

    /// <summary>Disconnected entities come from a query without tracking, since only the database knows their keys or versions.</summary>
    public bool IsDetachedByQuery { get; init; }

    /// <summary>EF itself cannot update some graphs that it does not track.</summary>
    public bool CanBeDetached { get; init; } = true;

    public Action<DbContext, TEntity> Add { get; init; } = (context, entity) => context.Add(entity);

    public Action<DbContext, TEntity> Update { get; init; } = (context, entity) => context.Update(entity);

    public Action<DbContext, TEntity> Remove { get; init; } = (context, entity) => context.Remove(entity);

    public async Task RunAsync(Func<string, MappingContext> contextFor, TestDatabase database)
    {
        (_contextFor, _database) = (contextFor, database);

        var red = await InsertAsync(Red);
        _redRows = await RowsAsync(Red);
        await ReadsAndTrackedWritesAsync(await InsertAsync(Green), red);
        if (CanBeDetached)
        {
            await DisconnectedWritesAsync();
        }

        await RemoveAsync(tracked: true);
        await InsertAsync(Green);
        await RemoveAsync(tracked: false);

        await ForeignStubsAsync();
        await ForeignTrackedAsync();
        Assert.Equal(Text(red), Text(await ReadAsync(Red)));
        await ClearAsync(Red);
    }

    private async Task<TEntity> InsertAsync(string tenant)
    {
        await using var context = _contextFor(tenant);
        var entity = Create(tenant);
        Add(context, entity);

        foreach (var entry in context.ChangeTracker.Entries().ToList())
        {
            var names = entry.Metadata.GetTableMappings()
                .Select(m => m.Table.Schema is { } schema ? $"{schema}\".\"{m.Table.Name}" : m.Table.Name)
                .ToList();
            _tables.UnionWith(names);
            if (entry.Entity == entity || entry.Metadata.IsOwned())
            {
                _tablesOfRoot.UnionWith(names);
            }
        }

        await context.SaveChangesAsync();

        foreach (var table in _tables)
        {
            var rows = await RowsAsync(tenant, table);
            Assert.NotEmpty(rows);
            Assert.All(rows, row => Assert.DoesNotContain(tenant == Red ? Green : Red, row, StringComparison.Ordinal));
            Assert.Empty(await _database.ColumnAsync($"""SELECT "{TenantColumn}" FROM "{table}" WHERE "{TenantColumn}" NOT IN ('Green', 'Red')"""));
        }

        return entity;
    }

    private async Task ReadsAndTrackedWritesAsync(TEntity green, TEntity red)
    {
        Assert.Equal(Text(green), Text(await ReadAsync(Green)));
        Assert.Equal(Text(red), Text(await ReadAsync(Red)));
        await ReadBySqlAsync(Green);
        await ReadBySqlAsync(Red);

        await using (var context = _contextFor(Green))
        {
            var all = await Load(Set(context)).AsSplitQuery().IgnoreQueryFilters().ToListAsync();
            Assert.Equal(
                new[] { Text(green), Text(red) }.Order(StringComparer.Ordinal), all.Select(Text).Order(StringComparer.Ordinal));
        }

        await using (var context = _contextFor(Green))
        {
            var entity = await Load(Set(context)).AsSplitQuery().SingleAsync();
            Change(entity);
            await context.SaveChangesAsync();
            await AssertRedUntouchedAsync();
            Assert.NotEqual(Text(green), Text(entity));
            Assert.Equal(Text(entity), Text(await ReadAsync(Green)));
        }
    }

    private async Task ReadBySqlAsync(string tenant)
    {
        await using var byLinq = _contextFor(tenant);
        await using var bySql = _contextFor(tenant);

        // EF takes the SQL for one table.
        if (Set(bySql) is not DbSet<TEntity> { EntityType: var entityType } set
            || entityType.GetTableMappings().Count() > 1
            || entityType.GetRootType().GetDerivedTypes().Any(t => t.GetTableName() != entityType.GetTableName()))
        {
            return;
        }

        var table = entityType.GetTableMappings().Single().Table;
        var sql = bySql.GetService<ISqlGenerationHelper>();
        var columns = string.Join(", ", table.Columns.Select(c => sql.DelimitIdentifier(c.Name)).Reverse());
#pragma warning disable EF1002 // Names that are delimited.
        var rows = set.FromSqlRaw($"SELECT {columns} FROM {sql.DelimitIdentifier(table.Name, table.Schema)}").AsSplitQuery();
#pragma warning restore EF1002
        Assert.Equal(Text(await Set(byLinq).AsSplitQuery().SingleAsync()), Text((await rows.ToListAsync()).Single()));
    }

    private async Task DisconnectedWritesAsync()
    {
        await using var context = _contextFor(Green);
        var entity = await DetachedAsync(Green);

        // Twice, since the row has been changed once.
        Change(entity);
        Change(entity);
        Update(context, entity);
        await context.SaveChangesAsync();
        await AssertRedUntouchedAsync();
        Assert.Equal(Text(entity), Text(await ReadAsync(Green)));
    }

    private async Task RemoveAsync(bool tracked)
    {
        await using (var context = _contextFor(Green))
        {
            Remove(context, tracked ? await Load(Set(context)).AsSplitQuery().SingleAsync() : Stub(await ReadAsync(Green)));
            await context.SaveChangesAsync();
        }

        await AssertRedUntouchedAsync();
        foreach (var table in _tablesOfRoot)
        {
            Assert.Empty(await RowsAsync(Green, table));
        }

        await ClearAsync(Green);
    }

    // Green holds nothing now, so each of these keys is only Red's.
    private async Task ForeignStubsAsync()
    {
        Action<DbContext, TEntity> removeStub = (context, entity) => Remove(context, Stub(entity));
        foreach (var write in CanBeDetached ? [Update, Remove, removeStub] : new[] { removeStub })
        {
            await using var context = _contextFor(Green);
            var entity = await DetachedAsync(Red);
            Change(entity);
            write(context, entity);
            if (await Record.ExceptionAsync(() => context.SaveChangesAsync()) is not CrossTenantWriteException and var exception)
            {
                Assert.IsType<DbUpdateConcurrencyException>(exception);
            }

            await AssertRedUntouchedAsync();
            Assert.Empty(await RowsAsync(Green));
        }
    }

    private async Task ForeignTrackedAsync()
    {
        foreach (var write in (Action<DbContext, TEntity>[])[(_, e) => Change(e), (c, e) => Remove(c, e)])
        {
            await using var context = _contextFor(Green);
            write(context, await Load(Set(context)).AsSplitQuery().IgnoreQueryFilters().SingleAsync());
            await Assert.ThrowsAsync<CrossTenantWriteException>(() => context.SaveChangesAsync());
            await AssertRedUntouchedAsync();
        }
    }

    private async Task<TEntity> DetachedAsync(string tenant)
    {
        if (!IsDetachedByQuery)
        {
            return Create(tenant);
        }

        await using var context = _contextFor(tenant);
        return await Load(Set(context)).AsNoTracking().AsSplitQuery().SingleAsync();
    }

    private async Task<TEntity> ReadAsync(string tenant)
    {
        await using var context = _contextFor(tenant);
        var entity = await Load(Set(context)).AsSingleQuery().SingleAsync();
        Assert.Equal(Text(entity), Text(await Load(Set(context)).AsNoTrackingWithIdentityResolution().AsSplitQuery().SingleAsync()));
        return entity;
    }

    private async Task AssertRedUntouchedAsync()
        => Assert.Equal(_redRows, await RowsAsync(Red));

    private async Task<string[]> RowsAsync(string tenant)
    {
        var rows = new List<string>();
        foreach (var table in _tables.Order(StringComparer.Ordinal))
        {
            rows.AddRange((await RowsAsync(tenant, table)).Select(row => table + row));
        }

        return [.. rows];
    }

    private Task<List<string>> RowsAsync(string tenant, string table)
        => _database.ColumnAsync($"""SELECT t::text FROM "{table}" t WHERE "{TenantColumn}" = '{tenant}' ORDER BY 1""");

    // What a deleted root leaves behind, such as the far side of a many-to-many relationship.
    private async Task ClearAsync(string tenant)
    {
        var left = _tables.ToList();
        while (left.Count > 0)
        {
            var table = left[0];
            left.RemoveAt(0);
            try
            {
                await _database.ExecuteAsync($"""DELETE FROM "{table}" WHERE "{TenantColumn}" = '{tenant}' """);
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ForeignKeyViolation)
            {
                left.Add(table);
            }
        }
    }

    private static string Text(TEntity entity)
        => GraphText.Of(entity);
}
