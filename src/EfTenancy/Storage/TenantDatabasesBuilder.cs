using EfTenancy.Diagnostics.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Storage;

/// <summary>Says where tenants are. The names are Marten's where Marten has the thing.</summary>
public sealed class TenantDatabasesBuilder
{
    private Func<TenantDataSources, TenantDirectory>? _directory;
    private TenantIdStyle _tenantIdStyle;
    private int _maxConnections = 100;
    private int _maxDataSources = 200;
    private TimeSpan _connectionWait = TimeSpan.FromSeconds(15);

    internal TenantDatabasesBuilder()
    {
    }

    /// <summary>A list in code: which database has which tenants. As Marten's <c>MultiTenantedDatabases</c>.</summary>
    /// <param name="databases">Lists them.</param>
    public TenantDatabasesBuilder MultiTenantedDatabases(Action<TenantDatabaseListBuilder> databases)
    {
        ArgumentNullException.ThrowIfNull(databases);

        var list = new TenantDatabaseListBuilder();
        databases(list);
        return Choose(_ => new StaticTenantDirectory(list.Places(Normalize)));
    }

    /// <summary>
    ///     A database for each tenant on one server, made when the tenant is added, or when it is first used. As Marten's
    ///     <c>MultiTenantedWithSingleServer</c>, with a registry of the tenants.
    /// </summary>
    /// <param name="connectionString">The home database, which has the registry; its user must be allowed to create databases.</param>
    /// <param name="server">Settings; none by default.</param>
    public TenantDatabasesBuilder MultiTenantedWithSingleServer(string connectionString, Action<SingleServerBuilder>? server = null)
    {
        var home = TenantDatabaseAddress.Of(null, connectionString);
        var builder = new SingleServerBuilder(new NpgsqlConnectionStringBuilder(connectionString).Database + "_");
        server?.Invoke(builder);
        return Choose(sources => Registered(home, builder, builder.Assignment, sources));
    }

    /// <summary>
    ///     Tenants of a table that is looked into at run time: they come, pause and go without a restart. Each may have a database, a schema,
    ///     or the shared tables of the home database. As Marten's <c>MultiTenantedDatabasesWithMasterDatabaseTable</c>.
    /// </summary>
    /// <param name="connectionString">The home database, which has the table.</param>
    /// <param name="table">Settings; none by default.</param>
    public TenantDatabasesBuilder MultiTenantedDatabasesWithMasterDatabaseTable(
        string connectionString,
        Action<MasterDatabaseTableBuilder>? table = null)
        => MultiTenantedDatabasesWithMasterDatabaseTable(TenantDatabaseAddress.Of(null, connectionString), table);

    /// <inheritdoc cref="MultiTenantedDatabasesWithMasterDatabaseTable(string, Action{MasterDatabaseTableBuilder}?)" />
    /// <param name="dataSource">The home database, which has the table. It is not disposed.</param>
    /// <param name="table">Settings; none by default.</param>
    public TenantDatabasesBuilder MultiTenantedDatabasesWithMasterDatabaseTable(
        NpgsqlDataSource dataSource,
        Action<MasterDatabaseTableBuilder>? table = null)
        => MultiTenantedDatabasesWithMasterDatabaseTable(TenantDatabaseAddress.Of(null, dataSource), table);

    private TenantDatabasesBuilder MultiTenantedDatabasesWithMasterDatabaseTable(
        TenantDatabaseAddress home,
        Action<MasterDatabaseTableBuilder>? table)
    {
        var builder = new MasterDatabaseTableBuilder();
        table?.Invoke(builder);
        return Choose(
            sources => Registered(
                home, builder,
                builder.IsShared ? new TenantAssignment.SharedHome() : new TenantAssignment.Explicit(IsSharded: false),
                sources, builder.IsShared));
    }

    /// <summary>
    ///     A schema for each tenant in one database. Tables without a schema are in the tenant's; those that the model puts into a schema are
    ///     shared. Marten has no such style.
    /// </summary>
    /// <param name="connectionString">The database, which has the registry of tenants too.</param>
    /// <param name="schemas">Settings; none by default.</param>
    public TenantDatabasesBuilder MultiTenantedSchemas(string connectionString, Action<TenantSchemasBuilder>? schemas = null)
        => MultiTenantedSchemas(TenantDatabaseAddress.Of(null, connectionString), schemas);

    /// <inheritdoc cref="MultiTenantedSchemas(string, Action{TenantSchemasBuilder}?)" />
    /// <param name="dataSource">The database. The data source is not disposed.</param>
    /// <param name="schemas">Settings; none by default.</param>
    public TenantDatabasesBuilder MultiTenantedSchemas(NpgsqlDataSource dataSource, Action<TenantSchemasBuilder>? schemas = null)
        => MultiTenantedSchemas(TenantDatabaseAddress.Of(null, dataSource), schemas);

    private TenantDatabasesBuilder MultiTenantedSchemas(TenantDatabaseAddress home, Action<TenantSchemasBuilder>? schemas)
    {
        TenantDataSources.RefuseSharedSessions(home);

        var builder = new TenantSchemasBuilder();
        schemas?.Invoke(builder);
        return Choose(sources => Registered(home, builder, builder.Assignment, sources));
    }

    /// <summary>
    ///     A pool of databases, each with many tenants in the same tables. A tenant gets one when it is added or first used, and keeps it. As
    ///     Marten's <c>MultiTenantedWithShardedDatabases</c>.
    /// </summary>
    /// <param name="connectionString">The home database, which has the registry, and no rows of tenants unless it is a shard too.</param>
    /// <param name="shards">The databases, and how one is chosen.</param>
    public TenantDatabasesBuilder MultiTenantedWithShardedDatabases(string connectionString, Action<ShardedDatabasesBuilder> shards)
    {
        ArgumentNullException.ThrowIfNull(shards);

        var builder = new ShardedDatabasesBuilder();
        shards(builder);
        return Choose(
            sources => Registered(TenantDatabaseAddress.Of(null, connectionString), builder, builder.Assignment, sources));
    }

    /// <summary>What happens to the case of tenant ids; that of the contexts must be the same. <see cref="TenantIdStyle.CaseSensitive" /> by default.</summary>
    /// <param name="style">The style.</param>
    public TenantDatabasesBuilder UseTenantIdStyle(TenantIdStyle style)
    {
        _tenantIdStyle = style;
        return this;
    }

    /// <summary>The most connections to all databases together; 100 by default. Idle ones of one database are closed for another.</summary>
    /// <param name="count">The number, from 1 on.</param>
    /// <param name="wait">How long to wait for a connection when all are busy; 15 seconds by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number or the time is not positive.</exception>
    public TenantDatabasesBuilder MaxConnections(int count, TimeSpan? wait = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(wait ?? _connectionWait, TimeSpan.Zero, nameof(wait));

        _maxConnections = count;
        _connectionWait = wait ?? _connectionWait;
        return this;
    }

    /// <summary>The most data sources that are kept; 200 by default. Beyond, those that nobody uses are disposed, the oldest first.</summary>
    /// <param name="count">The number, from 1 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number is not positive.</exception>
    public TenantDatabasesBuilder MaxDataSources(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);

        _maxDataSources = count;
        return this;
    }

    internal TenantDatabases Build()
    {
        var sources = new TenantDataSources(_maxConnections, _maxDataSources, _connectionWait);
        var databases = new TenantDatabases(
            (_directory ?? throw new InvalidOperationException(TenancyStrings.NoTenantDatabases))(sources), sources, _tenantIdStyle);
        TenancyMeter.Watch(sources);
        return databases;
    }

    private string Normalize(string tenantId)
        => TenantIdRules.Normalize(TenantIdRules.Check(tenantId, nameof(tenantId)), _tenantIdStyle);

    private static RegisteredTenantDirectory Registered(
        TenantDatabaseAddress home,
        DestinationRegistryBuilder builder,
        TenantAssignment assignment,
        TenantDataSources sources,
        bool othersShareHome = false)
        => new(new DestinationRegistry(home, builder.RegistrySchema, builder.Databases, sources), assignment, othersShareHome);

    private TenantDatabasesBuilder Choose(Func<TenantDataSources, TenantDirectory> directory)
    {
        if (_directory is not null)
        {
            throw new InvalidOperationException(TenancyStrings.TenantDatabasesChosenTwice);
        }

        _directory = directory;
        return this;
    }
}
