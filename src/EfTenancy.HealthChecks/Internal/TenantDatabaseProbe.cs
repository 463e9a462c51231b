using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.HealthChecks.Internal;

/// <summary>Asks one database whether it answers.</summary>
public sealed class TenantDatabaseProbe(TenantDatabases databases, TimeSpan timeout)
{
    /// <summary>The databases of all tenants that are not disabled, each once, and that of the registry.</summary>
    public async Task<IReadOnlyList<TenantDatabaseAddress>> ListAsync(CancellationToken cancellationToken)
    {
        var tenants = await databases.Directory.ListAsync(cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. tenants.Where(t => !t.Tenant.IsDisabled).Select(t => t.Place.Database)
                .Concat(databases.Directory.Home is { } home ? [home.Database] : [])
                .Distinct(),
        ];
    }

    /// <summary>Why it does not answer; null if it does.</summary>
    public async Task<TenantDatabaseException?> AskAsync(TenantDatabaseAddress address, CancellationToken cancellationToken)
    {
        try
        {
            // Npgsql waits for a server's greeting whatever the token says; it ends by the connection string's timeout.
            await AskWithTimeoutAsync(address, cancellationToken).WaitAsync(cancellationToken).ConfigureAwait(false);
            return null;
        }
        catch (Exception exception)
        {
            return ToFailure(exception, TenantDestination.Of(address.Name, schema: null));
        }
    }

    private async Task AskWithTimeoutAsync(TenantDatabaseAddress address, CancellationToken cancellationToken)
    {
        using var rental = databases.Sources.RentForOnce(address, Create);
        var lease = await EnterAsync(rental, cancellationToken).ConfigureAwait(false);
        try
        {
            await AskAsync(rental.DataSource, lease, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lease.Leave();
        }
    }

    // Without a pool: a connection that was opened when all was well says nothing of now.
    private NpgsqlDataSource Create(string connectionString)
    {
        var settings = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        var seconds = (int)Math.Ceiling(timeout.TotalSeconds);
        settings.Timeout = settings.Timeout == 0 ? seconds : Math.Min(settings.Timeout, seconds);
        return NpgsqlDataSource.Create(settings);
    }

    public TenantDatabaseException ToFailure(Exception exception, TenantDestination destination)
        => exception as TenantDatabaseException
            ?? TenantDatabaseFailure.Of(exception, tenantId: null, destination, databases.Sources.Budget.Ceiling)
            ?? new TenantDatabaseException(
                TenancyStrings.TenantDatabaseFailed(
                    TenantDatabaseError.Unreachable, tenant: null, destination, databases.Sources.Budget.Ceiling, exception.Message),
                TenantDatabaseError.Unreachable, tenantId: null, destination, exception);

    private static async Task<ConnectionBudget.Lease> EnterAsync(TenantDataSources.Rental rental, CancellationToken cancellationToken)
    {
        try
        {
            return await rental.EnterAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception)
        {
            // The database is not to blame.
            throw new TimeoutException(exception.Message, exception);
        }
    }

    private static async Task AskAsync(NpgsqlDataSource dataSource, ConnectionBudget.Lease lease, CancellationToken cancellationToken)
    {
        var connection = await dataSource.OpenConnectionAsync(cancellationToken).ConfigureAwait(false);
        await using var _ = connection.ConfigureAwait(false);
        lease.Opened();
        var command = new NpgsqlCommand("SELECT 1", connection);
        await using var __ = command.ConfigureAwait(false);
        await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false);
    }
}
