using System.Data;
using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;

namespace EfTenancy.Update.Internal;

/// <summary>
///     Makes several COPYs one: a transaction, or a savepoint in that of the application, as <c>SaveChanges</c> does. Opens the connection
///     meanwhile.
/// </summary>
public sealed class BulkInsertTransaction : IAsyncDisposable
{
    private const string Savepoint = "__EfTenancyBulkInsert";

    private readonly IRelationalConnection _connection;
    private IDbContextTransaction? _begun;
    private IDbContextTransaction? _savedIn;

    private BulkInsertTransaction(IRelationalConnection connection)
        => _connection = connection;

    public static async Task<BulkInsertTransaction> BeginAsync(DbContext context, bool isNeeded, CancellationToken cancellationToken)
    {
        var connection = context.GetService<IRelationalConnection>();
        await connection.OpenAsync(cancellationToken).ConfigureAwait(false);

        var transaction = new BulkInsertTransaction(connection);
        try
        {
            if (connection.CurrentTransaction is { } current)
            {
                if (current.SupportsSavepoints && context.Database.AutoSavepointsEnabled)
                {
                    await current.CreateSavepointAsync(Savepoint, cancellationToken).ConfigureAwait(false);
                    transaction._savedIn = current;
                }
            }
            else if (isNeeded && connection is not ITransactionEnlistmentManager { EnlistedTransaction: not null }
                     and not ITransactionEnlistmentManager { CurrentAmbientTransaction: not null })
            {
                transaction._begun = await connection.BeginTransactionAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        catch
        {
            await transaction.DisposeAsync().ConfigureAwait(false);
            throw;
        }

        return transaction;
    }

    public async Task CommitAsync(CancellationToken cancellationToken)
    {
        if (_begun is not null)
        {
            await _begun.CommitAsync(cancellationToken).ConfigureAwait(false);
        }
        else if (_savedIn is not null)
        {
            await _savedIn.ReleaseSavepointAsync(Savepoint, cancellationToken).ConfigureAwait(false);
            _savedIn = null;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_begun is not null)
            {
                await _begun.DisposeAsync().ConfigureAwait(false);
            }
            else if (_savedIn is not null && _connection.DbConnection.State == ConnectionState.Open)
            {
                await _savedIn.RollbackToSavepointAsync(Savepoint, CancellationToken.None).ConfigureAwait(false);
                await _savedIn.ReleaseSavepointAsync(Savepoint, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (DbException)
        {
            // What stopped the insert is on its way to the caller and must not be covered up; a transaction that cannot go back to its
            // savepoint cannot be committed either.
        }
        finally
        {
            await _connection.CloseAsync().ConfigureAwait(false);
        }
    }
}
