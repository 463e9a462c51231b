using System.Collections.Concurrent;
using EfTenancy.Administration.Internal;
using EfTenancy.Properties;
using EfTenancy.Storage.Internal;

namespace EfTenancy.Storage;

/// <summary>
///     Where tenants are, and the connections to there: the separate style of tenancy. An application has one, from
///     <c>AddTenantDatabases(...)</c> or <see cref="Create" />, and gives it to <c>UseTenancy(t =&gt; t.UseTenantDatabases(...))</c> of its
///     contexts. Disposing it closes the data sources that it made, and none of the caller's.
/// </summary>
/// <remarks>The counterpart of Marten's <c>ITenancy</c>.</remarks>
public sealed class TenantDatabases : IAsyncDisposable, IDisposable
{
    internal TenantDatabases(TenantDirectory directory, TenantDataSources sources, TenantIdStyle tenantIdStyle)
    {
        Directory = directory;
        Sources = sources;
        TenantIdStyle = tenantIdStyle;
    }

    /// <summary>What happens to the case of tenant ids here and in the contexts.</summary>
    public TenantIdStyle TenantIdStyle { get; }

    private readonly ConcurrentDictionary<(Type, TenantDestination), bool> _migrated = [];

    internal TenantDirectory Directory { get; }

    internal TenantDataSources Sources { get; }

    /// <summary>Those of the application's contexts; none without its services.</summary>
    internal Func<IEnumerable<TenantRowFinder>> RowFinders { get; set; } = () => [];

    /// <summary>Builds it.</summary>
    /// <param name="databases">Says where tenants are; one of the builder's <c>MultiTenanted…</c> methods must be called.</param>
    /// <exception cref="InvalidOperationException">Nothing says where tenants are.</exception>
    public static TenantDatabases Create(Action<TenantDatabasesBuilder> databases)
    {
        ArgumentNullException.ThrowIfNull(databases);

        var builder = new TenantDatabasesBuilder();
        databases(builder);
        return builder.Build();
    }

    /// <summary>Where a tenant is.</summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="UnknownTenantException">Nobody knows the tenant.</exception>
    /// <exception cref="TenantDisabledException">The tenant is disabled.</exception>
    public async Task<TenantDestination> FindAsync(string tenantId, CancellationToken cancellationToken = default)
        => (await Directory.FindAsync(Normalize(tenantId), cancellationToken).ConfigureAwait(false)).Destination;

    /// <summary>All tenants that have a place of their own or are registered, disabled ones too, ordered by id, byte by byte.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    public async Task<IReadOnlyList<AssignedTenant>> ListAsync(CancellationToken cancellationToken = default)
        => [.. (await Directory.ListAsync(cancellationToken).ConfigureAwait(false)).Select(t => t.Tenant)];

    /// <summary>
    ///     Registers a tenant and makes its database or schema, as the style has it: a database or a schema of its own, or a shard. A tenant
    ///     that is registered already keeps its place; to send it to another one, there is
    ///     <see cref="Administration.ITenantMover.MoveAsync" />.
    /// </summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="destination">Where it goes; what the style chooses by default.</param>
    /// <param name="cancellationToken">Cancels the call; the same call goes on.</param>
    /// <returns>Where the tenant is.</returns>
    /// <exception cref="ArgumentException">The id is empty, blank, too long, or holds control characters.</exception>
    /// <exception cref="InvalidOperationException">
    ///     There is no registry, the style chooses nothing, or all shards are full; or the tenant is elsewhere already: registered, or with rows
    ///     among those that share the home database, as far as contexts with <c>AddTenantAdministration</c> know tables there.
    /// </exception>
    public async Task<TenantDestination> AddAsync(
        string tenantId,
        TenantDestination? destination = null,
        CancellationToken cancellationToken = default)
    {
        tenantId = Normalize(tenantId);
        if (destination is not null)
        {
            await RefuseToLeaveRowsAsync(tenantId, destination, cancellationToken).ConfigureAwait(false);
        }

        return (await Registered.AddAsync(tenantId, destination, cancellationToken).ConfigureAwait(false)).Destination;
    }

    /// <summary>Registers a database, so that tenants can be sent there, or gives it another connection string.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="connectionString">
    ///     How to reach it, stored as it is; null for a database of that name on the server of the home database, or one that the application
    ///     names in code.
    /// </param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">There is no registry.</exception>
    public async Task AddDatabaseAsync(string name, string? connectionString = null, CancellationToken cancellationToken = default)
    {
        var destination = TenantDestination.InDatabase(name);
        await Registered.Registry.ExecuteAsync(
            Registered.Registry.Sql.UpsertDatabase, cancellationToken,
            DestinationRegistry.Text("name", destination.Database),
            DestinationRegistry.Text("connection_string", connectionString)).ConfigureAwait(false);
        Registered.Changed();
    }

    /// <summary>Sends no more tenants to a shard, or does again. Those that are there stay.</summary>
    /// <param name="name">The database's name.</param>
    /// <param name="isFull">Whether it is full.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="InvalidOperationException">There is no registry, or no such database.</exception>
    public async Task SetFullAsync(string name, bool isFull = true, CancellationToken cancellationToken = default)
    {
        var changed = await Registered.Registry.ExecuteAsync(
            Registered.Registry.Sql.SetFull, cancellationToken,
            DestinationRegistry.Text("name", name), new Npgsql.NpgsqlParameter("is_full", isFull)).ConfigureAwait(false);
        Registered.Changed();
        if (changed == 0)
        {
            throw new InvalidOperationException(TenancyStrings.NoSuchDatabase(name));
        }
    }

    /// <summary>
    ///     Makes contexts refuse a tenant when they are opened, with a <see cref="TenantDisabledException" />: at once in this process, in
    ///     others within <see cref="TenancyDefaults.TenantStateSeconds" />.
    /// </summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="UnknownTenantException">The tenant is not registered.</exception>
    /// <exception cref="InvalidOperationException">There is no registry.</exception>
    public Task DisableAsync(string tenantId, CancellationToken cancellationToken = default)
        => SetDisabledAsync(tenantId, isDisabled: true, cancellationToken);

    /// <summary>Undoes <see cref="DisableAsync" />.</summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="UnknownTenantException">The tenant is not registered.</exception>
    /// <exception cref="InvalidOperationException">There is no registry.</exception>
    public Task EnableAsync(string tenantId, CancellationToken cancellationToken = default)
        => SetDisabledAsync(tenantId, isDisabled: false, cancellationToken);

    /// <summary>Forgets where a tenant is. Its rows, its database and its schema stay.</summary>
    /// <param name="tenantId">The tenant's id.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="UnknownTenantException">The tenant is not registered.</exception>
    /// <exception cref="InvalidOperationException">There is no registry, or the tenant is being moved.</exception>
    public async Task RemoveAsync(string tenantId, CancellationToken cancellationToken = default)
    {
        tenantId = Normalize(tenantId);
        var content = await Registered.ReadAsync(cancellationToken).ConfigureAwait(false);
        var tenant = content.Tenants.GetValueOrDefault(tenantId);
        if (tenant is { HasOther: true })
        {
            throw new InvalidOperationException(TenancyStrings.TenantIsOnItsWay(tenantId, tenant.Destination, tenant.Other));
        }

        await ChangeAsync(
            tenantId, Registered.Registry.Sql.DeleteTenants, cancellationToken,
            DestinationRegistry.Texts("tenant_ids", [tenantId])).ConfigureAwait(false);
        if (tenant is not null)
        {
            await Registered.ForgetAsync(
                tenant.Destination, Registered.HasMadeDatabase(tenant.Destination, tenantId, content), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <inheritdoc />
    public ValueTask DisposeAsync()
        => Sources.DisposeAsync();

    /// <inheritdoc />
    public void Dispose()
        => Sources.Dispose();

    internal RegisteredTenantDirectory Registered
        => Directory as RegisteredTenantDirectory ?? throw new InvalidOperationException(TenancyStrings.NoDestinationRegistry);

    internal bool IsMigrated(Type contextType, TenantDestination destination)
        => _migrated.ContainsKey((contextType, destination));

    internal void SetMigrated(Type contextType, TenantDestination destination)
        => _migrated[(contextType, destination)] = true;

    internal string Normalize(string tenantId)
        => TenantIdRules.Normalize(TenantIdRules.Check(tenantId, nameof(tenantId)), TenantIdStyle);

    // Who has no row in the registry shares the home database, perhaps with rows that nobody would find any more.
    private async Task RefuseToLeaveRowsAsync(string tenantId, TenantDestination destination, CancellationToken cancellationToken)
    {
        if (destination == TenantDestination.Home
            || !Registered.CanHold(TenantDestination.Home)
            || (await Registered.ReadAsync(cancellationToken).ConfigureAwait(false)).Tenants.ContainsKey(tenantId))
        {
            return;
        }

        foreach (var finder in RowFinders())
        {
            if (await finder.FindAtHomeAsync(this, tenantId, cancellationToken).ConfigureAwait(false) is { Count: > 0 } tables)
            {
                throw new InvalidOperationException(TenancyStrings.TenantHasRowsAtHome(tenantId, destination, tables));
            }
        }
    }

    private Task SetDisabledAsync(string tenantId, bool isDisabled, CancellationToken cancellationToken)
    {
        tenantId = Normalize(tenantId);
        return ChangeAsync(
            tenantId, Registered.Registry.Sql.SetDisabled, cancellationToken,
            DestinationRegistry.Texts("tenant_ids", [tenantId]), new Npgsql.NpgsqlParameter("is_disabled", isDisabled));
    }

    private async Task ChangeAsync(string tenantId, string sql, CancellationToken cancellationToken, params Npgsql.NpgsqlParameter[] parameters)
    {
        var changed = await Registered.Registry.ExecuteAsync(sql, cancellationToken, parameters).ConfigureAwait(false);
        Registered.Changed();
        if (changed == 0)
        {
            throw new UnknownTenantException(TenancyStrings.TenantHasNoDestination(tenantId), tenantId);
        }
    }
}
