using System.IO.Compression;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using WebApi;
using WebApi.Model;
using Xunit;

namespace EfTenancy.FunctionalTests.Sample;

/// <summary>The sample in one of its styles, served in memory, on a database of its own and those that it makes beside it.</summary>
public sealed class FlightApplication : WebApplicationFactory<FlightContext>
{
    public const string Header = "X-Tenant";

    private readonly string _style;

    private FlightApplication(PostgresFixture postgres, TestDatabase database, string style)
    {
        Postgres = postgres;
        Database = database;
        _style = style;
    }

    public PostgresFixture Postgres { get; }

    public TestDatabase Database { get; }

    public IReadOnlyList<string> Tenants
        => Services.GetRequiredService<FlightTenancy>().FirstTenants;

    public static async Task<FlightApplication> StartAsync(PostgresFixture postgres, string style)
    {
        var application = new FlightApplication(postgres, await TestDatabase.CreateAsync(postgres.Server, $"flights{style}"), style);

        // The host migrates and imports when it starts; no test may look at the database before that, whichever runs first.
        _ = application.Services;
        return application;
    }

    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        foreach (var other in (await DatabasesAsync()).Where(d => d != Database.Name))
        {
            await Database.ExecuteAsync($"""DROP DATABASE "{other}" WITH (FORCE)""");
        }

        await Database.DisposeAsync();
    }

    /// <summary>The flights of each airport in the file.</summary>
    public static Dictionary<string, int> RowsByOrigin()
    {
        using var reader = new StreamReader(
            new GZipStream(
                File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "flights-sample.csv.gz")), CompressionMode.Decompress),
            Encoding.UTF8);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).CountBy(l => l.Split(',')[3]).ToDictionary();
    }

    /// <summary>The database of the application and those that it made.</summary>
    public Task<List<string>> DatabasesAsync()
        => Database.ColumnAsync($"SELECT datname FROM pg_database WHERE datname = '{Database.Name}' OR starts_with(datname, '{Database.Name}_') ORDER BY 1");

    /// <summary>What all databases and schemas hold, past EF and past the registry.</summary>
    public async Task<List<(string Place, string Tenant, int Flights)>> ContentAsync()
    {
        var content = new List<(string, string, int)>();
        foreach (var database in await DatabasesAsync())
        {
            foreach (var table in await ColumnAsync(
                         database,
                         "SELECT oid::regclass::text FROM pg_class WHERE relname = 'Flights' AND relkind IN ('r', 'p') AND NOT relispartition"))
            {
                content.AddRange(
                    (await ColumnAsync(database, $"""SELECT "TenantId" || ' ' || count(*) FROM {table} GROUP BY "TenantId" """))
                    .Select(r => r.Split(' ')).Select(r => ($"{database}.{table}", r[0], int.Parse(r[1], System.Globalization.CultureInfo.InvariantCulture))));
            }
        }

        return [.. content.Order()];
    }

    /// <summary>Databases, schemas and tables with a tenant in their name.</summary>
    public async Task<List<string>> NamesWithAsync(string part)
    {
        var databases = await DatabasesAsync();
        List<string> names = [.. databases.Where(d => d.Contains(part, StringComparison.OrdinalIgnoreCase))];
        foreach (var database in databases)
        {
            names.AddRange(
                await ColumnAsync(
                    database,
                    $"SELECT nspname FROM pg_namespace WHERE nspname ILIKE '%{part}%' UNION ALL SELECT relname FROM pg_class WHERE relname ILIKE '%{part}%'"));
        }

        return names;
    }

    public async Task<JsonElement> Json(string? tenant, string path)
    {
        var response = await Send(tenant, HttpMethod.Get, path);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    public async Task<HttpResponseMessage> Send(string? tenant, HttpMethod method, string path, object? body = null)
    {
        using var client = CreateClient();
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : JsonContent.Create(body);
        if (tenant is not null)
        {
            request.Headers.TryAddWithoutValidation(Header, tenant);
        }

        return await client.SendAsync(request);
    }

    protected override void ConfigureWebHost(IWebHostBuilder builder)
        => builder
            // Tests of one process try more policies than an application has.
            .ConfigureServices(s => s.ConfigureDbContext<FlightContext>(o => o.ConfigureWarnings(
                w => w.Ignore(CoreEventId.ManyServiceProvidersCreatedWarning))))
            .UseSetting(FlightTenancy.StyleKey, _style)
            .UseSetting("ConnectionStrings:Default", Database.ConnectionString);

    private async Task<List<string>> ColumnAsync(string database, string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(Database.ConnectionString) { Database = database, Pooling = false }.ConnectionString);
        await connection.OpenAsync(TestContext.Current.CancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        await using var reader = await command.ExecuteReaderAsync();
        var values = new List<string>();
        while (await reader.ReadAsync())
        {
            values.Add(reader.GetString(0));
        }

        return values;
    }
}
