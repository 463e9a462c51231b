using System.Data.Common;
using System.Text;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.Logging;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Isolation;

/// <summary>What an application puts between EF and its database sees, and writes, one tenant's rows; and what is logged holds none of them.</summary>
public sealed class InterceptorsTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    [Fact]
    public async Task A_connection_that_an_interceptor_opens_itself_is_in_the_tenants_schema()
    {
        var home = await DatabaseAsync();
        var databases = Own(TenantDatabases.Create(x => x.MultiTenantedSchemas(home.ConnectionString)));
        foreach (var tenant in (string[])["Green", "Red"])
        {
            var schema = (await databases.AddAsync(tenant)).Schema;
            await home.ExecuteAsync(
                $"""CREATE TABLE "{schema}"."Accounts" ("Id" int, "Name" text, "CurrencyCode" text); INSERT INTO "{schema}"."Accounts" VALUES (1, '{tenant}')""");
        }

        foreach (var tenant in (string[])["Green", "Red", "Green"])
        {
            await using var db = new LedgerContext(
                new DbContextOptionsBuilder<LedgerContext>(LedgerContext.Options(databases)).AddInterceptors(new Opener()).Options);
            db.Tenancy().Use(tenant);
            Assert.Equal([tenant], await db.Accounts.Select(a => a.Name).ToListAsync());
            Assert.Equal([tenant], db.Accounts.Select(a => a.Name).ToList());
        }
    }

    [Fact]
    public async Task Rows_that_interceptors_change_when_they_are_saved_are_looked_at_too()
    {
        var database = await DatabaseAsync();
        await using (var setup = Clinic(database))
        {
            await setup.Database.EnsureCreatedAsync();
        }

        await using var green = Clinic(database, new Smuggler());
        green.Tenancy().Use("Green");
        green.Add(new Ward { Id = 1, Name = "Green" });
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
        Assert.Throws<CrossTenantWriteException>(() => green.SaveChanges());
        Assert.Empty(await database.ColumnAsync("""SELECT "TenantId" FROM "Wards" """));
    }

    [Fact]
    public async Task Each_try_of_a_save_is_looked_at()
    {
        var database = await DatabaseAsync();
        await using (var setup = Clinic(database))
        {
            await setup.Database.EnsureCreatedAsync();
        }

        await using var green = new ClinicContext(
            new DbContextOptionsBuilder<ClinicContext>(Options(database, new Turncoat()))
                .UseNpgsql(npgsql => npgsql.EnableRetryOnFailure(2, TimeSpan.Zero, null)).Options);
        green.Tenancy().Use("Green");
        green.Add(new Employee { Id = 1, Name = "Green" });
        await Assert.ThrowsAsync<CrossTenantWriteException>(() => green.SaveChangesAsync());
        Assert.Empty(await database.ColumnAsync("""SELECT "TenantId" FROM "Employees" """));
    }

    [Fact]
    public async Task Entities_that_an_interceptor_makes_are_written_for_the_tenant_that_they_were_read_for()
    {
        var database = await DatabaseAsync();
        await using (var setup = Clinic(database))
        {
            await setup.Database.EnsureCreatedAsync();
            foreach (var tenant in (string[])["Green", "Red"])
            {
                setup.Tenancy().ForTenant(tenant).Add(new Ward { Id = 1, Name = tenant });
            }

            await setup.SaveChangesAsync();
        }

        // An object that says Red is what EF was told to read; the guard knows the row.
        await using var green = Clinic(database, new Forger());
        green.Tenancy().Use("Green");
        var ward = await green.Wards.SingleAsync();
        ward.Name = "changed";
        await Record.ExceptionAsync(() => green.SaveChangesAsync());
        Assert.Equal("Red", await database.ScalarAsync<string>("""SELECT "Name" FROM "Wards" WHERE "TenantId" = 'Red' """));
    }

    [Fact]
    public async Task Logs_and_errors_hold_no_password_and_no_values_of_rows()
    {
        const string Secret = "secret-of-a-tenant";
        var log = new StringBuilder();
        var home = await DatabaseAsync();
        var settings = new NpgsqlConnectionStringBuilder(home.ConnectionString) { Timeout = 3 };
        var password = settings.Password is { Length: > 0 } given ? given : "password-of-home";
        settings.Password = password;
        var down = new NpgsqlConnectionStringBuilder(settings.ConnectionString) { Port = 1 };
        var databases = Own(
            TenantDatabases.Create(
                x => x.MultiTenantedDatabases(
                    d => d.AddMultipleTenantDatabase(settings.ConnectionString, "Green", "Red").AddSingleTenantDatabase(down.ConnectionString, "Down"))));

        await using (var green = Context("Green"))
        {
            await green.Database.EnsureCreatedAsync();
            green.Add(new Account { Name = Secret });
            await green.SaveChangesAsync();
            await green.Tenancy().BulkInsertAsync([new Account { Name = Secret }]);
            Assert.Equal(2, await green.Accounts.CountAsync(a => a.AnyTenant()));
            using (green.Tenancy().AcrossTenants("a test"))
            {
                Assert.Equal(2, (await green.Accounts.ToListAsync()).Count);
            }

            green.Add(new Posting { AccountId = 12345, Amount = 54321.12345m });
            Keep(await Record.ExceptionAsync(() => green.SaveChangesAsync()));
        }

        await using (var red = Context("Red"))
        {
            using (red.Tenancy().AcrossTenants("another"))
            {
                (await red.Accounts.FirstAsync()).Name = Secret + "!";
            }

            Keep(await Record.ExceptionAsync(() => red.SaveChangesAsync()));
            Keep(await Record.ExceptionAsync(() => red.Tenancy().BulkInsertAsync([new Posting { AccountId = 12345, Amount = 54321.12345m }])));
        }

        await using (var lost = Context("Down"))
        {
            Keep(await Record.ExceptionAsync(() => lost.Accounts.ToListAsync()));
            Keep(Record.Exception(() => lost.Accounts.ToList()));
        }

        Keep(Record.Exception(() => Context("Nobody").Accounts.Count()));
        Assert.Contains("'Green'", log.ToString(), StringComparison.Ordinal);
        foreach (var hidden in (string[])[Secret, password, "54321.12345"])
        {
            Assert.DoesNotContain(hidden, log.ToString(), StringComparison.Ordinal);
        }

        LedgerContext Context(string tenant)
        {
            var context = new LedgerContext(
                new DbContextOptionsBuilder<LedgerContext>(LedgerContext.Options(databases, t => t.AllEntitiesAreMultiTenanted()))
                    .LogTo(m => log.AppendLine(m), LogLevel.Debug).Options);
            context.Tenancy().Use(tenant);
            return context;
        }

        void Keep(Exception? exception)
        {
            Assert.NotNull(exception);
            log.AppendLine(exception.ToString());
        }
    }

    private static ClinicContext Clinic(TestDatabase database, params IInterceptor[] interceptors)
        => new(Options(database, interceptors));

    private static DbContextOptions<ClinicContext> Options(TestDatabase database, params IInterceptor[] interceptors)
        => new DbContextOptionsBuilder<ClinicContext>().UseTestDatabase(database.ConnectionString)
            .UseTenancy(t => t.AllEntitiesAreMultiTenanted()).AddInterceptors(interceptors).Options;

    private sealed class Opener : DbConnectionInterceptor
    {
        public override InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
        {
            connection.Open();
            return InterceptionResult.Suppress();
        }

        public override async ValueTask<InterceptionResult> ConnectionOpeningAsync(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default)
        {
            await connection.OpenAsync(cancellationToken);
            return InterceptionResult.Suppress();
        }
    }

    private sealed class Smuggler : SaveChangesInterceptor
    {
        private int _id = 1;

        public override InterceptionResult<int> SavingChanges(DbContextEventData eventData, InterceptionResult<int> result)
        {
            eventData.Context!.Add(new Ward { Id = ++_id, TenantId = "Red", Name = "smuggled" }).Property("TenantId").CurrentValue = "Red";
            return result;
        }

        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData, InterceptionResult<int> result, CancellationToken cancellationToken = default)
            => new(SavingChanges(eventData, result));
    }

    /// <summary>Lets the first command fail as in a deadlock, and gives what is saved to Red meanwhile.</summary>
    private sealed class Turncoat : DbCommandInterceptor
    {
        private bool _hasFailed;

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result, CancellationToken cancellationToken = default)
        {
            if (_hasFailed)
            {
                return new(result);
            }

            _hasFailed = true;
            foreach (var entry in eventData.Context!.ChangeTracker.Entries())
            {
                entry.Property("TenantId").CurrentValue = "Red";
            }

            throw new PostgresException("deadlock", "ERROR", "ERROR", PostgresErrorCodes.DeadlockDetected);
        }
    }

    private sealed class Forger : IMaterializationInterceptor
    {
        public object InitializedInstance(MaterializationInterceptionData materializationData, object entity)
            => entity is Ward ward ? new Ward { Id = ward.Id, TenantId = "Red", Name = ward.Name } : entity;
    }
}
