using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using DevPostgres;
using EfTenancy.FunctionalTests.TestUtilities;
using Xunit;

[assembly: AssemblyFixture(typeof(PostgresFixture))]

namespace EfTenancy.FunctionalTests.TestUtilities;

/// <summary>The PostgreSQL server of this test process.</summary>
public sealed class PostgresFixture : IAsyncLifetime
{
    private readonly ConcurrentDictionary<Type, Lazy<Task<TestDatabase>>> _templates = [];
    private PostgresServer? _server;

    public PostgresServer Server
        => _server ?? throw new InvalidOperationException("The server is there once xunit has initialized the assembly fixture.");

    public async ValueTask InitializeAsync()
    {
        _server = await PostgresServer.StartAsync(TestContext.Current.CancellationToken);
        TestContext.Current.SendDiagnosticMessage(_server.Description);
    }

    public async ValueTask DisposeAsync()
    {
        // They matter on a server that lives on, which EFTENANCY_POSTGRES names.
        foreach (var template in _templates.Values.Where(x => x.Value.IsCompletedSuccessfully))
        {
            await (await template.Value).DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    /// <summary>An empty database, named after the calling file.</summary>
    public Task<TestDatabase> CreateDatabaseAsync([CallerFilePath] string caller = "")
        => TestDatabase.CreateAsync(Server, Path.GetFileNameWithoutExtension(caller));

    /// <summary>The template of a fixture class, seeded once however many test classes share that fixture class.</summary>
    internal Task<TestDatabase> TemplateAsync(Type owner, string name, Func<TestDatabase, Task> seed)
        => _templates.GetOrAdd(owner, _ => new Lazy<Task<TestDatabase>>(() => CreateTemplateAsync(name, seed))).Value;

    private async Task<TestDatabase> CreateTemplateAsync(string name, Func<TestDatabase, Task> seed)
    {
        var template = await TestDatabase.CreateAsync(Server, name);
        await seed(template);
        return template;
    }
}
