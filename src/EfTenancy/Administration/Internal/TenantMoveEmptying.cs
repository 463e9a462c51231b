using System.Data;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Administration.Internal;

/// <summary>What a tenant leaves behind once it works elsewhere: its rows and partitions, its schema, or the database that was made for it.</summary>
/// <param name="source">The place it left.</param>
/// <param name="into">The place it is in.</param>
/// <param name="databases">All places.</param>
/// <param name="content">What the registry says.</param>
public sealed class TenantMoveEmptying(TenantSite source, TenantSite into, TenantDatabases databases, RegistryContent content)
{
    /// <param name="copied">What was proved to be at the next place, and goes from this one.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task EmptyAsync(IReadOnlyList<CopiedTable> copied, CancellationToken cancellationToken)
    {
        var isAlone = source.Place is { Destination: var destination } && !content.IsUsedByOthers(destination, source.TenantId);
        var schema = isAlone ? source.Place!.Schema : null;
        var isMade = isAlone && databases.Registered.HasMadeDatabase(source.Destination, source.TenantId, content);
        if ((schema is not null || isMade) && !await IsThereAsync(isMade, cancellationToken).ConfigureAwait(false))
        {
            // An earlier attempt dropped it.
            return;
        }

        var from = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
        await using (from.ConfigureAwait(false))
        {
            await OlderTransactions.WaitAsync(source, from, cancellationToken).ConfigureAwait(false);
            var catalog = (await TransferCatalog.LoadAsync(source, from, source.HasQualifiedBesides(into), cancellationToken).ConfigureAwait(false))
                .WithColumnsOf(copied);
            var writing = await from.BeginAsync(IsolationLevel.ReadCommitted, cancellationToken).ConfigureAwait(false);
            await using var _ = writing.ConfigureAwait(false);
            await TenantPlaceCleaner.DeleteAsync(source, from, catalog, copied, cancellationToken).ConfigureAwait(false);
            if (schema is not null)
            {
                await TenantPlaceCleaner.DropSchemaAsync(source, from, schema, cancellationToken).ConfigureAwait(false);
            }

            await writing.CommitAsync(cancellationToken).ConfigureAwait(false);
        }

        if (source.Place!.Schema is null && source.Database.FindRegistry() is not null)
        {
            try
            {
                await source.Administrator().RemoveAsync([source.TenantId], cancellationToken).ConfigureAwait(false);
            }
            catch (UnknownTenantException)
            {
                // An earlier attempt has done it.
            }
        }

        if (isMade && content.TenantsIn(source.Destination.Database!) == 0)
        {
            await databases.Registered.Registry.ExecuteAsync(DestinationRegistrySql.DropDatabase(source.Destination.Database!), cancellationToken).ConfigureAwait(false);
            databases.Sources.Clear(source.Place!.Database);
        }
    }

    private async Task<bool> IsThereAsync(bool isMade, CancellationToken cancellationToken)
    {
        try
        {
            var connection = await source.OpenAsync(cancellationToken).ConfigureAwait(false);
            await connection.DisposeAsync().ConfigureAwait(false);
            return true;
        }
        catch (TenantDatabaseException exception)
            when (exception.Error == TenantDatabaseError.SchemaMissing
                || (isMade && exception.Error == TenantDatabaseError.DatabaseMissing))
        {
            return false;
        }
    }
}
