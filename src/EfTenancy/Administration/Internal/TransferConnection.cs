using System.Data;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>An open connection of a <see cref="TenantSite" /> with the settings of administration, for transactions that last as long as a copy.</summary>
public sealed class TransferConnection(TenantConnection session, NpgsqlConnection raw, RentedConnection? rented) : IAsyncDisposable
{
    /// <summary>For COPY.</summary>
    public NpgsqlConnection Raw
        => raw;

    public TenantConnection Session
        => session;

    public async Task<NpgsqlTransaction> BeginAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken)
    {
        var transaction = await raw.BeginTransactionAsync(isolationLevel, cancellationToken).ConfigureAwait(false);
        try
        {
            await session.ExecuteAsync(
                [.. TransferSql.Settings.Split("; "), TransferSql.PlanForAnyTenant, $"SET LOCAL lock_timeout = {Math.Max(1, (long)session.RetryTimeout.TotalMilliseconds)}"],
                cancellationToken).ConfigureAwait(false);
            return transaction;
        }
        catch
        {
            await transaction.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    public Task ExecuteAsync(string statement, CancellationToken cancellationToken)
        => session.ExecuteAsync([statement], cancellationToken);

    public async ValueTask DisposeAsync()
    {
        await session.DisposeAsync().ConfigureAwait(false);
        if (rented is not null)
        {
            await rented.DisposeAsync().ConfigureAwait(false);
        }
    }
}
