using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>
///     Gives a test class a database with the tables of a context. Tests that would disturb each other take a copy of their own with
///     <see cref="CloneAsync" />.
/// </summary>
public abstract class DatabaseFixture<TContext>(PostgresFixture postgres) : IAsyncLifetime
    where TContext : DbContext
{
    private TestDatabase? _database;
    private TestDatabase? _template;

    public TestDatabase Database
        => _database ?? throw new InvalidOperationException("The database is there once xunit has initialized the fixture.");

    public string ConnectionString => Database.ConnectionString;

    private string Name => GetType().DeclaringType?.Name ?? GetType().Name;

    public TContext CreateContext() => CreateContext(ConnectionString);

    public abstract TContext CreateContext(string connectionString);

    /// <summary>A fresh database as the template left it, for one test to dispose.</summary>
    public Task<TestDatabase> CloneAsync()
        => _template?.CloneAsync(Name)
            ?? throw new InvalidOperationException("The template is there once xunit has initialized the fixture.");

    public virtual async ValueTask InitializeAsync()
    {
        _template = await postgres.TemplateAsync(GetType(), Name + "Template", SeedAsync);
        _database = await CloneAsync();
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_database is not null)
        {
            await _database.DisposeAsync();
        }
    }

    /// <summary>Makes what every database of this fixture starts with. Runs once for each fixture class.</summary>
    protected virtual Task SeedTemplateAsync(TContext context)
        => context.Database.EnsureCreatedAsync(TestContext.Current.CancellationToken);

    private async Task SeedAsync(TestDatabase template)
    {
        // PostgreSQL copies no database that has a connection, and a pool would keep one.
        var connectionString = new NpgsqlConnectionStringBuilder(template.ConnectionString) { Pooling = false }.ConnectionString;
        await using var context = CreateContext(connectionString);
        await SeedTemplateAsync(context);
    }
}
