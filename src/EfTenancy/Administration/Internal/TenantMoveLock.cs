using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>The right to move a tenant, held by a session of the home database: of a killed process it ends with the session.</summary>
public sealed class TenantMoveLock : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly RentedConnection _rented;
    private readonly string _tenantId;

    private TenantMoveLock(RentedConnection rented, string tenantId)
    {
        _rented = rented;
        _tenantId = tenantId;
    }

    /// <summary>Runs a change in the session that holds the lock: when another one has it, this is done or will never be.</summary>
    public async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken, params NpgsqlParameter[] parameters)
        => await DestinationRegistry.ExecuteAsync(
            _rented.Connection, sql, cancellationToken,
            [DestinationRegistry.Text("tenant_id", _tenantId), .. parameters]).ConfigureAwait(false);

    /// <exception cref="TimeoutException">Another process moves the tenant.</exception>
    public static async Task<TenantMoveLock> TakeAsync(
        DestinationRegistry registry,
        string tenantId,
        TimeSpan patience,
        CancellationToken cancellationToken)
    {
        var started = TimeProvider.System.GetTimestamp();
        var rented = await registry.OpenAsync(registry.Home, forSchemas: false, cancellationToken).ConfigureAwait(false);
        try
        {
            while (!await IsTrueAsync(rented, DestinationRegistrySql.TryLockMove, tenantId, cancellationToken).ConfigureAwait(false))
            {
                if (TimeProvider.System.GetElapsedTime(started) > patience)
                {
                    throw new TimeoutException(TenancyStrings.TenantIsMovedElsewhere(tenantId, patience));
                }

                await Task.Delay(Pause, cancellationToken).ConfigureAwait(false);
            }

            return new TenantMoveLock(rented, tenantId);
        }
        catch
        {
            await rented.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await IsTrueAsync(_rented, DestinationRegistrySql.UnlockMove, _tenantId, CancellationToken.None).ConfigureAwait(false);
        }
        catch (NpgsqlException)
        {
            // A broken session holds nothing.
        }

        await _rented.DisposeAsync().ConfigureAwait(false);
    }

    private static async Task<bool> IsTrueAsync(RentedConnection rented, string sql, string tenantId, CancellationToken cancellationToken)
    {
        var command = new NpgsqlCommand(sql, rented.Connection) { Parameters = { DestinationRegistry.Text("tenant_id", tenantId) } };
        await using var _ = command.ConfigureAwait(false);
        return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
    }
}
