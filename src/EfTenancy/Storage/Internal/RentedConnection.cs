using System.Transactions;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>An open connection that counts in the budget until it is disposed.</summary>
public sealed class RentedConnection : IAsyncDisposable
{
    private readonly TenantDataSources.Rental _rental;
    private readonly ConnectionBudget.Lease _lease;

    private RentedConnection(TenantDataSources.Rental rental, ConnectionBudget.Lease lease, NpgsqlConnection connection)
    {
        _rental = rental;
        _lease = lease;
        Connection = connection;
    }

    public NpgsqlConnection Connection { get; }

    public static async Task<RentedConnection> OpenAsync(TenantDataSources.Rental rental, CancellationToken cancellationToken)
    {
        using var suppressed = new TransactionScope(TransactionScopeOption.Suppress, TransactionScopeAsyncFlowOption.Enabled);
        ConnectionBudget.Lease? lease = null;
        try
        {
            lease = await rental.EnterAsync(cancellationToken).ConfigureAwait(false);
            var connection = await rental.DataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
            lease.Opened();
            return new RentedConnection(rental, lease, connection);
        }
        catch
        {
            lease?.Leave();
            rental.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await Connection.DisposeAsync().ConfigureAwait(false);
        _lease.Leave();
        _rental.Dispose();
    }
}
