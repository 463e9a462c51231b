using System.Collections.Concurrent;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EfTenancy.Administration;
using EfTenancy.CommandLine;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Spectre.Console;
using WebApi;
using WebApi.Import;
using WebApi.Model;
using Xunit;

namespace EfTenancy.FunctionalTests.Sample;

/// <summary>The sample as a whole, in each of its styles: migrations made by <c>dotnet ef</c>, real flights, tenants over HTTP.</summary>
public sealed class WebApiTest(WebApiTest.Fixture fixture) : IClassFixture<WebApiTest.Fixture>
{
    private const string Conjoined = "conjoined";

    public static TheoryData<string> Styles { get; } = [Conjoined, "database", "schema", "sharded"];

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task Each_airport_sees_its_own_flights_and_no_others(string style)
    {
        var flights = await fixture.StartAsync(style);
        var expected = FlightApplication.RowsByOrigin().Where(r => flights.Tenants.Contains(r.Key)).OrderBy(r => r.Key, StringComparer.Ordinal).ToList();
        Assert.Equal(style is "database" or "schema" ? 12 : 229, expected.Count);

        foreach (var (origin, count) in expected)
        {
            Assert.Equal(count, (await flights.Json(origin, "/delays")).GetProperty("count").GetInt32());
        }

        var report = (await flights.Json(null, "/operator/report")).EnumerateArray()
            .Select(t => KeyValuePair.Create(t.GetProperty("tenant").GetString()!, t.GetProperty("count").GetInt32())).ToList();
        Assert.Equal(report.OrderByDescending(r => r.Value).ThenBy(r => r.Key, StringComparer.Ordinal), report);
        Assert.Equal(expected, report.OrderBy(r => r.Key, StringComparer.Ordinal));
        Assert.Equal(229, (await flights.Json(null, "/airports")).GetArrayLength());

        var content = await flights.ContentAsync();
        Assert.Equal(expected, content.OrderBy(c => c.Tenant, StringComparer.Ordinal).Select(c => KeyValuePair.Create(c.Tenant, c.Flights)));
        Assert.Equal(
            style switch { Conjoined => [229], "sharded" => [77, 76, 76], _ => [.. Enumerable.Repeat(1, 12)] },
            content.CountBy(c => c.Place).Select(p => p.Value).OrderDescending().ToList());
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task A_request_without_a_tenant_or_with_an_impossible_one_is_answered_with_problem_details(string style)
    {
        var flights = await fixture.StartAsync(style);
        foreach (var tenant in (string?[])[null, "", new string('x', 129)])
        {
            var response = await flights.Send(tenant, HttpMethod.Get, "/flights");
            Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }

        var unknown = await flights.Send("NOPE", HttpMethod.Post, "/flights", NewFlight());
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        Assert.Contains("NOPE", (await unknown.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain("NOPE", (await flights.Json(null, "/operator/tenants")).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task A_flight_and_its_notes_are_invisible_to_other_tenants(string style)
    {
        // ORD has the most flights, so that where each tenant has numbers of its own, none of DFW's flights has the new one's.
        var flights = await fixture.StartAsync(style);
        var created = await flights.Send("ORD", HttpMethod.Post, "/flights", NewFlight());
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var id = (await created.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetInt64();

        Assert.Equal(HttpStatusCode.Created, (await flights.Send("ORD", HttpMethod.Post, $"/flights/{id}/notes", new { text = "late" })).StatusCode);
        Assert.Equal(1, (await flights.Json("ORD", $"/flights/{id}/notes")).GetArrayLength());
        Assert.Equal(HttpStatusCode.NotFound, (await flights.Send("DFW", HttpMethod.Get, $"/flights/{id}")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await flights.Send("DFW", HttpMethod.Get, $"/flights/{id}/notes")).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await flights.Send("DFW", HttpMethod.Post, $"/flights/{id}/notes", new { text = "mine" })).StatusCode);
        var airports = FlightApplication.RowsByOrigin();
        Assert.Equal(
            [("DFW", airports["DFW"]), ("ORD", airports["ORD"] + 1)],
            (await flights.ContentAsync()).Where(c => c.Tenant is "DFW" or "ORD").Select(c => (c.Tenant, c.Flights)).Order());

        await using var scope = flights.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        db.Tenancy().Use("ORD");
        Assert.Equal(1, await db.Flights.Where(f => f.Id == id).ExecuteDeleteAsync());
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task Tenants_come_and_go_while_it_serves(string style)
    {
        var flights = await fixture.StartAsync(style);
        var before = await flights.ContentAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await flights.Send("XYZ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await flights.Send(null, HttpMethod.Post, "/operator/tenants", new { id = "a\nb" })).StatusCode);

        using var done = new CancellationTokenSource();
        var others = Task.Run(
            async () =>
            {
                var served = 0;
                for (; !done.IsCancellationRequested; served++)
                {
                    Assert.Equal(HttpStatusCode.OK, (await flights.Send("ORD", HttpMethod.Get, "/delays")).StatusCode);
                }

                return served;
            });

        // Twice: what the first one left behind must not be in the way of the second.
        foreach (var _ in Enumerable.Range(0, 2))
        {
            Assert.Equal(HttpStatusCode.Created, (await flights.Send(null, HttpMethod.Post, "/operator/tenants", new { id = "XYZ" })).StatusCode);
            Assert.Equal(HttpStatusCode.Created, (await flights.Send("XYZ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
            Assert.Equal(1, (await flights.Json("XYZ", "/delays")).GetProperty("count").GetInt32());
            var tenant = (await flights.Json(null, "/operator/tenants")).EnumerateArray().Single(t => t.GetProperty("tenantId").GetString() == "XYZ");
            Assert.Equal(
                (style is Conjoined or "sharded" ? 2 : 0, 0),
                (tenant.GetProperty("partitions").GetInt32(), tenant.GetProperty("missingPartitions").GetInt32()));
            Assert.Contains("<td>XYZ</td>", await PageAsync(flights), StringComparison.Ordinal);
            Assert.Equal(1, Assert.Single(await flights.ContentAsync(), c => c.Tenant == "XYZ").Flights);
            Assert.NotEmpty(await flights.NamesWithAsync("xyz$"));

            var tenants = flights.Services.GetRequiredService<ITenantAdministration<FlightContext>>();
            await tenants.DisableAsync(["XYZ"]);
            Assert.Equal(HttpStatusCode.Forbidden, (await flights.Send("XYZ", HttpMethod.Get, "/delays")).StatusCode);

            Assert.Equal(HttpStatusCode.NoContent, (await flights.Send(null, HttpMethod.Delete, "/operator/tenants/XYZ")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await flights.Send(null, HttpMethod.Delete, "/operator/tenants/XYZ")).StatusCode);
            Assert.Equal(HttpStatusCode.NotFound, (await flights.Send("XYZ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
            Assert.Empty(await flights.NamesWithAsync("xyz$"));
        }

        await done.CancelAsync();
        Assert.NotEqual(0, await others);
        Assert.Equal(before, await flights.ContentAsync());
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task The_start_page_and_the_document_are_there(string style)
    {
        var flights = await fixture.StartAsync(style);
        var page = await PageAsync(flights);
        Assert.Contains("<td>ORD</td>", page, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">1,135</td>", page, StringComparison.Ordinal);
        Assert.Equal(flights.Tenants.Count, page.Split("<tr>").Length - 2);
        Assert.All(
            style switch
            {
                Conjoined => (string[])["Flights_ord$"],
                "database" => [$"database '{flights.Database.Name}_ord$", $"database '{flights.Database.Name}_dfw$"],
                "schema" => ["schema 'tenant_ord$", "schema 'tenant_dfw$"],
                _ => ["Flights_ord$", .. Enumerable.Range(1, 3).Select(i => $"database '{flights.Database.Name}_{i}'")],
            },
            place => Assert.Contains(place, page, StringComparison.Ordinal));
        Assert.Contains(FlightApplication.Header, (await flights.Json(null, "/openapi/v1.json")).ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("database", nameof(TenantDatabaseError.DatabaseMissing))]
    [InlineData("schema", nameof(TenantDatabaseError.SchemaMissing))]
    public async Task A_tenant_whose_place_is_out_of_order_is_named_and_the_others_are_served(string style, string error)
    {
        var flights = await fixture.StartAsync(style);
        var place = await flights.Services.GetRequiredService<FlightTenancy>().Databases!.FindAsync("LAX");
        var (kind, name) = place.Schema is null ? ("DATABASE", place.Database!) : ("SCHEMA", place.Schema);

        await flights.Database.ExecuteAsync($"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{place.Database}'");
        await flights.Database.ExecuteAsync($"""ALTER {kind} "{name}" RENAME TO "{name}_gone" """);
        try
        {
            foreach (var (tenant, path) in ((string?, string)[])[("LAX", "/delays"), (null, "/operator/report"), (null, "/")])
            {
                await RefusedAsync(tenant, path);
            }

            // The sizes of schemas are those of the catalog, which is there.
            if (place.Schema is null)
            {
                await RefusedAsync(null, "/operator/tenants");
            }

            Assert.Equal(HttpStatusCode.OK, (await flights.Send("ORD", HttpMethod.Get, "/delays")).StatusCode);
        }
        finally
        {
            await flights.Database.ExecuteAsync($"""ALTER {kind} "{name}_gone" RENAME TO "{name}" """);
        }

        Assert.Equal(FlightApplication.RowsByOrigin()["LAX"], (await flights.Json("LAX", "/delays")).GetProperty("count").GetInt32());

        async Task RefusedAsync(string? tenant, string path)
        {
            // As with any application: that idle connections are dead is noticed by the requests that get them.
            var (status, detail) = await AnswerAsync();
            for (var i = 0; i < 5 && detail?.Contains(error, StringComparison.Ordinal) != true; i++)
            {
                (status, detail) = await AnswerAsync();
            }

            Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
            Assert.Equal($"The database of the tenant 'LAX' cannot be used now ({error}). Those of others can.", detail);

            async Task<(HttpStatusCode, string?)> AnswerAsync()
            {
                var answer = await flights.Send(tenant, HttpMethod.Get, path);
                return (answer.StatusCode,
                    answer.StatusCode == HttpStatusCode.ServiceUnavailable
                        ? (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()
                        : null);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Styles))]
    public async Task The_command_line_administers_tenants(string style)
    {
        var flights = await fixture.StartAsync(style);
        Assert.Contains("LAX", await RunAsync("list"), StringComparison.Ordinal);
        await RunAsync("add QQQ");
        Assert.Equal(HttpStatusCode.Created, (await flights.Send("QQQ", HttpMethod.Post, "/flights", NewFlight())).StatusCode);
        Assert.Contains("QQQ", await RunAsync("list"), StringComparison.Ordinal);
        await RunAsync("migrate");
        await RunAsync("repair");
        await RunAsync("remove QQQ --yes");
        Assert.DoesNotContain("QQQ", await RunAsync("list"), StringComparison.Ordinal);
        Assert.Empty(await flights.NamesWithAsync("qqq$"));

        async Task<string> RunAsync(string command)
        {
            await using var output = new StringWriter();
            var console = AnsiConsole.Create(
                new AnsiConsoleSettings { Ansi = AnsiSupport.No, Out = new AnsiConsoleOutput(output), Interactive = InteractionSupport.No });
            Assert.True(await TenantCommands.Create<FlightContext>(flights.Services, console).Parse(command).InvokeAsync() == 0, output.ToString());
            return output.ToString();
        }
    }

    [Fact]
    public void An_unknown_style_is_refused_with_the_names_of_those_that_there_are()
    {
        Assert.Null(Mistake(null));
        Assert.Null(Mistake("schema"));
        Assert.Equal(
            "There is no style 'Schemas'. Give --style (or Tenancy:Style) one of: conjoined, database, schema, sharded.", Mistake("Schemas"));
        Assert.NotNull(Mistake("0"));

        static string? Mistake(string? style)
            => FlightTenancy.MistakeIn(
                new ConfigurationBuilder().AddInMemoryCollection([KeyValuePair.Create(FlightTenancy.StyleKey, style)]).Build());
    }

    [Fact]
    public void The_first_tenants_with_places_of_their_own_are_those_with_the_most_flights()
        => Assert.Equal(
            FlightApplication.RowsByOrigin().OrderByDescending(r => r.Value).Select(r => r.Key).Take(12), WebApi.Model.Tenants.Busiest);

    [Fact]
    public async Task A_tenants_query_touches_one_partition()
    {
        var flights = await fixture.StartAsync(Conjoined);
        await using var scope = flights.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        db.Tenancy().Use("FAI");
        var sql = string.Join('\n', db.Flights.Where(f => f.DelayMinutes > 15).ToQueryString().Split('\n').Skip(1))
            .Replace("@ef_filter__Tenancy", "$1", StringComparison.Ordinal);

        var plan = await flights.Database.ColumnAsync($"PREPARE q(text) AS {sql}; EXPLAIN EXECUTE q('FAI')");
        var scans = plan.Where(l => l.Contains("Flights", StringComparison.Ordinal)).ToList();
        Assert.NotEmpty(scans);
        Assert.All(scans, l => Assert.Contains("Flights_fai$", l, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(Conjoined, "2001-01-01 00:01,33,2176,LAS", "4 values")]
    [InlineData(Conjoined, "2001-01-01 00:01,late,2176,LAS,PHL", "delay_minutes")]
    [InlineData(Conjoined, "yesterday,33,2176,LAS,PHL", "flown_at")]
    [InlineData(Conjoined, "2001-01-01 00:01,33,2176,XXX,PHL", "origin")]
    [InlineData("database", "yesterday,33,2176,LAS,PHL", "flown_at")]
    [InlineData("schema", "yesterday,33,2176,LAS,PHL", "flown_at")]
    [InlineData("sharded", "yesterday,33,2176,LAS,PHL", "flown_at")]
    public async Task A_malformed_line_is_named_and_what_was_imported_before_stays(string style, string line, string reason)
    {
        var flights = await fixture.StartAsync(style);
        var before = await flights.ContentAsync();
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
            await using var scope = flights.Services.CreateAsyncScope();
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

        Assert.Equal(before, await flights.ContentAsync());
    }

    [Fact]
    public async Task A_failed_copy_of_one_place_ends_the_import()
    {
        var flights = await fixture.StartAsync("schema");
        var before = await flights.ContentAsync();
        var schema = (await flights.Services.GetRequiredService<FlightTenancy>().Databases!.FindAsync("LAX")).Schema;
        var file = Path.Combine(AppContext.BaseDirectory, "Data", "flights-sample.csv.gz");

        await flights.Database.ExecuteAsync($"""ALTER TABLE "{schema}"."Flights" ADD CONSTRAINT never CHECK ("DistanceMiles" < 0) NOT VALID""");
        try
        {
            await using var scope = flights.Services.CreateAsyncScope();
            await Assert.ThrowsAnyAsync<Exception>(() => scope.ServiceProvider.GetRequiredService<FlightImporter>().ImportAsync(file))
                .WaitAsync(TimeSpan.FromSeconds(30));
        }
        finally
        {
            await flights.Database.ExecuteAsync($"""ALTER TABLE "{schema}"."Flights" DROP CONSTRAINT never""");
        }

        Assert.Equal(before, await flights.ContentAsync());
    }

    [Fact]
    public async Task The_migrations_are_up_to_date_and_run_up_twice_and_down()
    {
        var flights = await fixture.StartAsync(Conjoined);
        await using var scope = flights.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        Assert.False(db.Database.HasPendingModelChanges());
        Assert.Equal(
            ["MigrationId", "ProductVersion"],
            await flights.Database.ColumnAsync(
                "SELECT column_name FROM information_schema.columns WHERE table_name = '__EFMigrationsHistory' ORDER BY 1"));

        var migrator = db.GetService<IMigrator>();
        await using var database = await flights.Postgres.CreateDatabaseAsync();
        var script = migrator.GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent);
        await database.ExecuteAsync(script);
        await database.ExecuteAsync(script);
        Assert.Equal(["Flights", "Notes"], await database.ColumnAsync("SELECT relname FROM pg_class WHERE relkind = 'p' ORDER BY 1"));
        Assert.Equal(229 * 2, await flights.Database.ScalarAsync<int>("SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE c.relkind = 'r'"));

        await database.ExecuteAsync(migrator.GenerateScript(db.Database.GetMigrations().Last(), Migration.InitialDatabase));
        Assert.Equal(
            ["__EFMigrationsHistory"],
            await database.ColumnAsync("SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"));
    }

    [Fact]
    public async Task A_query_of_ones_own_result_type_needs_no_tenant()
    {
        var flights = await fixture.StartAsync(Conjoined);
        await using var scope = flights.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<FlightContext>();
        var rows = await db.Database.SqlQuery<Total>($"""SELECT count(*) AS "Rows" FROM "Flights" """).SingleAsync();
        Assert.Equal(FlightApplication.RowsByOrigin().Values.Sum(), rows.Rows);
    }

    private static object NewFlight()
        => new { flownAt = "2001-12-31T23:59:00", delayMinutes = 5, distanceMiles = 261, destination = "ANC" };

    private static async Task<string> PageAsync(FlightApplication flights)
        => WebUtility.HtmlDecode(await (await flights.Send(null, HttpMethod.Get, "/")).Content.ReadAsStringAsync());

    private sealed record Total(long Rows);

    /// <summary>An application for each style that a test asks for.</summary>
    public sealed class Fixture(PostgresFixture postgres) : IAsyncDisposable
    {
        private readonly ConcurrentDictionary<string, Lazy<Task<FlightApplication>>> _applications = [];

        public Task<FlightApplication> StartAsync(string style)
            => _applications.GetOrAdd(style, s => new Lazy<Task<FlightApplication>>(() => FlightApplication.StartAsync(postgres, s))).Value;

        public async ValueTask DisposeAsync()
        {
            foreach (var application in _applications.Values)
            {
                await (await application.Value).DisposeAsync();
            }
        }
    }
}
