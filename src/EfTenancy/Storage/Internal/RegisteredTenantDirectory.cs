using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>Tenants as the registry of the home database lists them, seen at most <see cref="TenancyDefaults.TenantStateSeconds" /> later.</summary>
public sealed class RegisteredTenantDirectory : TenantDirectory
{
    private static readonly TimeSpan UsableFor = TimeSpan.FromSeconds(TenancyDefaults.TenantStateSeconds);

    // A tenant may have been added a moment ago, by another process; but ids that nobody knows must not become queries.
    private static readonly TimeSpan MissingFor = TimeSpan.FromMilliseconds(250);

    private readonly DestinationRegistry _registry;
    private readonly TenantAssignment _assignment;
    private readonly bool _othersShareHome;
    private readonly Snapshot<DestinationRegistry, RegistryContent> _content;
    private readonly Func<TenantDestination, RegistryContent, TenantPlace> _findPlace;
    private readonly Func<RegisteredDestination, RegistryContent, TenantPlace> _findPlaceOfTenant;

    /// <param name="registry">The registry.</param>
    /// <param name="assignment">Where new tenants go.</param>
    /// <param name="othersShareHome">Whether tenants without a row share the tables of the home database.</param>
    public RegisteredTenantDirectory(
        DestinationRegistry registry,
        TenantAssignment assignment,
        bool othersShareHome)
    {
        _registry = registry;
        _assignment = assignment;
        _othersShareHome = othersShareHome;
        _findPlace = (d, c) => new(AddressOf(d.Database, c), d.Schema, IsShared(d, c));
        _findPlaceOfTenant = PlaceOf;
        _content = new(static r => r.Read, UsableFor / 2, UsableFor);
    }

    public DestinationRegistry Registry
        => _registry;

    public TenantAssignment Assignment
        => _assignment;

    public override TenantPlace? Home
        => _assignment.LeavesHomeEmpty ? null : new(_registry.Home, Schema: null, IsShared: true) { IsSharedPart = !_othersShareHome };

    public override string? RegistrySchemaIn(TenantDatabaseAddress database)
        => database == _registry.Home ? _registry.Sql.Schema : null;

    public override TenantPlace Find(string tenantId)
    {
        var content = Content(tenantId);
        return content.FindPlace(tenantId, _findPlaceOfTenant) ?? FindMissing(tenantId);
    }

    public override TenantPlace? Locate(string tenantId)
    {
        var content = Content(tenantId);
        return content.Tenants.TryGetValue(tenantId, out var tenant)
            ? EnabledPlaceOf(tenant, content)
            : LocateMissing(tenantId, Content(tenantId, MissingFor));
    }

    private TenantPlace? LocateMissing(string tenantId, RegistryContent content)
        => content.Tenants.TryGetValue(tenantId, out var tenant) ? EnabledPlaceOf(tenant, content)
            : _othersShareHome ? Home
            : _assignment.OnFirstUse ? null
            : throw new UnknownTenantException(TenancyStrings.TenantHasNoDestination(tenantId), tenantId);

    public override bool HasTenantsElsewhere(TenantPlace place)
        => (_othersShareHome && place.Destination != TenantDestination.Home) || Content(tenantId: null).HasTenantsElsewhere(place.Destination);

    // Apart, so that its closure costs those nothing who are found.
    private TenantPlace FindMissing(string tenantId)
        => Task.Run(async () => await FindMissingAsync(tenantId, CancellationToken.None).ConfigureAwait(false)).GetAwaiter().GetResult();

    public override async ValueTask<TenantPlace> FindAsync(string tenantId, CancellationToken cancellationToken)
    {
        var content = await ContentAsync(tenantId, cancellationToken).ConfigureAwait(false);
        return content.FindPlace(tenantId, _findPlaceOfTenant)
            ?? await FindMissingAsync(tenantId, cancellationToken).ConfigureAwait(false);
    }

    public override async Task<IReadOnlyList<(AssignedTenant, TenantPlace)>> ListAsync(CancellationToken cancellationToken)
    {
        var content = await ReadAsync(cancellationToken).ConfigureAwait(false);
        return
        [
            .. content.Tenants.Values.OrderBy(t => t.TenantId, StringComparer.Ordinal)
                .Select(t => (new AssignedTenant(t.TenantId, t.Destination, t.IsDisabled) { IsBeingMoved = t.HasOther }, PlaceAt(t.Destination, content))),
        ];
    }

    /// <summary>The registry as it is now.</summary>
    public ValueTask<RegistryContent> ReadAsync(CancellationToken cancellationToken)
        => ContentAsync(tenantId: null, cancellationToken, TimeSpan.Zero);

    /// <summary>The registry was changed by this process.</summary>
    public void Changed()
        => _content.Forget();

    public override TenantPlace Refresh(string tenantId, TenantPlace known)
        => Refresh(tenantId, known, Content(tenantId));

    public override async ValueTask<TenantPlace> RefreshAsync(string tenantId, TenantPlace known, CancellationToken cancellationToken)
        => Refresh(tenantId, known, await ContentAsync(tenantId, cancellationToken).ConfigureAwait(false));

    public override string? ReadOnlyTenantAt(TenantPlace place)
        => Content(tenantId: null).ReadOnlyTenantAt(place.Destination);

    public TenantPlace PlaceAt(TenantDestination destination, RegistryContent content)
        => content.PlaceAt(destination, _findPlace);

    /// <summary>Whether tenants may be there at all: the home database need not have tables for them.</summary>
    public bool CanHold(TenantDestination destination)
        => destination != TenantDestination.Home || _othersShareHome;

    /// <summary>Whether a database was made here for this tenant alone.</summary>
    public bool HasMadeDatabase(TenantDestination destination, string tenantId, RegistryContent content)
        => _assignment is TenantAssignment.OwnDatabase
            && destination is { Database: { } database, Schema: null }
            && _assignment.Choose(tenantId, content) == destination
            && content.Databases.FirstOrDefault(d => d.Name == database) is { ConnectionString: null }
            && !_registry.Named.ContainsKey(database);

    /// <summary>Whether this style makes this database for this tenant alone, when it is sent there.</summary>
    public bool MakesDatabase(TenantDestination destination, string tenantId, RegistryContent content)
        => _assignment is TenantAssignment.OwnDatabase && _assignment.Choose(tenantId, content) == destination;

    /// <summary>Forgets what was told of a place that a tenant has left, if it was the last one there: a database of that name may come that has nothing.</summary>
    /// <param name="destination">The place.</param>
    /// <param name="isMade">Whether it is a database that was made for the tenant.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task ForgetAsync(TenantDestination destination, bool isMade, CancellationToken cancellationToken)
    {
        if (destination == TenantDestination.Home)
        {
            return;
        }

        await _registry.WithConnectionAsync(
            async connection =>
            {
                await DestinationRegistry.ExecuteAsync(connection, DestinationRegistrySql.Lock, cancellationToken).ConfigureAwait(false);
                return await DestinationRegistry.ExecuteAsync(
                    connection, _registry.Sql.ForgetPlace, cancellationToken,
                    DestinationRegistry.Text("database_name", destination.Database),
                    DestinationRegistry.Text("schema_name", destination.Schema),
                    new NpgsqlParameter("is_made", isMade)).ConfigureAwait(false);
            },
            inTransaction: true,
            cancellationToken).ConfigureAwait(false);
        Changed();
    }

    /// <summary>Where a tenant is that has no row in the registry.</summary>
    /// <exception cref="UnknownTenantException">Nowhere.</exception>
    public TenantDestination ImplicitDestination(string tenantId)
        => _othersShareHome
            ? TenantDestination.Home
            : throw new UnknownTenantException(TenancyStrings.TenantHasNoDestination(tenantId), tenantId);

    /// <summary>Registers a tenant and makes its database or schema; one that is there already keeps its place.</summary>
    public async Task<TenantPlace> AddAsync(string tenantId, TenantDestination? destination, CancellationToken cancellationToken)
    {
        var place = await RegisterAsync(tenantId, destination, cancellationToken).ConfigureAwait(false);
        await ActivateAsync(tenantId, cancellationToken).ConfigureAwait(false);
        return place;
    }

    /// <summary>The first half of <see cref="AddAsync" />: the tenant is not let in yet.</summary>
    public async Task<TenantPlace> RegisterAsync(string tenantId, TenantDestination? destination, CancellationToken cancellationToken)
    {
        var content = await _registry.AssignAsync(
            tenantId,
            c => destination ?? _assignment.Choose(tenantId, c)
                ?? throw new InvalidOperationException(TenancyStrings.DestinationNotGiven(tenantId)),
            DestinationRegistrySql.Adding,
            cancellationToken).ConfigureAwait(false);
        Changed();

        var tenant = content.Tenants[tenantId];
        if (destination is not null && tenant.Destination != destination)
        {
            throw new InvalidOperationException(TenancyStrings.TenantHasAnotherPlace(tenantId, tenant.Destination, destination));
        }

        if (tenant.State == DestinationRegistrySql.Adding)
        {
            await MakeAsync(tenant.Destination, content, cancellationToken).ConfigureAwait(false);
        }

        return PlaceAt(tenant.Destination, content);
    }

    /// <summary>The second half of <see cref="AddAsync" />.</summary>
    public async Task ActivateAsync(string tenantId, CancellationToken cancellationToken)
    {
        await _registry.ExecuteAsync(
            _registry.Sql.Activate, cancellationToken, DestinationRegistry.Text("tenant_id", tenantId)).ConfigureAwait(false);
        Changed();
    }

    /// <summary>Whether a database was created here, and for one tenant.</summary>
    public bool IsMadeHere(string database)
        => _assignment is TenantAssignment.OwnDatabase
            && !_registry.Named.ContainsKey(database)
            && Content(tenantId: null).Databases.Any(d => d.Name == database && d.ConnectionString is null);

    private async Task<TenantPlace> FindMissingAsync(string tenantId, CancellationToken cancellationToken)
    {
        var content = await ContentAsync(tenantId, cancellationToken, MissingFor).ConfigureAwait(false);
        return content.FindPlace(tenantId, _findPlaceOfTenant) is { } place ? place
            : _othersShareHome && !content.Tenants.ContainsKey(tenantId) ? Home!
            : _assignment.OnFirstUse ? await AddAsync(tenantId, destination: null, cancellationToken).ConfigureAwait(false)
            : throw new UnknownTenantException(
                content.Tenants.TryGetValue(tenantId, out var half)
                    ? TenancyStrings.TenantIsBeingAdded(tenantId, half.Destination)
                    : TenancyStrings.TenantHasNoDestination(tenantId),
                tenantId);
    }

    private RegistryContent Content(string? tenantId, TimeSpan? notOlderThan = null)
    {
        try
        {
            return notOlderThan is { } age ? _content.Get(_registry, age) : _content.Get(_registry);
        }
        catch (Exception exception) when (_registry.FailureOf(exception, tenantId) is { } failure)
        {
            throw failure;
        }
    }

    private async ValueTask<RegistryContent> ContentAsync(string? tenantId, CancellationToken cancellationToken, TimeSpan? notOlderThan = null)
    {
        try
        {
            return notOlderThan is { } age
                ? await _content.GetAsync(_registry, age, cancellationToken).ConfigureAwait(false)
                : await _content.GetAsync(_registry, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (_registry.FailureOf(exception, tenantId) is { } failure)
        {
            throw failure;
        }
    }

    private TenantPlace PlaceOf(RegisteredDestination tenant, RegistryContent content)
        => tenant.IsDisabled
            ? throw new TenantDisabledException(TenancyStrings.TenantDisabled(tenant.TenantId, isBeingRemoved: false), tenant.TenantId)
            : EnabledPlaceOf(tenant, content);

    private TenantPlace EnabledPlaceOf(RegisteredDestination tenant, RegistryContent content)
        => PlaceAt(tenant.Destination, content) is var place && tenant.IsReadOnly ? place with { MovedTenantId = tenant.TenantId } : place;

    private TenantPlace Refresh(string tenantId, TenantPlace known, RegistryContent content)
        => content.TryFind(tenantId, out var tenant) ? EnabledPlaceOf(tenant, content) : known;

    private bool IsShared(TenantDestination destination, RegistryContent content)
        => (destination == TenantDestination.Home && _othersShareHome)
            || (destination.Schema is null && _assignment.IsShared)
            || content.TenantsAt(destination) > 1;

    private TenantDatabaseAddress AddressOf(string? database, RegistryContent content)
        => database is null ? _registry.Home
            : _registry.Named.GetValueOrDefault(database)
                ?? (content.Databases.FirstOrDefault(d => d.Name == database)?.ConnectionString is { } connectionString
                    ? TenantDatabaseAddress.Of(database, connectionString)
                    : OnServerOfHome(database));

    private TenantDatabaseAddress OnServerOfHome(string database)
        => _registry.Home.DataSource is null
            ? TenantDatabaseAddress.Of(
                database, new NpgsqlConnectionStringBuilder(_registry.Home.ConnectionString) { Database = database }.ConnectionString)
            // A data source does not give its password away, so that no other database can be reached with it.
            : throw new InvalidOperationException(TenancyStrings.DatabaseHasNoConnectionString(database));

    /// <summary>Makes a database or schema that this style makes for its tenants.</summary>
    public async Task MakeAsync(TenantDestination destination, RegistryContent content, CancellationToken cancellationToken)
    {
        if (_assignment is TenantAssignment.OwnDatabase { Template: var template }
            && destination.Database is { } database
            && !_registry.Named.ContainsKey(database)
            && content.Databases.First(d => d.Name == database).ConnectionString is null)
        {
            try
            {
                await _registry.ExecuteAsync(DestinationRegistrySql.CreateDatabase(database, template), cancellationToken).ConfigureAwait(false);
            }
            catch (PostgresException exception)
                when (exception.SqlState is PostgresErrorCodes.DuplicateDatabase or PostgresErrorCodes.UniqueViolation)
            {
                // Somebody else made it for the same tenant.
            }
        }
        else if (destination is { Database: null, Schema: { } schema })
        {
            await _registry.ExecuteAsync(DestinationRegistrySql.CreateSchema(schema), cancellationToken).ConfigureAwait(false);
        }
    }
}
