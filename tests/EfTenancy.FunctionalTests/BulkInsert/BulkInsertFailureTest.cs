using EfTenancy.FunctionalTests.Mapping;
using EfTenancy.FunctionalTests.TestUtilities;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace EfTenancy.FunctionalTests.BulkInsert;

/// <summary>Whatever stops a bulk insert of several tables, and wherever: nothing is left in any of them.</summary>
public class BulkInsertFailureTest(HashedDatabase<OwnedContext> fixture) : IClassFixture<HashedDatabase<OwnedContext>>, IAsyncLifetime
{
    private TestDatabase _database = null!;
    private OwnedContext _green = null!;

    public async ValueTask InitializeAsync()
    {
        _database = await fixture.CloneAsync();
        _green = fixture.CreateContext(_database.ConnectionString);
        _green.Tenancy().Use("Green");
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await _green.DisposeAsync();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Refused_row_of_a_late_batch()
    {
        var bands = Bands(3000).Append(new Band { Id = 17, Name = "again" });

        await Assert.ThrowsAsync<PostgresException>(() => _green.Tenancy().BulkInsertAsync(bands));

        await AssertEmptyAsync();
        Assert.Equal(3, await _green.Tenancy().BulkInsertAsync(Bands(3)));
    }

    [Fact]
    public async Task Refused_row_of_a_late_table()
    {
        var band = new Band { Id = 5000, Name = "x", Members = { new Member { Id = 1, Name = "a" }, new Member { Id = 1, Name = "b" } } };

        await Assert.ThrowsAsync<PostgresException>(() => _green.Tenancy().BulkInsertAsync(Bands(10).Append(band)));

        await AssertEmptyAsync();
    }

    [Fact]
    public async Task Failing_source()
    {
        await Assert.ThrowsAsync<FormatException>(
            () => _green.Tenancy().BulkInsertAsync(Bands(3000).Select(b => b.Id == 2500 ? throw new FormatException() : b)));

        await AssertEmptyAsync();
    }

    [Fact]
    public async Task Cancellation()
    {
        using var source = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => _green.Tenancy().BulkInsertAsync(
                Bands(5000).Select(
                    band =>
                    {
                        if (band.Id == 2500)
                        {
                            source.Cancel();
                        }

                        return band;
                    }),
                cancellationToken: source.Token));

        await AssertEmptyAsync();
    }

    [Fact]
    public async Task Failure_inside_a_transaction_leaves_the_transaction_as_it_was()
    {
        await using (var transaction = await _green.Database.BeginTransactionAsync())
        {
            await _green.Tenancy().BulkInsertAsync([new Band { Id = 9000, Name = "before" }]);
            await Assert.ThrowsAsync<PostgresException>(
                () => _green.Tenancy().BulkInsertAsync(Bands(3000).Append(new Band { Id = 17, Name = "again" })));
            await Assert.ThrowsAsync<FormatException>(
                () => _green.Tenancy().BulkInsertAsync(Bands(3000).Select(b => b.Id == 2500 ? throw new FormatException() : b)));
            await _green.Tenancy().BulkInsertAsync([new Band { Id = 9001, Name = "after" }]);
            await transaction.CommitAsync();
        }

        Assert.Equal(["9000", "9001"], await _database.ColumnAsync("""SELECT "Id" FROM "Band" ORDER BY 1"""));
        Assert.Equal(0, await _database.ScalarAsync<int>("""SELECT count(*) FROM "Member" """));
    }

    [Fact]
    public async Task It_belongs_to_the_contexts_transaction()
    {
        await using (await _green.Database.BeginTransactionAsync())
        {
            await _green.Tenancy().BulkInsertAsync(Bands(3));
            Assert.Equal(3, await _green.Set<Band>().CountAsync());
        }

        await AssertEmptyAsync();
    }

    [Fact]
    public async Task It_belongs_to_an_ambient_transaction()
    {
        using (new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled))
        {
            await _green.Tenancy().BulkInsertAsync(Bands(3));
        }

        await AssertEmptyAsync();

        using (var scope = new System.Transactions.TransactionScope(System.Transactions.TransactionScopeAsyncFlowOption.Enabled))
        {
            await _green.Tenancy().BulkInsertAsync(Bands(3));
            scope.Complete();
        }

        Assert.Equal(3, await _green.Set<Band>().CountAsync());
    }

    [Fact]
    public async Task Several_tenants_in_one_call()
    {
        await _green.Tenancy().BulkInsertAsync(b => b.Id % 2 == 0 ? "Red" : "Blue", Bands(2001));

        foreach (var table in (string[])["Band", "Member"])
        {
            Assert.Equal(
                ["Blue 1001", "Red 1000"],
                await _database.ColumnAsync($"""SELECT "TenantId" || ' ' || count(*) FROM "{table}" GROUP BY "TenantId" ORDER BY 1"""));
        }

        // Each owned row stands under its own tenant's owner.
        Assert.Equal(
            0,
            await _database.ScalarAsync<int>(
                """SELECT count(*) FROM "Member" m JOIN "Band" b ON b."Id" = m."BandId" WHERE b."TenantId" <> m."TenantId" """));
        Assert.Equal(0, await _green.Set<Band>().CountAsync());
    }

    private async Task AssertEmptyAsync()
    {
        foreach (var table in (string[])["Band", "Member", "Instrument"])
        {
            Assert.Equal(0, await _database.ScalarAsync<int>($"SELECT count(*) FROM \"{table}\""));
        }
    }

    private static IEnumerable<Band> Bands(int count)
        => Enumerable.Range(1, count).Select(
            i => new Band { Id = i, Name = "b" + i, Members = { new Member { Id = 1, Name = "m" + i } } });
}
