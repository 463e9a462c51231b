using System.Collections.Concurrent;
using System.Data;
using System.Data.Common;
using System.Diagnostics;
using EfTenancy.FunctionalTests.TestModels;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Storage;

/// <summary>A command that a connection is opened for tells the session its schema; whatever happens meanwhile, no other schema is met.</summary>
public sealed class SessionTellingTest(PostgresFixture postgres) : DatabasesTest(postgres)
{
    private static readonly string[] Tenants = ["Green", "Red"];

    private TestDatabase _home = null!;
    private TenantDatabases _databases = null!;

    public override async ValueTask InitializeAsync()
    {
        _home = await DatabaseAsync();

        // One session for all, so that each gets what another left.
        _databases = Own(TenantDatabases.Create(x => x.MultiTenantedSchemas(
            new NpgsqlConnectionStringBuilder(_home.ConnectionString) { MaxPoolSize = 1 }.ConnectionString)));
        foreach (var tenant in Tenants)
        {
            var schema = (await _databases.AddAsync(tenant)).Schema;
            await _home.ExecuteAsync(
                $"""
                 CREATE TABLE "{schema}"."Accounts" ("Id" int, "Name" text, "CurrencyCode" text);
                 INSERT INTO "{schema}"."Accounts" VALUES (1, 'of {tenant}', NULL), (2, 'too', NULL)
                 """);
        }
    }

    public static TheoryData<string> Ways
        => [.. Work.Keys];

    private static readonly Dictionary<string, Func<LedgerContext, Task<int>>> Work = new()
    {
        ["query"] = db => Task.FromResult(db.Accounts.AsEnumerable().Count(a => a.Id > 0)),
        ["asynchronous query"] = db => db.Accounts.CountAsync(),
        ["query with parameters"] = db =>
        {
            int[] ids = [1, 2];
            var of = "of";
            return db.Accounts.CountAsync(a => ids.Contains(a.Id) || a.Name.StartsWith(of));
        },
        ["query with a parameter of the provider's"] = db => db.Accounts
            .FromSqlRaw("SELECT * FROM \"Accounts\" WHERE \"Id\" < @id", new NpgsqlParameter<int>("id", 3)).CountAsync(),
        ["raw query"] = async db => (await db.Database.SqlQuery<int>($"SELECT \"Id\" AS \"Value\" FROM \"Accounts\"").ToListAsync()).Count,
        ["update"] = db => Task.FromResult(db.Accounts.ExecuteUpdate(s => s.SetProperty(a => a.CurrencyCode, a => "€"))),
        ["asynchronous update"] = db => db.Accounts.ExecuteUpdateAsync(s => s.SetProperty(a => a.CurrencyCode, a => "€")),
    };

    [Theory, MemberData(nameof(Ways))]
    public async Task One_round_trip_tells_the_session_and_does_the_work(string way)
    {
        foreach (var tenant in Tenants.Concat(Tenants))
        {
            await using var db = LedgerContext.For(_databases, tenant);
            await db.Database.CanConnectAsync();
            var executions = await ExecutionsAsync(async () => Assert.Equal(2, await Work[way](db)));

            Assert.Single(executions);
            Assert.Equal(["of " + tenant], await FirstNameAsync(db));
        }

        Assert.Equal(
            way.EndsWith("update", StringComparison.Ordinal) ? ["€"] : [""],
            await _home.ColumnAsync(
                $"""SELECT DISTINCT coalesce("CurrencyCode", '') FROM (TABLE {await TableAsync("Green")} UNION ALL TABLE {await TableAsync("Red")}) x"""));
    }

    [Fact]
    public async Task Several_statements_in_one_text_follow_by_themselves()
    {
        foreach (var tenant in Tenants.Concat(Tenants))
        {
            await using var db = LedgerContext.For(_databases, tenant);
            Assert.Equal(
                [$"of {tenant};"],
                await db.Database.SqlQuery<string>($"SET statement_timeout = 0; SELECT \"Name\" || ';' AS \"Value\" FROM \"Accounts\" WHERE \"Id\" = 1").ToListAsync());
            Assert.Equal(
                [$"of {tenant};"],
                db.Database.SqlQuery<string>($"SET statement_timeout = 0; SELECT \"Name\" || ';' AS \"Value\" FROM \"Accounts\" WHERE \"Id\" = 1").ToList());
        }
    }

    [Fact]
    public async Task Failures_cancellations_and_timeouts_leave_nothing_for_the_next()
    {
        foreach (var (tenant, other) in ((string, string)[])[("Green", "Red"), ("Red", "Green")])
        {
            await using var db = LedgerContext.For(_databases, tenant);
            db.Database.SetCommandTimeout(1);
            using var cancel = new CancellationTokenSource(TimeSpan.FromMilliseconds(200));

            var failure = await Assert.ThrowsAsync<PostgresException>(() => db.Accounts.CountAsync(a => a.Id / (a.Id - 1) > 0));
            Assert.Equal(PostgresErrorCodes.DivisionByZero, failure.SqlState);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => db.Database.SqlQuery<string>(Sleep).ToListAsync(cancel.Token));
            Assert.ThrowsAny<Exception>(() => db.Database.SqlQuery<string>(Sleep).ToList());

            await using var next = LedgerContext.For(_databases, other);
            Assert.Equal(["of " + other], await FirstNameAsync(next));
            Assert.Equal(["of " + tenant], await FirstNameAsync(db));
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_command_that_cannot_be_made_leaves_its_open_connection_to_the_next(bool inTransaction)
    {
        foreach (var tenant in Tenants)
        {
            await using var db = new PickyContext(LedgerContext.Options(_databases));
            db.Tenancy().Use(tenant);
            var unwritable = PickyContext.Unwritable;
            await Assert.ThrowsAsync<FormatException>(() => db.Accounts.CountAsync(a => a.Name == unwritable));
            Assert.Equal(ConnectionState.Open, db.Database.GetDbConnection().State);

            if (inTransaction)
            {
                await using var transaction = await db.Database.BeginTransactionAsync();
                Assert.Equal(2, await db.Database.ExecuteSqlAsync($"""UPDATE "Accounts" SET "Name" = 'changed'"""));
                await transaction.RollbackAsync();
            }

            Assert.Equal(["of " + tenant], await FirstNameAsync(db));
        }
    }

    [Fact]
    public async Task A_schema_that_is_gone_is_named()
    {
        var schema = (await _databases.FindAsync("Red"))!.Schema;
        await _home.ExecuteAsync($"""DROP SCHEMA "{schema}" CASCADE""");

        await using var db = LedgerContext.For(_databases, "Red");
        foreach (var work in Work.Values)
        {
            var exception = await Assert.ThrowsAsync<TenantDatabaseException>(() => work(db));
            Assert.Equal((TenantDatabaseError.SchemaMissing, "Red"), (exception.Error, exception.TenantId));
        }

        await using var green = LedgerContext.For(_databases, "Green");
        Assert.Equal(["of Green"], await FirstNameAsync(green));
    }

    [Fact]
    public async Task Interceptors_meet_the_provider_s_command_in_a_session_that_was_told()
    {
        foreach (var tenant in Tenants.Concat(Tenants))
        {
            var seen = new List<string>();
            await using var db = new LedgerContext(
                new DbContextOptionsBuilder<LedgerContext>(LedgerContext.Options(_databases))
                    .AddInterceptors(new ReadingOfConnection(seen), new ReadingOfCommand(seen)).Options);
            db.Tenancy().Use(tenant);

            Assert.Equal(["of " + tenant], await FirstNameAsync(db));
            Assert.Equal(["of " + tenant, "of " + tenant], seen);
        }
    }

    private static FormattableString Sleep
        => $"SELECT pg_sleep(30)::text AS \"Value\"";

    private static Task<List<string>> FirstNameAsync(LedgerContext db)
        => db.Accounts.Where(a => a.Id == 1).Select(a => a.Name).ToListAsync();

    private async Task<string> TableAsync(string tenant)
        => $"""
            "{(await _databases.FindAsync(tenant))!.Schema}"."Accounts"
            """;

    // As the provider tells OpenTelemetry of them; of this test only, whatever else goes on.
    private static async Task<IReadOnlyCollection<Activity>> ExecutionsAsync(Func<Task> work)
    {
        var executions = new ConcurrentBag<Activity>();
        using var test = new Activity("test").SetIdFormat(ActivityIdFormat.W3C).Start();
        using var listener = new ActivityListener
        {
            ShouldListenTo = s => s.Name == "Npgsql",
            Sample = (ref ActivityCreationOptions<ActivityContext> o)
                => o.Parent.TraceId == test.TraceId ? ActivitySamplingResult.AllData : ActivitySamplingResult.None,
            ActivityStopped = a =>
            {
                if (a.TraceId == test.TraceId)
                {
                    executions.Add(a);
                }
            },
        };
        ActivitySource.AddActivityListener(listener);
        await work();
        return executions;
    }

    private static async Task<string> ReadAsync(DbConnection connection)
    {
        await using var command = Assert.IsType<NpgsqlConnection>(connection).CreateCommand();
        command.CommandText = """SELECT "Name" FROM "Accounts" WHERE "Id" = 1""";
        return (string)(await command.ExecuteScalarAsync())!;
    }

    private sealed class PickyContext(DbContextOptions<LedgerContext> options) : LedgerContext(options)
    {
        public const string Unwritable = "unwritable";

        protected override void OnModelCreating(ModelBuilder modelBuilder)
            => modelBuilder.Entity<Account>().Property(a => a.Name).HasConversion(n => Check(n), n => n);

        private static string Check(string name)
            => name == Unwritable ? throw new FormatException(name) : name;
    }

    private sealed class ReadingOfConnection(List<string> seen) : DbConnectionInterceptor
    {
        public override async Task ConnectionOpenedAsync(
            DbConnection connection,
            ConnectionEndEventData eventData,
            CancellationToken cancellationToken = default)
            => seen.Add(await ReadAsync(connection));
    }

    private sealed class ReadingOfCommand(List<string> seen) : DbCommandInterceptor
    {
        public override async ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command,
            CommandEventData eventData,
            InterceptionResult<DbDataReader> result,
            CancellationToken cancellationToken = default)
        {
            seen.Add(await ReadAsync(Assert.IsType<NpgsqlCommand>(command).Connection!));
            return result;
        }
    }
}
