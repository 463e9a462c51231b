using System.Security.Cryptography;
using EfTenancy.Administration;
using EfTenancy.FunctionalTests.TestUtilities;
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
