using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Update;

public class BulkInsertTest(BulkInsertTest.Fixture fixture) : IClassFixture<BulkInsertTest.Fixture>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private ReadingContext _green = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CloneAsync();
        _green = fixture.CreateContext(_database.ConnectionString);
        _green.Tenancy().Use("Green");
    }

    public async ValueTask DisposeAsync()
    {
        await _green.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Rows_go_to_the_tenant_of_the_context_or_to_the_named_one_or_to_each_ones_own()
    {
        Assert.Equal(10, await _green.Tenancy().BulkInsertAsync(Readings(10)));
        Assert.Equal(11, await _green.Tenancy().BulkInsertAsync("Red", Readings(11).ToAsyncEnumerable()));
        Assert.Equal(20, await _green.Tenancy().BulkInsertAsync(r => r.Value % 2 == 0 ? "Red" : "Blue", Readings(20, from: 100)));

        Assert.Equal(
            ["Blue 10", "Green 10", "Red 21"],
            await _database.ColumnAsync("""SELECT "TenantId" || ' ' || count(*) FROM "Readings" GROUP BY "TenantId" ORDER BY 1"""));
        Assert.Equal(10, await _green.Readings.CountAsync());
    }

    [Fact]
    public async Task Every_column_comes_back_as_it_went()
    {
        var reading = new Reading
        {
            Sensor = "s'1\\\n",
            Value = 42,
            Exact = 12.3456m,
            At = new DateTime(2026, 11, 21, 1, 2, 3, DateTimeKind.Utc),
            Quality = Quality.Poor,
            Note = null,
            Offset = TimeSpan.FromMinutes(7),
            Day = new DateOnly(2026, 2, 28),
            Level = new Level(7),
            MaybeLevel = null,
            Count = null,
            Tags = ["a", "b"],
        };
        await _green.Tenancy().BulkInsertAsync([reading]);
        var read = await _green.Readings.SingleAsync();

        Assert.Equivalent(reading, read, strict: true);

        reading.Note = "n";
        reading.MaybeLevel = new Level(3);
        reading.Count = 5;
        await _database.ExecuteAsync("""DELETE FROM "Readings" """);
        _green.ChangeTracker.Clear();
        await _green.Tenancy().BulkInsertAsync([reading]);
        Assert.Equivalent(reading, await _green.Readings.SingleAsync(), strict: true);
        Assert.Equal("Poor", await _database.ScalarAsync<string>("""SELECT "Quality" FROM "Readings" """));
    }

    [Fact]
    public async Task A_tenant_without_partition_is_named_and_nothing_is_written()
    {
        var exception = await Assert.ThrowsAsync<UnknownTenantException>(
            () => _green.Tenancy().BulkInsertAsync("White", Readings(3)));
        Assert.Equal(("White", "Readings"), (exception.TenantId, exception.Table));

        exception = await Assert.ThrowsAsync<UnknownTenantException>(
            () => _green.Tenancy().BulkInsertAsync(r => r.Value < 5000 ? "Red" : r.Value == 7000 ? "White" : "Blue", Readings(10000)));
        Assert.Equal("White", exception.TenantId);
        Assert.Contains("AddTenants(\"White\")", exception.Message, StringComparison.Ordinal);

        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Readings" """));
        Assert.Equal(1, await _green.Tenancy().BulkInsertAsync(Readings(1)));
    }

    [Fact]
    public async Task A_failure_of_the_source_leaves_nothing()
    {
        await Assert.ThrowsAsync<FormatException>(() => _green.Tenancy().BulkInsertAsync(Broken()));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            async () =>
            {
                using var source = new CancellationTokenSource();
                await _green.Tenancy().BulkInsertAsync(Readings(100000).Select(r => { if (r.Value == 50000) { source.Cancel(); } return r; }), cancellationToken: source.Token);
            });

        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Readings" """));
        Assert.Equal(0, await _green.Tenancy().BulkInsertAsync(Readings(0)));
        Assert.Equal(5, await _green.Tenancy().BulkInsertAsync(Readings(5)));

        static IEnumerable<Reading> Broken()
            => Readings(50000).Concat(Enumerable.Range(0, 1).Select<int, Reading>(_ => throw new FormatException()));
    }

    [Fact]
    public async Task It_belongs_to_the_contexts_transaction()
    {
        await using (var transaction = await _green.Database.BeginTransactionAsync())
        {
            await _green.Tenancy().BulkInsertAsync(Readings(5));
            Assert.Equal(5, await _green.Readings.CountAsync());
        }

        Assert.Equal(0, await _green.Readings.CountAsync());
    }

    [Fact]
    public async Task Keys_of_the_database_are_left_to_it_or_all_given()
    {
        Assert.Equal(2, await _green.Tenancy().BulkInsertAsync([new Alarm { Text = "a" }, new Alarm { Text = "b" }]));
        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(DISTINCT "Id") FROM "Alarms" WHERE "Id" > 0"""));
        Assert.Equal(1, await _green.Tenancy().BulkInsertAsync([new Alarm { Id = 1000, Text = "c" }]));
        Assert.Equal("c", (await _green.Alarms.FindAsync(1000))!.Text);

        await Assert.ThrowsAsync<InvalidOperationException>(
            () => _green.Tenancy().BulkInsertAsync([new Alarm { Text = "d" }, new Alarm { Id = 7, Text = "e" }]));
        Assert.Equal(3, await _green.Alarms.CountAsync());
    }

    [Fact]
    public async Task An_own_tenant_property_must_agree()
    {
        await Assert.ThrowsAsync<CrossTenantWriteException>(
            () => _green.Tenancy().BulkInsertAsync([new Bill { Id = 1, TenantId = "Red" }]));
        Assert.Equal(1, await _green.Tenancy().BulkInsertAsync("Red", [new Bill { Id = 1, TenantId = "Red" }]));
        Assert.Equal(1, await _green.Tenancy().BulkInsertAsync([new Bill { Id = 1 }]));
        Assert.Equal(["Green", "Red"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Bills" ORDER BY 1"""));
    }

    [Fact]
    public async Task Global_rows_have_no_tenant()
    {
        Assert.Equal(1, await _green.Tenancy().BulkInsertAsync([new Place { Code = "A" }]));
        Assert.Equal(1, await _green.Places.CountAsync());
        await Assert.ThrowsAsync<InvalidOperationException>(() => _green.Tenancy().BulkInsertAsync("Red", [new Place { Code = "B" }]));
    }

    [Fact]
    public async Task Bad_tenants_are_refused_at_the_door()
    {
        await Assert.ThrowsAsync<ArgumentException>(() => _green.Tenancy().BulkInsertAsync(" ", Readings(1)));
        await Assert.ThrowsAsync<ArgumentException>(() => _green.Tenancy().BulkInsertAsync(_ => null!, Readings(1)));
        Assert.Equal(0, await _green.Readings.CountAsync());
    }

    private static IEnumerable<Reading> Readings(int count, int from = 0)
        => Enumerable.Range(from, count).Select(i => new Reading { Sensor = "s" + i, Value = i });

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<ReadingContext>(postgres)
    {
        public override ReadingContext CreateContext(string connectionString)
            => new(new DbContextOptionsBuilder<ReadingContext>().UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
    }
}
