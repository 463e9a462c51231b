using EfTenancy.Infrastructure;
using EfTenancy.Storage;
using WebApi.Model;

namespace WebApi;

/// <summary>Where the flights of a tenant are.</summary>
public enum FlightStyle
{
    /// <summary>In partitions of tables that all tenants share.</summary>
    Conjoined,

    /// <summary>In a database of the tenant's own.</summary>
    Database,

    /// <summary>In a schema of the tenant's own.</summary>
    Schema,

    /// <summary>In partitions, in one of several databases.</summary>
    Sharded,
}

/// <summary>What each style says to EfTenancy. Model, migrations and endpoints are the same in all of them.</summary>
public sealed class FlightTenancy : IAsyncDisposable
{
    public const string StyleKey = "Tenancy:Style";

    private const int Shards = 3;

    private readonly FlightDatabase _database;
    private readonly Lazy<TenantDatabases> _databases;

    public FlightTenancy(IConfiguration configuration, FlightDatabase database)
    {
        _database = database;
        _databases = new Lazy<TenantDatabases>(() => TenantDatabases.Create(Place));
        Style = StyleOf(configuration[StyleKey]) ?? throw new InvalidOperationException(MistakeIn(configuration));
    }

    public FlightStyle Style { get; }

    /// <summary>Where tenants are; null where all are in the database of the context.</summary>
    public TenantDatabases? Databases
        => Style == FlightStyle.Conjoined ? null : _databases.Value;

    /// <summary>The databases that must be there before anything else: the one that the application is told of, and shards.</summary>
    public IEnumerable<string> DatabaseNames
        => Style == FlightStyle.Sharded ? [_database.Name, .. ShardNames] : [_database.Name];

    /// <summary>The tenants of a first start. Hundreds of databases or schemas would be too much for a sample.</summary>
    public IReadOnlyList<string> FirstTenants
        => Style is FlightStyle.Database or FlightStyle.Schema ? Tenants.Busiest : Tenants.All;

    private IEnumerable<string> ShardNames
        => Enumerable.Range(1, Shards).Select(i => $"{_database.Name}_{i}");

    /// <summary>What is the same for every style, and the way to the tenants' places where they have such.</summary>
    public void Configure(TenancyDbContextOptionsBuilder tenancy)
    {
        tenancy
            .AllEntitiesAreMultiTenanted()
            .PartitionMultiTenantedEntitiesManaged(schema: "tenants")
            .DisableDefaultTenant();

        if (Databases is { } databases)
        {
            tenancy.UseTenantDatabases(databases);
        }
    }

    private void Place(TenantDatabasesBuilder tenants)
    {
        var home = _database.ConnectionStringFor(_database.Name);
        switch (Style)
        {
            case FlightStyle.Database:
                tenants.MultiTenantedWithSingleServer(home);
                break;

            case FlightStyle.Schema:
                tenants.MultiTenantedSchemas(home);
                break;

            case FlightStyle.Sharded:
                tenants.MultiTenantedWithShardedDatabases(home, shards =>
                {
                    foreach (var name in ShardNames)
                    {
                        shards.NameDatabase(name, _database.ConnectionStringFor(name));
                    }

                    shards.AssignToSmallest();

                    // Else whoever names a tenant in a request would make it one.
                    shards.RefuseUnknownTenants();
                });
                break;
        }
    }

    /// <summary>What is wrong with the style that the configuration names; null if nothing is.</summary>
    public static string? MistakeIn(IConfiguration configuration)
        => StyleOf(configuration[StyleKey]) is null
            ? $"There is no style '{configuration[StyleKey]}'. Give --style (or {StyleKey}) one of: {string.Join(", ", Enum.GetValues<FlightStyle>().Select(NameOf))}."
            : null;

    public ValueTask DisposeAsync()
        => _databases.IsValueCreated ? _databases.Value.DisposeAsync() : ValueTask.CompletedTask;

    private static FlightStyle? StyleOf(string? name)
        => string.IsNullOrEmpty(name) ? FlightStyle.Conjoined
            : Enum.GetValues<FlightStyle>().Cast<FlightStyle?>().FirstOrDefault(s => NameOf(s!.Value) == name);

    private static string NameOf(FlightStyle style)
        => style.ToString().ToLowerInvariant();
}
