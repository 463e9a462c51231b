using EfTenancy.Infrastructure.Internal;
using EfTenancy.Metadata.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>One tenant in one place: the connections to there, the tables, and a context of the place.</summary>
public sealed class TenantSite
{
    private readonly TenantAdministrationOptions _options;
    private readonly DestinationRegistry? _registry;
    private readonly int _ceiling;

    /// <param name="context">A context that was used for nothing yet; it works in the place from here on.</param>
    /// <param name="tenantId">The tenant's id, as rows have it.</param>
    /// <param name="place">The place; null for the only database of the application.</param>
    /// <param name="databases">Where tenants are; null if all are in that one.</param>
    /// <param name="options">How patient to be.</param>
    public TenantSite(DbContext context, string tenantId, TenantPlace? place, TenantDatabases? databases, TenantAdministrationOptions options)
    {
        Context = context;
        TenantId = tenantId;
        Place = place;
        _options = options;
        _registry = (databases?.Directory as RegisteredTenantDirectory)?.Registry;
        _ceiling = databases?.Sources.Budget.Ceiling ?? 0;
        if (place is not null)
        {
            context.GetService<CurrentTenant>().UsePlace(place, tenantId: null);
        }

        Database = new TenantDatabase(context, options);
    }

    public DbContext Context { get; }

    public string TenantId { get; }

    public TenantPlace? Place { get; }

    public TenantDatabase Database { get; }

    public TenantAdministrationOptions Options
        => _options;

    public TenantDestination Destination
        => Place?.Destination ?? TenantDestination.Home;

    public bool HasTenantColumns
        => Context.Model.HasMultiTenantedEntities();

    public string HistoryTable
        => RelationalOptionsExtension.Extract(Context.GetService<IDbContextOptions>()).MigrationsHistoryTableName
            ?? HistoryRepository.DefaultTableName;

    /// <summary>Whether nobody but this tenant is there.</summary>
    public bool IsOwn
        => Place is { IsShared: false };

    /// <summary>
    ///     Whether tables to which the model gives a schema are the tenant's: without a tenant's column, only where it has a whole database.
    /// </summary>
    public bool HasQualified
        => HasTenantColumns || Place?.Schema is null;

    /// <summary>The same when rows go from here to another place: within one database, such a table is the same one in both.</summary>
    public bool HasQualifiedBesides(TenantSite other)
        => Place!.Database != other.Place!.Database && (HasTenantColumns || (Place.Schema is null && other.Place.Schema is null));

    /// <summary>Administration of the partitions there.</summary>
    public TenantAdministrator Administrator()
        => new(Context, _options);

    public async Task<TransferConnection> OpenAsync(CancellationToken cancellationToken, bool inSchema = true)
    {
        RentedConnection? rented = null;
        try
        {
            NpgsqlConnection raw;
            if (Place is { } place && _registry is not null)
            {
                rented = await _registry.OpenAsync(place.Database, place.NeedsSearchPath, cancellationToken).ConfigureAwait(false);
                raw = rented.Connection;
                if (inSchema && place.NeedsSearchPath)
                {
                    var command = TenantSearchPath.Command(raw, place);
                    await using var _ = command.ConfigureAwait(false);
                    TenantSearchPath.Check(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false), TenantId, place);
                }
            }
            else
            {
                raw = TenantConnection.Clone(Context);
            }

            var connection = new TransferConnection(
                await TenantConnection.OpenAsync(raw, _options, cancellationToken).ConfigureAwait(false), raw, rented);
            if (rented is not null)
            {
                await connection.ExecuteAsync(TransferSql.NoticeDeath, cancellationToken).ConfigureAwait(false);
            }

            return connection;
        }
        catch (Exception exception)
        {
            if (rented is not null)
            {
                await rented.DisposeAsync().ConfigureAwait(false);
            }

            if (TenantDatabaseFailure.Of(exception, TenantId, Destination, _ceiling) is { } failure)
            {
                throw failure;
            }

            throw;
        }
    }
}
