using System.Diagnostics;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Migrations.Internal;
using Xunit;

namespace EfTenancy.FunctionalTests.Migrations;

/// <summary>Several processes apply the same migrations at the same moment, by EF's own calls.</summary>
public class ConcurrentMigrationTest(PostgresFixture postgres)
{
    private const int Rounds = 10;

    private const string Locks = "SELECT objid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())";

    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(20);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Those_who_migrate_at_once_all_come_to_their_end(bool isDatabaseMissing)
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await postgres.CreateDatabaseAsync();
            if (isDatabaseMissing)
            {
                await DropAsync(database);
            }

            await AllAsync(
                4,
                async i =>
                {
                    await using var context = new StaircaseContext(database.ConnectionString);
                    if (i % 2 == 0)
                    {
                        await context.Database.MigrateAsync(Cancellation);
                    }
                    else
                    {
                        context.Database.Migrate();
                    }
                });

            await AssertMigratedAsync(database);
        }
    }

    [Fact]
    public async Task Those_who_revert_at_once_all_come_to_their_end()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await postgres.CreateDatabaseAsync();
            await MigrateAsync(database);

            await AllAsync(
                4,
                async _ =>
                {
                    await using var context = new StaircaseContext(database.ConnectionString);
                    await context.GetService<IMigrator>().MigrateAsync(Migration.InitialDatabase, Cancellation);
                });

            Assert.Empty(await database.ColumnAsync("""SELECT "MigrationId" FROM "__EFMigrationsHistory" """));
            Assert.Equal(0, await database.ScalarAsync<int>("SELECT count(*) FROM pg_class WHERE relname LIKE 'Step%'"));
        }
    }

    [Fact]
    public async Task In_transactions_of_the_application_too()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await postgres.CreateDatabaseAsync();
            await MigrateAsync(database, "Third");

            await AllAsync(
                4,
                async i =>
                {
                    await using var context = new StaircaseContext(database.ConnectionString);
                    await using var transaction = await context.Database.BeginTransactionAsync(Cancellation);
                    if (i % 2 == 0)
                    {
                        await context.Database.MigrateAsync(Cancellation);
                    }
                    else
                    {
                        context.Database.Migrate();
                    }

                    await transaction.CommitAsync(Cancellation);
                });

            await AssertMigratedAsync(database);
        }
    }

    [Fact]
    public async Task Waiting_has_no_timeout_and_does_not_disturb_who_has_the_lock()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await MigrateAsync(database, "Second");
        await using var holder = await TransactionOnStepAsync(database);

        // The first waits for the table, the second for the first: its index is built while the second waits.
        var first = Task.Run(() => MigrateAsync(database));
        await WaitAsync(database, "SELECT count(*) FROM pg_locks WHERE NOT granted");
        var timeouts = new NpgsqlConnectionStringBuilder(database.ConnectionString)
        {
            CommandTimeout = 1, Options = "-c statement_timeout=500 -c lock_timeout=500",
        };
        var second = Task.Run(
            async () =>
            {
                await using var context = new StaircaseContext(timeouts.ConnectionString);
                await context.Database.MigrateAsync(Cancellation);
            });
        await Task.Delay(3000, Cancellation);
        Assert.False(first.IsCompleted || second.IsCompleted);
        await holder.DisposeAsync();
        await first;
        await second;

        await AssertMigratedAsync(database);
    }

    [Fact]
    public async Task Waiting_can_be_cancelled()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await MigrateAsync(database, "First");
        await using var holder = await TransactionOnStepAsync(database);
        var first = Task.Run(() => MigrateAsync(database));
        await WaitAsync(database, "SELECT count(*) FROM pg_locks WHERE NOT granted");

        await using var context = new StaircaseContext(database.ConnectionString);
        using var source = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => context.Database.MigrateAsync(source.Token));
        Assert.Equal(System.Data.ConnectionState.Closed, context.Database.GetDbConnection().State);

        await holder.DisposeAsync();
        await first;
        await AssertMigratedAsync(database);
    }

    [Fact]
    public async Task Schemas_do_not_wait_for_each_other()
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await database.ExecuteAsync("CREATE SCHEMA one; CREATE SCHEMA two");
        await MigrateAsync(database, "First", "one");
        await using var holder = await TransactionOnStepAsync(database, "one");
        var one = Task.Run(() => MigrateAsync(database, schema: "one"));
        await WaitAsync(database, "SELECT count(*) FROM pg_locks WHERE NOT granted");

        await MigrateAsync(database, "Second", "two").WaitAsync(Soon, Cancellation);

        Assert.False(one.IsCompleted);
        await holder.DisposeAsync();
        await one;
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public async Task The_lock_is_given_back_whatever_fails(bool isAsync, bool isOpen)
    {
        await using var database = await postgres.CreateDatabaseAsync();
        await FailAsync<PostgresException>(
            """
            CREATE FUNCTION refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no tables'; END $$;
            CREATE EVENT TRIGGER refuse ON ddl_command_start WHEN TAG IN ('CREATE TABLE') EXECUTE FUNCTION refuse();
            """);
        await database.ExecuteAsync("DROP EVENT TRIGGER refuse");
        await MigrateAsync(database, "First");
        await FailAsync<PostgresException>("""ALTER TABLE "Step" ADD "Second" int""");
        await database.ExecuteAsync("""ALTER TABLE "Step" DROP "Second" """);
        await MigrateAsync(database);
        await FailAsync<PostgresException>("SELECT 1", "SELECT 1 / 0");
        await FailAsync<InvalidOperationException>("SELECT 1", seed: null);
        await AssertMigratedAsync(database);

        async Task FailAsync<TException>(string obstacle, string? seed = "SELECT 1")
            where TException : Exception
        {
            await database.ExecuteAsync(obstacle);
            await using var context = new StaircaseContext(
                (_, o) => o
                    .UseSeeding((c, _) => c.Database.ExecuteSqlRaw(seed ?? throw new InvalidOperationException()))
                    .UseAsyncSeeding((c, _, t) => c.Database.ExecuteSqlRawAsync(seed ?? throw new InvalidOperationException(), t)),
                database.ConnectionString);
            if (isOpen)
            {
                await context.Database.OpenConnectionAsync(Cancellation);
            }

            var exception = await Record.ExceptionAsync(
                async () =>
                {
                    if (isAsync)
                    {
                        await context.Database.MigrateAsync(Cancellation);
                    }
                    else
                    {
                        context.Database.Migrate();
                    }
                });

            Assert.True(exception is TException { } and not PostgresException { SqlState: PostgresErrorCodes.InFailedSqlTransaction }, exception?.ToString());
            Assert.Equal(isOpen, context.Database.GetDbConnection().State == System.Data.ConnectionState.Open);
            Assert.Empty(await database.ColumnAsync(Locks));
        }
    }

    [Fact]
    public async Task A_connection_that_broke_has_the_lock_again_when_migrations_are_tried_again()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await postgres.CreateDatabaseAsync();
            await database.ExecuteAsync("CREATE SEQUENCE attempts");
            await MigrateAsync(database, "First");

            // In migrations whose transaction is all of them: one that is half applied cannot be applied again.
            await database.ExecuteAsync(
                """
                CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN IF nextval('attempts') IN (1, 4) THEN PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1); END IF; RETURN NEW; END $$;
                CREATE TRIGGER break BEFORE INSERT ON "Step" FOR EACH ROW EXECUTE FUNCTION break();
                """);

            await AllAsync(
                4,
                async _ =>
                {
                    await using var context = new StaircaseContext((n, _) => n.EnableRetryOnFailure(6, TimeSpan.FromMilliseconds(50), null), database.ConnectionString);
                    await context.Database.MigrateAsync(Cancellation);
                });

            await AssertMigratedAsync(database);
        }
    }

    [Fact]
    public async Task The_applications_own_history_is_kept()
    {
        for (var round = 0; round < Rounds; round++)
        {
            await using var database = await postgres.CreateDatabaseAsync();
            await AllAsync(
                4,
                async _ =>
                {
                    await using var context = new StaircaseContext(
                        (_, o) => o.ReplaceService<IHistoryRepository, OwnHistoryRepository>(), database.ConnectionString);
                    await context.Database.MigrateAsync(Cancellation);
                });

            Assert.Equal(4, await database.ScalarAsync<int>("""SELECT count(*) FROM "__EFMigrationsHistory" WHERE "Machine" = 'mine'"""));
            await AssertMigratedAsync(database);
        }
    }

    [Fact]
    public async Task Scripts_have_no_lock()
    {
        await using var context = new StaircaseContext("Host=none");

        Assert.DoesNotContain("advisory", context.GetService<IMigrator>().GenerateScript(options: MigrationsSqlGenerationOptions.Idempotent), StringComparison.Ordinal);
    }

    private static Task AllAsync(int count, Func<int, Task> work)
        => Task.WhenAll(Enumerable.Range(0, count).Select(i => Task.Run(() => work(i))));

    private static async Task MigrateAsync(TestDatabase database, string? target = null, string? schema = null)
    {
        await using var context = new StaircaseContext(
            new NpgsqlConnectionStringBuilder(database.ConnectionString) { SearchPath = schema }.ConnectionString);
        await context.GetService<IMigrator>().MigrateAsync(target, Cancellation);
    }

    private static async Task<NpgsqlConnection> TransactionOnStepAsync(TestDatabase database, string schema = "public")
    {
        var connection = new NpgsqlConnection(database.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"""BEGIN; LOCK TABLE {schema}."Step" IN ACCESS SHARE MODE""", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
        return connection;
    }

    private static async Task WaitAsync(TestDatabase database, string sql)
    {
        for (var watch = Stopwatch.StartNew(); await database.ScalarAsync<int>(sql) == 0;)
        {
            Assert.True(watch.Elapsed < Soon, sql);
            await Task.Delay(20, Cancellation);
        }
    }

    private static async Task AssertMigratedAsync(TestDatabase database)
    {
        Assert.Equal(
            ["20260101000000_First", "20260102000000_Second", "20260103000000_Third", "20260104000000_Fourth"],
            await database.ColumnAsync("""SELECT "MigrationId" FROM "__EFMigrationsHistory" ORDER BY 1"""));
        Assert.Equal(["1", "2", "3"], await database.ColumnAsync("""SELECT "Id" FROM "Step" ORDER BY 1"""));
        Assert.Empty(await database.ColumnAsync("SELECT indexrelid::regclass FROM pg_index WHERE NOT indisvalid"));
        Assert.Empty(await database.ColumnAsync(Locks));
    }

    private static async Task DropAsync(TestDatabase database)
    {
        var builder = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        await using (var own = new NpgsqlConnection(database.ConnectionString))
        {
            NpgsqlConnection.ClearPool(own);
        }

        builder.Database = "postgres";
        await using var connection = new NpgsqlConnection(builder.ConnectionString);
        await connection.OpenAsync(Cancellation);
        await using var command = new NpgsqlCommand($"""DROP DATABASE "{database.Name}" WITH (FORCE)""", connection);
        await command.ExecuteNonQueryAsync(Cancellation);
    }

#pragma warning disable EF1001 // What applications derive from to have columns of their own in the history.
    private sealed class OwnHistoryRepository(HistoryRepositoryDependencies dependencies) : NpgsqlHistoryRepository(dependencies)
    {
        protected override void ConfigureTable(Microsoft.EntityFrameworkCore.Metadata.Builders.EntityTypeBuilder<HistoryRow> history)
        {
            base.ConfigureTable(history);
            history.Property<string>("Machine").HasDefaultValue("mine");
        }
    }
#pragma warning restore EF1001
}
