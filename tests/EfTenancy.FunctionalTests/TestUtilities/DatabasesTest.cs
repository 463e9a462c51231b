using Xunit;

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>A test with several databases: they, and what else it owns, go in the reverse order when it ends.</summary>
public abstract class DatabasesTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly List<IAsyncDisposable> _owned = [];

    public virtual ValueTask InitializeAsync()
        => ValueTask.CompletedTask;

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        foreach (var disposable in _owned.AsEnumerable().Reverse())
        {
            await disposable.DisposeAsync();
        }
    }

    protected async Task<TestDatabase> DatabaseAsync()
        => Own(await postgres.CreateDatabaseAsync());

    protected T Own<T>(T disposable)
        where T : IAsyncDisposable
    {
        _owned.Add(disposable);
        return disposable;
    }
}
