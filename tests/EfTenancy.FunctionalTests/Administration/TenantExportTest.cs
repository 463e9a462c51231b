using System.Text.Json.Nodes;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>A tenant goes into files and comes back, or is refused before anything is written.</summary>
public sealed class TenantExportTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly string _directory = Directory.CreateTempSubdirectory("eftenancy").FullName;
    private TestDatabase _home = null!;
    private ServiceProvider _services = null!;

    private string Files => Path.Combine(_directory, "acme");

    private ITenantMover Mover => _services.GetRequiredService<ITenantMover<StudioContext>>();

    private ITenantAdministration Administration => _services.GetRequiredService<ITenantAdministration<StudioContext>>();

    public async ValueTask InitializeAsync()
    {
        _home = await postgres.CreateDatabaseAsync();
        _services = StudioContext.Services(_home.ConnectionString, isManaged: true);
        await using var db = Context("acme");
        await db.Database.EnsureCreatedAsync();
        await Administration.AddAsync(["acme", "globex"]);
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "acme", 1000));
        await _home.ExecuteAsync(StudioContext.RowsSql("public", "globex", 200));
    }

    public async ValueTask DisposeAsync()
    {
        await _services.DisposeAsync();
        await _home.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Fact]
    public async Task Exported_removed_and_imported_it_is_the_same()
    {
        var expected = await TenantMoverTest.RowsAsync(_home, "public", "acme");
        var globex = await TenantMoverTest.RowsAsync(_home, "public", "globex");

        Assert.Equal(expected.Count, (await Mover.ExportAsync("acme", Files)).Rows);
        Assert.Equal(7, Directory.GetFiles(Files).Length);
        Assert.Equal(300, File.ReadLines(Directory.GetFiles(Files, "*_Comments.copy").Single()).Count());
        await Assert.ThrowsAsync<IOException>(() => Mover.ExportAsync("acme", Files));
        await Administration.RemoveAsync(["acme"]);

        Assert.Empty(await TenantMoverTest.RowsAsync(_home, "public", "acme"));

        Assert.Equal(expected.Count, (await Mover.ImportAsync("acme", Files)).Rows);

        Assert.Equal(expected, await TenantMoverTest.RowsAsync(_home, "public", "acme"));
        Assert.Equal(globex, await TenantMoverTest.RowsAsync(_home, "public", "globex"));
        var analyzed = await TenantMoverTest.AnalyzedAsync(_home, "public");
        Assert.Equal(6, analyzed.Count);
        Assert.All(analyzed, t => Assert.EndsWith("acme", t, StringComparison.Ordinal));
        await using var imported = Context("acme");
        imported.Add(new Comment { Text = "new", WorkItemId = 1, AuthorId = 1 });
        await imported.SaveChangesAsync();
    }

    [Fact]
    public async Task Another_database_gets_the_same_rows_and_ids_behind_them()
    {
        var expected = await TenantMoverTest.RowsAsync(_home, "public", "acme");
        await Mover.ExportAsync("acme", Files);
        await using var other = await postgres.CreateDatabaseAsync();
        await using var services = StudioContext.Services(other.ConnectionString);

        await services.GetRequiredService<ITenantMover<StudioContext>>().ImportAsync("acme", Files);

        Assert.Equal(expected, await TenantMoverTest.RowsAsync(other, "public", "acme"));
        await using var db = services.GetRequiredService<IDbContextFactory<StudioContext>>().CreateDbContext("acme");
        var project = db.Add(new Project { TeamId = 1 }).Entity;
        var team = db.Add(new Team { Name = "new" }).Entity;
        await db.SaveChangesAsync();
        Assert.True(project.Id > 50 && team.Id == 201, $"{project.Id} {team.Id}");
    }

    [Fact]
    public async Task What_does_not_fit_is_refused_before_anything_is_written()
    {
        await Mover.ExportAsync("acme", Files);
        var expected = await TenantMoverTest.RowsAsync(_home, "public", "acme");
        var (manifest, comments) = (Path.Combine(Files, "manifest.json"), Directory.GetFiles(Files, "*_Comments.copy").Single());
        var written = await File.ReadAllTextAsync(manifest);

        var rows = await Assert.ThrowsAsync<InvalidOperationException>(() => Mover.ImportAsync("acme", Files));
        Assert.Contains("Teams", rows.Message, StringComparison.Ordinal);
        Assert.Equal(expected, await TenantMoverTest.RowsAsync(_home, "public", "acme"));
        await Administration.DeleteDataAsync(["acme"]);

        async Task RefusedAsync<TException>(string word, Action<JsonNode>? change = null, string tenant = "acme")
            where TException : Exception
        {
            if (change is not null)
            {
                var changed = JsonNode.Parse(written)!;
                change(changed);
                await File.WriteAllTextAsync(manifest, changed.ToJsonString());
            }

            var refused = await Assert.ThrowsAsync<TException>(() => Mover.ImportAsync(tenant, Files));
            Assert.Contains(word, refused.Message, StringComparison.Ordinal);
            Assert.Empty(await TenantMoverTest.RowsAsync(_home, "public", "acme"));
            await File.WriteAllTextAsync(manifest, written);
        }

        await RefusedAsync<InvalidDataException>("format", m => m["format"] = 2);
        await RefusedAsync<InvalidDataException>("manifest", m => m.AsObject().Remove("tables"));
        await RefusedAsync<InvalidDataException>("'acme'", tenant: "globex");
        await RefusedAsync<InvalidDataException>("2020_Other", m => m["migration"] = "2020_Other");
        await RefusedAsync<InvalidDataException>("Title", m => Table(m, "WorkItems")["columns"]!.AsArray().Single(c => (string)c!["name"]! == "Title")!["name"] = "Name");
        await RefusedAsync<InvalidDataException>("TimeEntries", m => m["tables"]!.AsArray().Remove(Table(m, "TimeEntries")));
        await RefusedAsync<InvalidDataException>("manifest", m => Table(m, "Teams")["file"] = "../" + Path.GetFileName(comments));
        await RefusedAsync<InvalidDataException>("Comments", m => Table(m, "Comments")["rows"] = 299);
        await RefusedAsync<InvalidDataException>("Comments", m => Table(m, "Comments")["checksum"] = "1");

        var text = await File.ReadAllTextAsync(comments);
        await File.WriteAllTextAsync(comments, text.Replace("2026-01-01", "2025-01-01", StringComparison.Ordinal));
        await RefusedAsync<InvalidDataException>(comments);
        File.Delete(comments);
        await RefusedAsync<FileNotFoundException>(comments);
        await File.WriteAllTextAsync(comments, text);
        await File.WriteAllTextAsync(manifest, "no manifest");
        await RefusedAsync<InvalidDataException>("manifest");

        await Mover.ImportAsync("acme", Files);
        Assert.Equal(expected, await TenantMoverTest.RowsAsync(_home, "public", "acme"));
    }

    private static JsonNode Table(JsonNode manifest, string name)
        => manifest["tables"]!.AsArray().Single(t => (string)t!["name"]! == name)!;

    private StudioContext Context(string tenant)
        => _services.GetRequiredService<IDbContextFactory<StudioContext>>().CreateDbContext(tenant);
}
