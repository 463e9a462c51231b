using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Storage;

/// <summary>Lists databases and their tenants. None of them is ever created here.</summary>
public sealed class TenantDatabaseListBuilder
{
    private readonly List<(TenantDatabaseAddress Database, string[] TenantIds)> _databases = [];

    internal TenantDatabaseListBuilder()
    {
    }

    /// <summary>A database of one tenant. As Marten's <c>AddSingleTenantDatabase</c>.</summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="tenantId">Its tenant.</param>
    /// <exception cref="ArgumentException">The id cannot be used.</exception>
    public TenantDatabaseListBuilder AddSingleTenantDatabase(string connectionString, string tenantId)
        => Add(TenantDatabaseAddress.Of(TenantDatabaseAddress.NameOf(connectionString), connectionString), tenantId);

    /// <inheritdoc cref="AddSingleTenantDatabase(string, string)" />
    /// <param name="dataSource">The database. The data source is not disposed.</param>
    /// <param name="tenantId">Its tenant.</param>
    public TenantDatabaseListBuilder AddSingleTenantDatabase(NpgsqlDataSource dataSource, string tenantId)
        => Add(Of(dataSource), tenantId);

    /// <summary>
    ///     A database that several tenants share, in the same tables: the entities must be multi-tenanted. As Marten's
    ///     <c>AddMultipleTenantDatabase(...).ForTenants(...)</c>.
    /// </summary>
    /// <param name="connectionString">The database.</param>
    /// <param name="tenantIds">Its tenants.</param>
    /// <exception cref="ArgumentException">An id cannot be used.</exception>
    public TenantDatabaseListBuilder AddMultipleTenantDatabase(string connectionString, params string[] tenantIds)
        => Add(TenantDatabaseAddress.Of(TenantDatabaseAddress.NameOf(connectionString), connectionString), tenantIds);

    /// <inheritdoc cref="AddMultipleTenantDatabase(string, string[])" />
    /// <param name="dataSource">The database. The data source is not disposed.</param>
    /// <param name="tenantIds">Its tenants.</param>
    public TenantDatabaseListBuilder AddMultipleTenantDatabase(NpgsqlDataSource dataSource, params string[] tenantIds)
        => Add(Of(dataSource), tenantIds);

    internal Dictionary<string, TenantPlace> Places(Func<string, string> normalize)
    {
        // Two connection strings of one database make it shared, whatever the calls were.
        var shared = _databases.SelectMany(d => d.TenantIds.Select(_ => d.Database.Name!)).CountBy(n => n).Where(n => n.Value > 1)
            .Select(n => n.Key).ToHashSet();
        var places = new Dictionary<string, TenantPlace>();
        foreach (var (database, tenantIds) in _databases)
        {
            foreach (var tenantId in tenantIds.Select(normalize))
            {
                if (!places.TryAdd(tenantId, new TenantPlace(database, Schema: null, shared.Contains(database.Name!))))
                {
                    throw new InvalidOperationException(TenancyStrings.TenantMappedTwice(tenantId));
                }
            }
        }

        return places;
    }

    private static TenantDatabaseAddress Of(NpgsqlDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);

        return TenantDatabaseAddress.Of(TenantDatabaseAddress.NameOf(dataSource.ConnectionString), dataSource);
    }

    private TenantDatabaseListBuilder Add(TenantDatabaseAddress database, params string[] tenantIds)
    {
        _databases.Add((database, tenantIds));
        return this;
    }
}
