using System.Reflection;
using EfTenancy.Diagnostics;
using EfTenancy.Diagnostics.Internal;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Infrastructure;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.Logging;
using Xunit;

namespace EfTenancy.FunctionalTests.Diagnostics;

public class TenancyEventIdTest(TenancyEventIdTest.Fixture fixture) : IClassFixture<TenancyEventIdTest.Fixture>
{
    private static readonly Dictionary<string, EventId> Ids = typeof(TenancyEventId).GetFields(BindingFlags.Public | BindingFlags.Static)
        .ToDictionary(f => f.Name, f => (EventId)f.GetValue(null)!);

    [Fact]
    public void Every_id_has_its_own_number_in_our_range_and_one_logger_method()
    {
        Assert.All(Ids.Values, id => Assert.InRange(id.Id, 95000, 95999));
        Assert.Distinct(Ids.Values.Select(id => id.Id));
        Assert.Equal(
            Ids.Keys.Order(),
            typeof(TenancyLoggerExtensions).GetMethods(BindingFlags.Public | BindingFlags.Static).Select(m => m.Name).Order());
    }

    [Fact]
    public async Task Every_event_is_logged_when_it_happens_and_with_what_it_is_about()
    {
        var log = new List<(EventId Id, LogLevel Level, string Text)>();
        await using var database = await fixture.CloneAsync();
        await using var green = Context(database, log);
        green.Tenancy().Use("Green");
        _ = await green.Readings.Where(r => r.AnyTenant()).ToListAsync();
        using (green.Tenancy().AcrossTenants("monthly invoice run"))
        {
        }

        await green.Tenancy().BulkInsertAsync("Red", [new Reading { Sensor = "s" }]);
        await Assert.ThrowsAsync<UnknownTenantException>(() => green.Tenancy().BulkInsertAsync("White", [new Reading { Sensor = "s" }]));
        (await green.Readings.SingleAsync(r => r.TenantIsOneOf("Red"))).Value = 7;
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());

        await using var unset = Context(database, log);
        _ = await unset.Alarms.ToListAsync();

        ForgetTenants(log);
        await AddManyTenants(database, log);
        await ReadAllTenantsOfOnePlace(database, log);

        Assert.Equal(Ids.Values.Select(i => i.Id).Order(), log.Select(e => e.Id.Id).Distinct().Order());
        Says(TenancyEventId.TenantSet, LogLevel.Debug, "'Green'");
        Says(TenancyEventId.DefaultTenantUsed, LogLevel.Debug, "'*DEFAULT*'");
        Says(TenancyEventId.AcrossTenantsEntered, LogLevel.Information, "monthly invoice run");
        Says(TenancyEventId.TenantsElsewhereNotRead, LogLevel.Warning, $"database '{database.Name}@");
        Says(TenancyEventId.CrossTenantQuery, LogLevel.Information, "AnyTenant");
        Says(TenancyEventId.BulkInserted, LogLevel.Information, "1 rows of 'Readings'");
        Says(TenancyEventId.UnknownTenantRefused, LogLevel.Error, "'White'");
        Says(TenancyEventId.CrossTenantWriteRefused, LogLevel.Error, "'Red'");
        Says(TenancyEventId.NothingIsMultiTenanted, LogLevel.Warning, "'ForgottenContext'");
        Says(TenancyEventId.ManyTenantPartitions, LogLevel.Warning, "'public.Parcel' has 1001");
        Says(TenancyEventId.IndexNotCreatedConcurrently, LogLevel.Warning, "'IX_Parcel_Id' of 'Parcel'");

        void Says(EventId id, LogLevel level, string part)
            => Assert.Contains(log, e => e.Id == id && e.Level == level && e.Text.Contains(part, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Models_that_EF_makes_of_its_own_are_no_forgotten_ones()
    {
        await using var database = await fixture.CloneAsync();
        await using var context = new ReadingContext(
            new DbContextOptionsBuilder<ReadingContext>().UseTestDatabase(database.ConnectionString)
                .ConfigureWarnings(w => w.Throw(TenancyEventId.NothingIsMultiTenanted))
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);

        Assert.Equal(1, (await context.Database.SqlQuery<Count>($"SELECT 1 AS \"Number\"").SingleAsync()).Number);
        Assert.Empty(await context.Database.GetAppliedMigrationsAsync());
    }

    private sealed class Count
    {
        public int Number { get; set; }
    }

    private static void ForgetTenants(List<(EventId, LogLevel, string)> log)
    {
        using var forgotten = new ForgottenContext(
            new DbContextOptionsBuilder<ForgottenContext>().UseTestDatabase("Host=unused")
                .LogTo((id, _) => id == TenancyEventId.NothingIsMultiTenanted, data => log.Add((data.EventId, data.LogLevel, data.ToString())))
                .UseTenancy().Options);
        _ = forgotten.Model;
    }

    // The warning comes before anything is created, and nobody waits for a thousand partitions here.
    private static async Task AddManyTenants(TestDatabase database, List<(EventId, LogLevel, string)> log)
    {
        using var cancel = new CancellationTokenSource();
        await using var parcels = new ParcelContext(
            new DbContextOptionsBuilder<ParcelContext>().UseTestDatabase(database.ConnectionString)
                .LogTo(
                    (id, _) => id == TenancyEventId.ManyTenantPartitions || id == TenancyEventId.IndexNotCreatedConcurrently,
                    data =>
                    {
                        log.Add((data.EventId, data.LogLevel, data.ToString()));
                        if (data.EventId == TenancyEventId.ManyTenantPartitions)
                        {
                            cancel.Cancel();
                        }
                    })
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted().PartitionMultiTenantedEntitiesManaged("tenants")).Options);
        await database.ExecuteAsync(parcels.Database.GenerateCreateScript());
        parcels.GetService<IMigrationsSqlGenerator>().Generate(
            [new CreateIndexOperation { Name = "IX_Parcel_Id", Table = "Parcel", Columns = ["Id"], ["Npgsql:CreatedConcurrently"] = true }],
            parcels.GetService<IDesignTimeModel>().Model);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => parcels.Tenancy().Administration.AddAsync(Enumerable.Range(0, 1001).Select(i => $"t{i}"), cancel.Token));
    }

    private static async Task ReadAllTenantsOfOnePlace(TestDatabase database, List<(EventId, LogLevel, string)> log)
    {
        await using var databases = TenantDatabases.Create(
            x => x.MultiTenantedDatabases(
                l => l.AddMultipleTenantDatabase(database.ConnectionString, "Green", "Red").AddSingleTenantDatabase("Host=nowhere.invalid", "White")));
        await using var green = Context(database, log, t => t.UseTenantDatabases(databases));
        green.Tenancy().Use("Green");
        _ = await green.Readings.Where(r => r.AnyTenant()).ToListAsync();
    }

    private sealed class ParcelContext(DbContextOptions<ParcelContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Parcel>();
    }

    private sealed class ForgottenContext(DbContextOptions<ForgottenContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Parcel>();
    }

    private sealed class Parcel
    {
        public int Id { get; set; }
    }

    private static ReadingContext Context(
        TestDatabase database,
        List<(EventId, LogLevel, string)> log,
        Action<TenancyDbContextOptionsBuilder>? tenancy = null)
        => new(new DbContextOptionsBuilder<ReadingContext>().UseTestDatabase(database.ConnectionString)
            .LogTo((id, _) => id.Id is >= 95000 and < 96000, data => log.Add((data.EventId, data.LogLevel, data.ToString())))
            .UseTenancy(
                t =>
                {
                    t.AllEntitiesAreMultiTenanted();
                    tenancy?.Invoke(t);
                }).Options);

    public class Fixture(PostgresFixture postgres) : DatabaseFixture<ReadingContext>(postgres)
    {
        public override ReadingContext CreateContext(string connectionString)
            => new(new DbContextOptionsBuilder<ReadingContext>().UseTestDatabase(connectionString)
                .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).Options);
    }
}
