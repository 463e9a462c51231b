using EfTenancy.Properties;
using EfTenancy.Storage;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Administration.Internal;

/// <summary>Finds tenants whose database or schema is gone or does not answer, asked once for each database. Nothing is made in its place: that would hide the loss.</summary>
public sealed class LostPlaces(TenantDatabases databases)
{
    public async Task<List<(AssignedTenant Tenant, TenantDatabaseException Reason)>> FindAsync(
        IEnumerable<(AssignedTenant Tenant, TenantPlace Place)> tenants,
        CancellationToken cancellationToken)
    {
        var asked = tenants.GroupBy(t => t.Place.Database).ToList();
        var lost = new List<(AssignedTenant, TenantDatabaseException)>[asked.Count];
        await Parallel.ForEachAsync(
            asked.Index(),
            DatabasesAtOnce.Options(databases.Sources, cancellationToken),
            async (database, token) => lost[database.Index] = await FindAsync(database.Item, token).ConfigureAwait(false)).ConfigureAwait(false);
        return [.. lost.SelectMany(l => l)];
    }

    private async Task<List<(AssignedTenant, TenantDatabaseException)>> FindAsync(
        IGrouping<TenantDatabaseAddress, (AssignedTenant Tenant, TenantPlace Place)> database,
        CancellationToken cancellationToken)
    {
        try
        {
            var missing = await MissingSchemasAsync(
                database.Key, [.. database.Select(t => t.Place.Schema).OfType<string>()], cancellationToken).ConfigureAwait(false);
            return
            [
                .. database.Where(t => t.Place.Schema is { } schema && missing.Contains(schema))
                    .Select(t => (t.Tenant, Gone(TenantDatabaseError.SchemaMissing, t.Tenant, t.Place))),
            ];
        }
        catch (Exception exception) when (FailureOf(exception, database.First().Tenant) is { Error: var error })
        {
            return
            [
                .. database.Select(
                    t => (t.Tenant, error == TenantDatabaseError.DatabaseMissing ? Gone(error, t.Tenant, t.Place) : FailureOf(exception, t.Tenant)!)),
            ];
        }
    }

    public static bool IsGone(TenantDatabaseException reason)
        => reason.Error is TenantDatabaseError.DatabaseMissing or TenantDatabaseError.SchemaMissing;

    private TenantDatabaseException Gone(TenantDatabaseError error, AssignedTenant tenant, TenantPlace place)
        => new(TenancyStrings.PlaceIsLost(tenant.TenantId, tenant.Destination, IsMadeByAdding(place)), error, tenant.TenantId, tenant.Destination);

    private bool IsMadeByAdding(TenantPlace place)
        => !place.IsShared
            && databases.Directory is RegisteredTenantDirectory directory
            && (place.Schema is not null ? place.Database.Name is null : directory.IsMadeHere(place.Database.Name!));

    private TenantDatabaseException? FailureOf(Exception exception, AssignedTenant tenant)
        => TenantDatabaseFailure.Of(exception, tenant.TenantId, tenant.Destination, databases.Sources.Budget.Ceiling);

    private async Task<HashSet<string>> MissingSchemasAsync(TenantDatabaseAddress database, string[] schemas, CancellationToken cancellationToken)
    {
        try
        {
            return await AskAsync(database, schemas, cancellationToken).ConfigureAwait(false);
        }
        catch (NpgsqlException exception) when (TenantDatabaseFailure.EndedConnection(exception))
        {
            // Idle connections end with their database, and the pool does not know.
            databases.Sources.Clear(database);
            return await AskAsync(database, schemas, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<HashSet<string>> AskAsync(TenantDatabaseAddress database, string[] schemas, CancellationToken cancellationToken)
    {
        var rented = await RentedConnection.OpenAsync(databases.Sources.RentPlain(database), cancellationToken).ConfigureAwait(false);
        await using var _ = rented.ConfigureAwait(false);
        var command = new NpgsqlCommand(DestinationRegistrySql.SelectMissingSchemas, rented.Connection)
        {
            Parameters = { DestinationRegistry.Texts("schemas", schemas) },
        };
        await using var __ = command.ConfigureAwait(false);
        return [.. (string[])(await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false))!];
    }
}
