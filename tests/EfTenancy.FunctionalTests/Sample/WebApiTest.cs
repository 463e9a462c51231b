using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using WebApi.Import;
using WebApi.Model;
using Xunit;

namespace EfTenancy.FunctionalTests.Sample;

/// <summary>The sample as a whole: migrations made by <c>dotnet ef</c>, real flights, 229 tenants over HTTP.</summary>
public class WebApiTest(WebApiTest.Fixture fixture) : IClassFixture<WebApiTest.Fixture>
{
    private const string Header = "X-Tenant";

    [Fact]
    public async Task Each_of_the_229_airports_sees_its_own_flights_and_no_others()
    {
        var expected = RowsByOrigin();
        Assert.Equal(229, expected.Count);

        foreach (var (origin, count) in expected)
        {
            Assert.Equal(count, (await Json(origin, "/delays")).GetProperty("count").GetInt32());
        }

        var report = (await Json(null, "/operator/report")).EnumerateArray()
            .ToDictionary(t => t.GetProperty("tenant").GetString()!, t => t.GetProperty("count").GetInt32());
        Assert.Equal(expected.OrderBy(e => e.Key), report.OrderBy(r => r.Key));
    }

    [Fact]
    public async Task A_request_without_a_tenant_or_with_an_impossible_one_is_answered_with_problem_details()
    {
        foreach (var (tenant, status) in ((string?, HttpStatusCode)[])[
                     (null, HttpStatusCode.BadRequest), ("", HttpStatusCode.BadRequest), (new string('x', 129), HttpStatusCode.BadRequest)])
        {
            var response = await Send(tenant, HttpMethod.Get, "/flights");
            Assert.Equal(status, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }

        Assert.Equal(
            HttpStatusCode.NotFound,
            (await Send("NOPE", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
    }

    [Fact]
    public async Task A_flight_and_its_notes_are_invisible_to_other_tenants()
    {
        var created = await Send("FAI", HttpMethod.Post, "/flights", NewFlight());
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetInt64();

        Assert.Equal(HttpStatusCode.Created, (await Send("FAI", HttpMethod.Post, $"/flights/{id}/notes", new { text = "late" })).StatusCode);
        Assert.Equal(1, (await Json("FAI", $"/flights/{id}/notes")).GetArrayLength());
        Assert.Equal(HttpStatusCode.NotFound, (await Send("ORD", HttpMethod.Get, $"/flights/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Send("ORD", HttpMethod.Post, $"/flights/{id}/notes", new { text = "mine" })).StatusCode);

        await fixture.Database.ExecuteAsync($"""DELETE FROM "Notes"; DELETE FROM "Flights" WHERE "Id" = {id}""");
    }

    [Fact]
    public async Task Tenants_come_and_go_while_it_serves()
    {
        Assert.Equal(HttpStatusCode.NotFound, (await Send("XYZ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await Send(null, HttpMethod.Post, "/operator/tenants", new { id = "a\nb" })).StatusCode);

        Assert.Equal(HttpStatusCode.Created, (await Send(null, HttpMethod.Post, "/operator/tenants", new { id = "XYZ" })).StatusCode);
        Assert.Equal(HttpStatusCode.Created, (await Send("XYZ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
        Assert.Equal(1, (await Json("XYZ", "/delays")).GetProperty("count").GetInt32());
        var tenant = (await Json(null, "/operator/tenants")).EnumerateArray().Single(t => t.GetProperty("tenantId").GetString() == "XYZ");
        Assert.Equal((2, 0), (tenant.GetProperty("partitions").GetInt32(), tenant.GetProperty("missingPartitions").GetInt32()));
        Assert.Contains("Flights_xyz$", WebUtility.HtmlDecode(await (await Send(null, HttpMethod.Get, "/")).Content.ReadAsStringAsync()), StringComparison.Ordinal);

        var tenants = fixture.Services.GetRequiredService<ITenantAdministration<FlightContext>>();
        await tenants.DisableAsync(["XYZ"]);
        Assert.Equal(HttpStatusCode.Forbidden, (await Send("XYZ", HttpMethod.Get, "/delays")).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, (await Send(null, HttpMethod.Delete, "/operator/tenants/XYZ")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Send(null, HttpMethod.Delete, "/operator/tenants/XYZ")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await Send("XYZ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
        Assert.Empty(await fixture.Database.ColumnAsync("SELECT relname FROM pg_class WHERE relname ILIKE '%xyz$%'"));
    }

    [Fact]
    public async Task The_start_page_and_the_document_are_there()
    {
        var page = await (await Send(null, HttpMethod.Get, "/")).Content.ReadAsStringAsync();
        Assert.Contains("ORD", page, StringComparison.Ordinal);
        Assert.Contains("Flights_ord$", WebUtility.HtmlDecode(page), StringComparison.Ordinal);
        Assert.Contains(Header, (await Json(null, "/openapi/v1.json")).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_tenants_query_touches_one_partition()
    {
        await using var scope = fixture.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        db.Tenancy().Use("FAI");
        var sql = string.Join('\n', db.Flights.Where(f => f.DelayMinutes > 15).ToQueryString().Split('\n').Skip(1))
            .Replace("@ef_filter__Tenancy", "$1", StringComparison.Ordinal);

        var plan = await fixture.Database.ColumnAsync($"PREPARE q(text) AS {sql}; EXPLAIN EXECUTE q('FAI')");
        var scans = plan.Where(l => l.Contains("Flights", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(scans);
        Assert.All(scans, l => Assert.Contains("Flights_fai$", l, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("2001-01-01 00:01,33,2176,LAS", "4 values")]
    [InlineData("2001-01-01 00:01,late,2176,LAS,PHL", "delay_minutes")]
    [InlineData("yesterday,33,2176,LAS,PHL", "flown_at")]
    [InlineData("2001-01-01 00:01,33,2176,XXX,PHL", "origin")]
    public async Task A_malformed_line_is_named_and_what_was_imported_before_stays(string line, string reason)
    {
        var before = await fixture.Database.ScalarAsync<long>("""SELECT count(*) FROM "Flights" """);
        var file = Path.Combine(AppContext.BaseDirectory, Path.GetRandomFileName());
        await using (var writer = new StreamWriter(new GZipStream(File.Create(file), CompressionLevel.Fastest)))
        {
            await writer.WriteAsync("flown_at,delay_minutes,distance_miles,origin,destination\n");
            for (var i = 0; i < 5000; i++)
            {
                await writer.WriteAsync("2001-01-01 00:01,33,2176,LAS,PHL\n");
            }

            await writer.WriteAsync(line + "\n");
        }

        try
        {
            await using var scope = fixture.Services.CreateAsyncScope();
            var exception = await Assert.ThrowsAsync<FlightImportException>(
                () => scope.ServiceProvider.GetRequiredService<FlightImporter>().ImportAsync(file));
            Assert.Contains(Path.GetFileName(file), exception.Message, StringComparison.Ordinal);
            Assert.Contains("5002", exception.Message, StringComparison.Ordinal);
            Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(before, await fixture.Database.ScalarAsync<long>("""SELECT count(*) FROM "Flights" """));
    }

    [Fact]
    public async Task The_migrations_are_up_to_date_and_run_up_twice_and_down()
    {
        await using var scope = fixture.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        Assert.False(db.Database.HasPendingModelChanges());
        Assert.Equal(
            ["MigrationId", "ProductVersion"],
            await fixture.Database.ColumnAsync(
                "SELECT column_name FROM information_schema.columns WHERE table_name = '__EFMigrationsHistory' ORDER BY 1"));

        var migrator = db.GetService<IMigrator>();
        await using var database = await fixture.Postgres.CreateDatabaseAsync();
        var script = migrator.GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent);
        await database.ExecuteAsync(script);
        await database.ExecuteAsync(script);
        Assert.Equal(["Flights", "Notes"], await database.ColumnAsync("SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1"));
        Assert.Equal(229 * 2, await fixture.Database.ScalarAsync<int>("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'"));

        await database.ExecuteAsync(migrator.GenerateScript(db.Database.GetMigrations().Last(), Migration.InitialDatabase));
        Assert.Equal(
            ["__EFMigrationsHistory"],
            await database.ColumnAsync("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"));
    }

    [Fact]
    public async Task A_query_of_ones_own_result_type_needs_no_tenant()
    {
        await using var scope = fixture.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        var rows = await db.Database.SqlQuery<Total>($"""SELECT count(*) AS "Rows" FROM "Flights" """).SingleAsync();
        Assert.Equal(RowsByOrigin().Values.Sum(), rows.Rows);
    }

    private static object NewFlight()
        => new { flownAt = "2001-12-31T23:59:00", delayMinutes = 5, distanceMiles = 261, destination = "ANC" };

    private static Dictionary<string, int> RowsByOrigin()
    {
        using var reader = new StreamReader(
            new GZipStream(
                File.OpenRead(Path.Combine(AppContext.BaseDirectory, "Data", "flights-sample.csv.gz")), CompressionMode.Decompress),
            Encoding.UTF8);
        return reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries).Skip(1).CountBy(l => l.Split(',')[3]).ToDictionary();
    }

    private async Task<JsonElement> Json(string? tenant, string path)
    {
        var response = await Send(tenant, HttpMethod.Get, path);
        response.EnsureSuccessStatusCode();
        return await response.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpResponseMessage> Send(string? tenant, HttpMethod method, string path, object? body = null)
    {
        using var client = fixture.CreateClient();
        using var request = new HttpRequestMessage(method, new Uri(path, UriKind.Relative));
        request.Content = body is null ? null : JsonContent.Create(body);
        if (tenant is not null)
        {
            request.Headers.TryAddWithoutValidation(Header, tenant);
        }

        return await client.SendAsync(request);
    }

    private sealed record Total(long Rows);

    public sealed class Fixture(PostgresFixture postgres) : WebApplicationFactory<FlightContext>, IAsyncLifetime
    {
        public PostgresFixture Postgres { get; } = postgres;

        public TestDatabase Database { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Database = await Postgres.CreateDatabaseAsync();

            // The host migrates and imports when it starts; no test may look at the database before that, whichever runs first.
            _ = Services;
        }

        public override async ValueTask DisposeAsync()
        {
            await base.DisposeAsync();
            await Database.DisposeAsync();
        }

        protected override void ConfigureWebHost(IWebHostBuilder builder)
            => builder
                // Tests of one process try more policies than an application has.
                .ConfigureServices(s => s.ConfigureDbContext<FlightContext>(o => o.ConfigureWarnings(
                    w => w.Ignore(Microsoft.EntityFrameworkCore.Diagnostics.CoreEventId.ManyServiceProvidersCreatedWarning))))
                .UseSetting("ConnectionStrings:Default", Database.ConnectionString);
    }
}
