using EfTenancy.Storage.Internal;
using Npgsql;

namespace EfTenancy.Storage;

/// <summary>Settings of every style that has a registry of tenants in its home database.</summary>
public abstract class DestinationRegistryBuilder
{
    private readonly Dictionary<string, TenantDatabaseAddress> _databases = [];

    private protected DestinationRegistryBuilder()
    {
    }

    internal string RegistrySchema { get; private set; } = "tenants";

    internal IReadOnlyDictionary<string, TenantDatabaseAddress> Databases
        => _databases;

    /// <summary>The schema of the registry, <c>tenants</c> by default. It is created at the first change.</summary>
    /// <param name="schema">The schema.</param>
    /// <exception cref="ArgumentException">The schema is blank.</exception>
    public void UseRegistrySchema(string schema)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(schema);

        RegistrySchema = schema;
    }

    /// <summary>Names a database in code, so that the registry need not hold its connection string.</summary>
    /// <param name="name">The database's name in the registry.</param>
    /// <param name="connectionString">How to reach it.</param>
    public void NameDatabase(string name, string connectionString)
        => _databases[TenantDestination.InDatabase(name).Database!] = TenantDatabaseAddress.Of(name, connectionString);

    /// <inheritdoc cref="NameDatabase(string, string)" />
    /// <param name="name">The database's name in the registry.</param>
    /// <param name="dataSource">How to reach it. It is not disposed.</param>
    public void NameDatabase(string name, NpgsqlDataSource dataSource)
    {
        ArgumentNullException.ThrowIfNull(dataSource);

        _databases[TenantDestination.InDatabase(name).Database!] = TenantDatabaseAddress.Of(name, dataSource);
    }
}

/// <summary>Settings of <see cref="TenantDatabasesBuilder.MultiTenantedWithSingleServer" />.</summary>
public sealed class SingleServerBuilder : DestinationRegistryBuilder
{
    private string _prefix;
    private string? _template;
    private bool _onFirstUse;

    internal SingleServerBuilder(string prefix)
        => _prefix = prefix;

    internal TenantAssignment Assignment
        => new TenantAssignment.OwnDatabase(_prefix, _template) { OnFirstUse = _onFirstUse };

    /// <summary>What the names of the databases begin with; that of the home database and <c>_</c> by default.</summary>
    /// <param name="prefix">The prefix; may be empty.</param>
    public SingleServerBuilder UsePrefix(string prefix)
    {
        _prefix = prefix;
        return this;
    }

    /// <summary>New databases are copies of this one, which nobody may be connected to; <c>template1</c> by default.</summary>
    /// <param name="database">The template's name.</param>
    public SingleServerBuilder UseTemplate(string database)
    {
        _template = database;
        return this;
    }

    /// <summary>
    ///     A tenant that nobody added gets its database when it is first used, as in Marten. Off by default: whoever may name a tenant could
    ///     create databases.
    /// </summary>
    public SingleServerBuilder CreateDatabasesOnFirstUse()
    {
        _onFirstUse = true;
        return this;
    }
}

/// <summary>Settings of <c>MultiTenantedDatabasesWithMasterDatabaseTable</c>.</summary>
public sealed class MasterDatabaseTableBuilder : DestinationRegistryBuilder
{
    internal MasterDatabaseTableBuilder()
    {
    }

    internal bool IsShared { get; private set; }

    /// <summary>
    ///     Tenants that the table does not know share the tables of the home database, so that only some have a place of their own. The
    ///     entities must be multi-tenanted. Off by default: such a tenant is unknown.
    /// </summary>
    public void OthersShareTheHomeDatabase()
        => IsShared = true;
}

/// <summary>Settings of <c>MultiTenantedSchemas</c>.</summary>
public sealed class TenantSchemasBuilder : DestinationRegistryBuilder
{
    private string _prefix = "tenant_";
    private bool _onFirstUse;

    internal TenantSchemasBuilder()
    {
    }

    internal TenantAssignment Assignment
        => new TenantAssignment.OwnSchema(_prefix) { OnFirstUse = _onFirstUse };

    /// <summary>What the names of the schemas begin with; <c>tenant_</c> by default.</summary>
    /// <param name="prefix">The prefix; may be empty.</param>
    public TenantSchemasBuilder UsePrefix(string prefix)
    {
        _prefix = prefix;
        return this;
    }

    /// <summary>
    ///     A tenant that nobody added gets its schema, empty, when it is first used. Off by default: whoever may name a tenant could create
    ///     schemas.
    /// </summary>
    public TenantSchemasBuilder CreateSchemasOnFirstUse()
    {
        _onFirstUse = true;
        return this;
    }
}

/// <summary>Settings of <see cref="TenantDatabasesBuilder.MultiTenantedWithShardedDatabases" />.</summary>
public sealed class ShardedDatabasesBuilder : DestinationRegistryBuilder
{
    private Func<string, IReadOnlyList<TenantShard>, string>? _strategy;
    private bool _onFirstUse = true;

    internal ShardedDatabasesBuilder()
    {
    }

    internal TenantAssignment Assignment
        => _strategy is null
            ? new TenantAssignment.Explicit(IsSharded: true)
            : new TenantAssignment.Shard(_strategy) { OnFirstUse = _onFirstUse };

    /// <summary>A tenant's database follows from its id, as long as the same databases are open. As Marten's hash assignment.</summary>
    public void AssignByHash()
        => AssignBy(ShardChoice.ByHash);

    /// <summary>A new tenant gets the database with the fewest tenants. As Marten's smallest assignment.</summary>
    public void AssignToSmallest()
        => AssignBy(ShardChoice.Smallest);

    /// <summary>A new tenant's database is chosen by the application.</summary>
    /// <param name="strategy">Gets the tenant's id and the databases that are not full, ordered by name; returns the name of one.</param>
    public void AssignBy(Func<string, IReadOnlyList<TenantShard>, string> strategy)
    {
        ArgumentNullException.ThrowIfNull(strategy);

        _strategy = strategy;
    }

    /// <summary>A tenant has a database when <see cref="TenantDatabases.AddAsync" /> has named it, and is unknown before. The default.</summary>
    public void AssignExplicitly()
        => _strategy = null;

    /// <summary>
    ///     A tenant that nobody added is unknown. Off by default: as in Marten, it gets a database when it is first used, so that whoever may
    ///     name a tenant could fill the registry.
    /// </summary>
    public void RefuseUnknownTenants()
        => _onFirstUse = false;
}
