using System.Security.Cryptography;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
using EfTenancy.Storage;
using EfTenancy.TenantProcess;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.Administration;

/// <summary>Administration by the owner of the tables, who is no superuser, and in sessions that the application uses too.</summary>
public class TenantAdministrationRightsTest(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly string _owner = $"Owner \"{RandomNumberGenerator.GetHexString(8)}\"";
    private TestDatabase _database = null!;
    private string _ofOwner = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await postgres.CreateDatabaseAsync();
        var password = RandomNumberGenerator.GetHexString(20);
        await _database.ExecuteAsync(
            $"""CREATE ROLE {Quoted} LOGIN PASSWORD '{password}'; GRANT ALL ON DATABASE "{_database.Name}" TO {Quoted}; GRANT ALL ON SCHEMA public TO {Quoted}""");
        _ofOwner = new NpgsqlConnectionStringBuilder(_database.ConnectionString) { Username = _owner, Password = password }.ConnectionString;
    }

    public async ValueTask DisposeAsync()
    {
        await using (var connection = new NpgsqlConnection(_ofOwner))
        {
            NpgsqlConnection.ClearPool(connection);
        }

        await _database.ExecuteAsync($"REASSIGN OWNED BY {Quoted} TO CURRENT_USER; DROP OWNED BY {Quoted}; DROP ROLE {Quoted}");
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task The_owner_of_the_tables_is_enough_and_of_a_global_table_the_right_to_reference_it()
    {
        var tenants = await CreateManaged();
        await _database.ExecuteAsync($"""ALTER TABLE "Region" OWNER TO CURRENT_USER; GRANT SELECT, REFERENCES ON "Region" TO {Quoted}""");

        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "ab", ["b"] = "ab", ["c"] = "c" });
        await Insert("a", "b", "c");
        await tenants.AddAsync(new Dictionary<string, string> { ["d"] = "ab" });
        await tenants.DeleteDataAsync(["b"]);
        await tenants.RemoveAsync(["a", "c"]);

        Assert.Equal(["b", "d"], (await tenants.ListAsync()).Select(t => t.TenantId));
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Orders" """));
        Assert.Empty(await tenants.RepairAsync());
    }

    [Theory]
    [InlineData("", "a")]
    [InlineData("GRANT USAGE ON SCHEMA tenants TO {0}", "a")]
    [InlineData("GRANT USAGE ON SCHEMA tenants TO {0}; GRANT SELECT ON tenants.tenant_partitions TO {0}", null)]
    public async Task Who_may_not_use_the_registry_is_told_what_to_grant(string granted, string? refusedTenant)
    {
        var tenants = await CreateManaged();
        await tenants.AddAsync(["a"]);
        await _database.ExecuteAsync(
            $"ALTER SCHEMA tenants OWNER TO CURRENT_USER; ALTER TABLE tenants.tenant_partitions OWNER TO CURRENT_USER; {granted.Replace("{0}", Quoted, StringComparison.Ordinal)}");
        var before = await _database.ColumnAsync("SELECT t::text FROM tenants.tenant_partitions t");

        Func<Task>[] calls = [() => tenants.AddAsync(["b"]), () => tenants.RemoveAsync(["a"]), () => tenants.DisableAsync(["a"])];
        foreach (var call in calls)
        {
            AssertRefused(await Assert.ThrowsAsync<TenantDatabaseException>(call), tenant: null);
        }

        if (refusedTenant is null)
        {
            await Insert("a");
        }
        else
        {
            AssertRefused(await Assert.ThrowsAsync<TenantDatabaseException>(() => Insert("a")), refusedTenant);
        }

        Assert.Equal(before, await _database.ColumnAsync("SELECT t::text FROM tenants.tenant_partitions t"));

        static void AssertRefused(TenantDatabaseException refused, string? tenant)
        {
            Assert.Equal((TenantDatabaseError.AccessDenied, tenant, TenantDestination.Home), (refused.Error, refused.TenantId, refused.Destination));
            Assert.Contains("The registry of tenants, tenants.tenant_partitions, refuses the user", refused.Message, StringComparison.Ordinal);
            Assert.Contains("INSERT, UPDATE and DELETE", refused.Message, StringComparison.Ordinal);
            Assert.Contains("permission denied for", refused.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_policy_that_hides_rows_makes_their_deletion_fail_rather_than_leave_them()
    {
        var tenants = await CreateManaged();
        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "ab", ["b"] = "ab" });
        await Insert("a", "b");
        await _database.ExecuteAsync(
            """
            ALTER TABLE "Payment" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Payment" FORCE ROW LEVEL SECURITY;
            CREATE POLICY nobody ON "Payment" USING (false);
            """);

        var exception = await Assert.ThrowsAsync<TenantAdministrationException>(() => tenants.RemoveAsync(["a"]));
        Assert.Contains("public.Payment", exception.Message, StringComparison.Ordinal);
        Assert.Contains("row-level security", exception.Message, StringComparison.Ordinal);
        await Assert.ThrowsAsync<TenantAdministrationException>(() => tenants.DeleteDataAsync(["b"]));
        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Payment" """));
        Assert.Equal(TenantState.Removing, (await tenants.ListAsync())[0].State);

        await _database.ExecuteAsync("""DROP POLICY nobody ON "Payment"; ALTER TABLE "Payment" DISABLE ROW LEVEL SECURITY""");
        await tenants.RepairAsync();
        Assert.Equal(["b"], await _database.ColumnAsync("""SELECT "TenantId" FROM "Payment" """));
    }

    [Fact]
    public async Task The_owner_may_split_while_others_write_who_may_do_no_more()
    {
        var tenants = await CreateManaged();
        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "ab", ["b"] = "ab" });
        await Insert("a", "b");
        var writer = $"writer_{RandomNumberGenerator.GetHexString(8, lowercase: true)}";
        await _database.ExecuteAsync($"""CREATE ROLE {writer}; GRANT SELECT, INSERT, UPDATE, DELETE ON "Categories" TO {writer}""");
        try
        {
            var isDone = false;
            await tenants.SplitAsync(
                ["a"],
                progress: new Told(
                    p =>
                    {
                        if (!isDone && p.Table == "public.Categories" && p.Done == p.Total)
                        {
                            isDone = true;
                            // As replication applies rows, the second of them.
                            _database.ExecuteAsync(
                                $"""
                                SET ROLE {writer};
                                INSERT INTO "Categories" ("TenantId", "Id", "Name") VALUES ('a', 7, 'new'), ('b', 7, 'new');
                                RESET ROLE;
                                SET session_replication_role = 'replica';
                                INSERT INTO "Categories" ("TenantId", "Id", "Name") VALUES ('a', 8, 'replicated');
                                """).GetAwaiter().GetResult();
                        }
                    }));
            Assert.True(isDone);
        }
        finally
        {
            await _database.ExecuteAsync($"DROP OWNED BY {writer}; DROP ROLE {writer}");
        }

        Assert.Equal(
            ["Categories_a new", "Categories_a replicated", "Categories_ab new"],
            await _database.ColumnAsync("""SELECT relname || ' ' || "Name" FROM "Categories" c JOIN pg_class p ON p.oid = c.tableoid WHERE "Id" IN (7, 8) ORDER BY 1"""));
        Assert.Equal(["a", "ab"], (await tenants.ListAsync()).Select(t => t.Suffix));
        Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));
    }

    [Fact]
    public async Task A_policy_that_hides_rows_from_the_owner_makes_a_split_fail_and_nothing_is_changed()
    {
        var tenants = await CreateManaged();
        await tenants.AddAsync(new Dictionary<string, string> { ["a"] = "ab", ["b"] = "ab" });
        await Insert("a", "b");
        await _database.ExecuteAsync(
            """
            ALTER TABLE "Payment_ab" ENABLE ROW LEVEL SECURITY; ALTER TABLE "Payment_ab" FORCE ROW LEVEL SECURITY;
            CREATE POLICY nobody ON "Payment_ab" USING (false);
            """);

        var exception = await Assert.ThrowsAsync<PostgresException>(() => tenants.SplitAsync(["a"]));
        Assert.Contains("row-level security", exception.Message, StringComparison.Ordinal);
        Assert.Equal(["ab", "ab"], (await tenants.ListAsync()).Select(t => t.Suffix));
        Assert.Equal(2, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Payment_ab" """));
        Assert.Empty(await _database.ColumnAsync(SplitCatalog.Leftovers));
    }

    [Fact]
    public async Task Sessions_go_back_to_the_pool_as_they_came()
    {
        var pooled = new NpgsqlConnectionStringBuilder(_ofOwner) { NoResetOnClose = true, MaxPoolSize = 1, ApplicationName = "pooled" }.ConnectionString;
        await CreateManaged();
        await using var context = WarehouseContext.Create(pooled);
        await using (var connection = new NpgsqlConnection(pooled))
        {
            await connection.OpenAsync();
            await using var command = new NpgsqlCommand("SET lock_timeout = '7s'; SET statement_timeout = '8s'; SET row_security = on", connection);
            await command.ExecuteNonQueryAsync();
        }

        var tenants = context.Tenancy().Administration;
        await tenants.AddAsync(["a", "b"]);
        await tenants.RemoveAsync(["a"]);
        await tenants.AddAsync(new Dictionary<string, string> { ["c"] = "cd", ["d"] = "cd" });
        await tenants.SplitAsync(["c"]);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => tenants.RemoveAsync(["b"], new CancellationToken(canceled: true)));

        await using var after = new NpgsqlConnection(pooled);
        await after.OpenAsync();
        await using var settings = new NpgsqlCommand(
            """
            SELECT concat_ws(' ', current_setting('lock_timeout'), current_setting('statement_timeout'), current_setting('row_security'),
                current_setting('idle_in_transaction_session_timeout'), (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'advisory'))
            """,
            after);
        Assert.Equal("7s 8s on 0 0", await settings.ExecuteScalarAsync());
        NpgsqlConnection.ClearPool(after);
    }

    private string Quoted
        => "\"" + _owner.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    private async Task<ITenantAdministration> CreateManaged()
    {
        var context = WarehouseContext.Create(_ofOwner);
        await context.Database.EnsureCreatedAsync();
        return context.Tenancy().Administration;
    }

    private async Task Insert(params string[] tenants)
    {
        foreach (var tenant in tenants)
        {
            await using var context = WarehouseContext.Create(_ofOwner, tenant);
            context.AddRows(1);
            await context.SaveChangesAsync();
        }
    }
}
