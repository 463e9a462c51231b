using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>The schema of a session. Set whenever a connection is opened; between two leases Npgsql resets it to one without tables.</summary>
public static class TenantSearchPath
{
    /// <summary>The schema of what tenants share without naming a schema: the history of migrations.</summary>
    public const string SharedSchema = "public";

    public static NpgsqlCommand Command(NpgsqlConnection connection, TenantPlace place)
        => new("SELECT set_config('search_path', $1, false) IS NOT NULL AND to_regnamespace($1) IS NOT NULL", connection)
        {
            Parameters = { new NpgsqlParameter<string> { TypedValue = DestinationRegistrySql.Quote(place.Schema ?? SharedSchema) } },
        };

    public static void Check(object? isThere, string? tenantId, TenantPlace place)
    {
        if (isThere is not true)
        {
            throw new TenantDatabaseException(
                TenancyStrings.SchemaMissing(tenantId, place.Destination), TenantDatabaseError.SchemaMissing, tenantId, place.Destination);
        }
    }
}
