using EfTenancy.FunctionalTests.Mapping;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

/// <summary>
///     Saves the same entities with SaveChanges and by bulk insert, each into empty tables and for two tenants, and compares all tables
///     column by column, as SQL past EF sees them. Then lets bulk insert return what was generated, and reads that through EF.
/// </summary>
/// <param name="Create">The entities of one tenant, whose texts name it; always the same but for what is generated.</param>
public sealed record BulkInsertScenario<TEntity>(Func<string, IEnumerable<TEntity>> Create)
    where TEntity : class
{
    private static readonly string[] Tenants = ["Green", "Red"];

    /// <summary>Columns, in whatever table, whose values nobody can foresee.</summary>
    public string[] Generated { get; init; } = [];

    /// <summary>What must be there already.</summary>
    public Func<string, IEnumerable<object>> Before { get; init; } = _ => [];

    /// <summary>Lets SaveChanges know what is referenced and there already.</summary>
    public Func<TEntity, object?> Principal { get; init; } = _ => null;

    /// <summary>Whether what EF reads is what was inserted: not so where the database computes a column, or nothing includes a navigation.</summary>
    public bool IsReadBack { get; init; } = true;

    public async Task RunAsync<TContext>(MappingDatabase<TContext> fixture)
        where TContext : MappingContext
    {
        var saved = await RowsOfAsync(
            fixture,
            async (context, tenant) =>
            {
                foreach (var entity in Create(tenant))
                {
                    if (Principal(entity) is { } principal)
                    {
                        context.Attach(principal);
                    }

                    context.Add(entity);
                }

                await context.SaveChangesAsync();
            });

        var inserted = await RowsOfAsync(
            fixture,
            async (context, tenant) =>
            {
                Assert.Equal(Create(tenant).Count(), await context.Tenancy().BulkInsertAsync(Create(tenant)));
                Assert.Empty(context.ChangeTracker.Entries());
            });

        var returned = await RowsOfAsync(
            fixture,
            async (context, tenant) =>
            {
                var entities = Create(tenant).ToList();
                await context.Tenancy().BulkInsertAsync(entities, returnGeneratedValues: true);
                await AssertSameAsync(context, entities);
            });

        Assert.NotEmpty(saved);
        Assert.Equal(saved, inserted);
        Assert.Equal(saved, returned);
    }

    private async Task<List<string>> RowsOfAsync<TContext>(MappingDatabase<TContext> fixture, Func<TContext, string, Task> write)
        where TContext : MappingContext
    {
        var tables = await fixture.Database.EmptyAsync();
        foreach (var tenant in Tenants)
        {
            await using (var context = fixture.For(tenant))
            {
                context.AddRange(Before(tenant));
                await context.SaveChangesAsync();
            }

            await using (var context = fixture.For(tenant))
            {
                await write(context, tenant);
            }
        }

        return await RowsAsync(fixture.Database, tables);
    }

    private async Task AssertSameAsync(DbContext context, List<TEntity> entities)
    {
        // Only what a bulk insert writes: no other entities.
        if (IsReadBack && entities.All(e => Principal(e) is null))
        {
            Assert.Equal(
                entities.Select(GraphText.Of).Order(StringComparer.Ordinal),
                (await context.Set<TEntity>().AsSplitQuery().ToListAsync()).Select(GraphText.Of).Order(StringComparer.Ordinal));
        }

        context.ChangeTracker.Clear();
        foreach (var entity in entities)
        {
            Assert.NotNull(await context.Entry(entity).GetDatabaseValuesAsync());
        }
    }

    private async Task<List<string>> RowsAsync(TestDatabase database, List<string> tables)
    {
        var without = string.Concat(Generated.Select(column => $" - '{column}'"));
        var rows = new List<string>();
        foreach (var table in tables)
        {
            rows.AddRange((await database.ColumnAsync($"SELECT to_jsonb(t){without} FROM {table} t")).Select(row => table + row));
        }

        Assert.All(rows, row => Assert.False(Tenants.All(t => row.Contains(t, StringComparison.Ordinal)), row));
        return [.. rows.Order(StringComparer.Ordinal)];
    }
}
