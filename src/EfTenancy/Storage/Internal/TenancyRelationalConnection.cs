using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using EfTenancy.Infrastructure.Internal;
using EfTenancy.Properties;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Npgsql.EntityFrameworkCore.PostgreSQL.Storage.Internal;

namespace EfTenancy.Storage.Internal;

/// <summary>
///     The connection of a context, which leads to its tenant's database and schema where tenants have such. It follows the tenant until it
///     is open, and stays where it is as long as it is.
/// </summary>
#pragma warning disable EF1001 // The provider's connection decides what to connect to, and offers no public hook.
public class TenancyRelationalConnection : NpgsqlRelationalConnection, INpgsqlRelationalConnection
{
    // Connections may be handed from one context to another, but only to one of the same place.
    private static readonly ConditionalWeakTable<DbConnection, TenantPlace> Places = [];

    private readonly CurrentPlace? _current;
    private readonly TenantSessionState? _session;
    private readonly TenantDataSourceFactory _factory;
    private readonly RelationalCommandBuilderDependencies _commandDependencies;
    private readonly IDbContextOptions _options;
    private TenancyRelationalCommand? _returnedCommand;
    private TenantPlace? _place;
    private TenantDataSources.Rental? _rental;
    private ConnectionBudget.Lease? _lease;
    private bool _isOpening;
    private bool _isGiven;
    private bool _isResetting;

    public TenancyRelationalConnection(
        RelationalConnectionDependencies dependencies,
        NpgsqlDataSourceManager dataSourceManager,
        IDbContextOptions options,
        CurrentTenant tenant,
        TenantDataSourceFactory factory,
        RelationalCommandBuilderDependencies commandDependencies)
        : base(dependencies, dataSourceManager, options)
    {
        _current = tenant.Place;
        _session = _current is null ? null : new TenantSessionState(_current);
        _factory = factory;
        _commandDependencies = commandDependencies;
        _options = options;
    }

    /// <summary>Whether it follows the places of tenants at all.</summary>
    public virtual bool HasPlaces
        => _current is not null;

    /// <summary>The schema that is the tenant's own; null where it has a database, or shares one.</summary>
    public virtual string? SchemaOfTenant
    {
        get
        {
            Follow();
            return _place?.Schema;
        }
    }

    [AllowNull]
    DbConnection IRelationalConnection.DbConnection
    {
        get
        {
            Follow();

            // An interceptor may have given one that is not the provider's.
            var connection = ((RelationalConnection)this).DbConnection;
            RefuseGiven(connection);
            return connection;
        }
        set => SetDbConnection(value, contextOwnsConnection: false);
    }

    public override string? ConnectionString
    {
        get
        {
            Follow();
            return base.ConnectionString;
        }
        set
        {
            if (_current is not null && value is not null)
            {
                throw new InvalidOperationException(TenancyStrings.ConnectionIsTheTenants(_current!.Owner));
            }

            base.ConnectionString = value;
        }
    }

    public override void SetDbConnection(DbConnection? value, bool contextOwnsConnection)
    {
        TenantPlace? place = null;
        if (_current is not null
            && value is not null
            && (!Places.TryGetValue(value, out place) || !place.IsSameAs(_current!.Find())))
        {
            throw new InvalidOperationException(TenancyStrings.ConnectionIsTheTenants(_current!.Owner));
        }

        base.SetDbConnection(value, contextOwnsConnection);

        // The base disposes what was there, and this with it.
        _place = place ?? _place;
        _isGiven = place is not null;
    }

    /// <summary>What the failure of a command says about the place: it must not be written to, or its server ended the connection; null if nothing.</summary>
    public virtual TenantDatabaseException? MeaningOf(Exception exception)
        => _place is not { } place ? null
            : _session!.IsReadOnly && place.MovedTenantId is { } tenantId
                && exception is PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }
                ? Moving(tenantId, place, exception)
            // A pool does not notice that a connection was ended while it was idle: whoever gets it does.
            : TenantDatabaseFailure.EndedConnection(exception) ? Failed(exception, place, errorsExpected: false)
            : null;

    /// <summary>Whether what opens the connection now is a command that can tell the session its schema by itself.</summary>
    public virtual bool CommandTells { get; set; }

    public override IRelationalCommand RentCommand()
    {
        if (_current is null)
        {
            return base.RentCommand();
        }

        var command = _returnedCommand ?? new TenancyRelationalCommand(_commandDependencies, this);
        _returnedCommand = null;
        return command;
    }

    public override void ReturnCommand(IRelationalCommand command)
    {
        if (command is TenancyRelationalCommand own)
        {
            _returnedCommand ??= own;
        }
        else
        {
            base.ReturnCommand(command);
        }
    }

    /// <summary>Asks where the tenant is, so that nothing waits for the answer afterwards.</summary>
    public virtual async ValueTask FindPlaceAsync(CancellationToken cancellationToken)
    {
        if (_current is not null)
        {
            await _current.FindAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>The command as it is to be executed: it tells the session first, if nobody has.</summary>
    public virtual DbCommand TellWith(NpgsqlCommand command)
        => _session!.IsUntold || !IsOpen ? new SessionTellingCommand(command, _session) : command;

    public override bool Open(bool errorsExpected = false)
    {
        if (_current is not null)
        {
            var isOpen = IsOpen;
            if (!isOpen)
            {
                _current.Refresh();
            }

            Follow();
            if (isOpen && !CommandTells)
            {
                _session!.TellNow((NpgsqlConnection)DbConnection);
            }

            if (isOpen && FindChange(_current.FindNow()) is { } change)
            {
                _session!.Change((NpgsqlConnection)DbConnection, change);
                _place = change;
            }
        }

        return base.Open(errorsExpected);
    }

    public override async Task<bool> OpenAsync(CancellationToken cancellationToken, bool errorsExpected = false)
    {
        await FindPlaceAsync(cancellationToken).ConfigureAwait(false);
        if (_current is not null)
        {
            var isOpen = IsOpen;
            if (!isOpen)
            {
                await _current.RefreshAsync(cancellationToken).ConfigureAwait(false);
            }

            Follow();
            if (isOpen && !CommandTells)
            {
                await _session!.TellNowAsync((NpgsqlConnection)DbConnection, cancellationToken).ConfigureAwait(false);
            }

            if (isOpen && FindChange(await _current.FindNowAsync(cancellationToken).ConfigureAwait(false)) is { } change)
            {
                await _session!.ChangeAsync((NpgsqlConnection)DbConnection, change, cancellationToken).ConfigureAwait(false);
                _place = change;
            }
        }

        return await base.OpenAsync(cancellationToken, errorsExpected).ConfigureAwait(false);
    }

    /// <summary>Runs a statement in the tenant's database, whose schema need not be there.</summary>
    public virtual Task ExecuteOnDatabaseAsync(string sql, CancellationToken cancellationToken)
        => OnDatabaseAsync(c => DestinationRegistry.ExecuteAsync(c, sql, cancellationToken), cancellationToken);

    /// <summary>Whether not every table of the database counts: it has the schemas of others, or the registry.</summary>
    public virtual bool KnowsItsTables
        => SchemaOfTenant is not null || _current?.Databases.Directory.RegistrySchemaIn(_place!.Database) is not null;

    public virtual Task<bool> HasTablesAsync(CancellationToken cancellationToken)
        => OnDatabaseAsync(
            async connection =>
            {
                var command = new NpgsqlCommand(DestinationRegistrySql.HasTables, connection)
                {
                    Parameters =
                    {
                        DestinationRegistry.Text("schema", _place!.Schema),
                        DestinationRegistry.Text("registry", _current!.Databases.Directory.RegistrySchemaIn(_place.Database)),
                    },
                };
                await using var _ = command.ConfigureAwait(false);
                return await command.ExecuteScalarAsync(cancellationToken).ConfigureAwait(false) is true;
            },
            cancellationToken);

    public virtual void RefuseDeletionOfOthers()
    {
        Follow();
        if (_place is { IsShared: true } place)
        {
            throw new InvalidOperationException(TenancyStrings.DatabaseIsShared(_current!.Owner, place.Destination));
        }
    }

    protected override DbConnection CreateDbConnection()
    {
        var connection = base.CreateDbConnection();
        if (_place is { } place)
        {
            Places.Add(connection, place);
            connection.StateChange += SetSessionOfConnectionOpenedByHand;
        }

        return connection;
    }

    protected override void OpenDbConnection(bool errorsExpected)
    {
        if (_place is not { } place || _rental is null)
        {
            base.OpenDbConnection(errorsExpected);
            return;
        }

        RefuseGiven(((RelationalConnection)this).DbConnection);
        try
        {
            _isOpening = true;
            _lease = _rental.Enter(_current!.TenantId);
            base.OpenDbConnection(errorsExpected);
            _lease.Opened();
            _place = Same(_current!.FindNow(), place);
            if (IsLeftToCommand(_place))
            {
                _session!.LeaveUntold(_place);
                return;
            }

            _session!.Begin((NpgsqlConnection)DbConnection, _place);
            if (_current!.GuardsMigrations && !errorsExpected)
            {
                PendingMigrationGuard.Check(Context, _current!.Databases, DbConnection, place, _current!.TenantId);
            }
        }
        catch (Exception exception) when (Failed(exception, place, errorsExpected) is { } failure)
        {
            CloseDbConnection();
            throw failure;
        }
        catch
        {
            CloseDbConnection();
            throw;
        }
        finally
        {
            _isOpening = false;
        }
    }

    protected override async Task OpenDbConnectionAsync(bool errorsExpected, CancellationToken cancellationToken)
    {
        if (_place is not { } place || _rental is null)
        {
            await base.OpenDbConnectionAsync(errorsExpected, cancellationToken).ConfigureAwait(false);
            return;
        }

        RefuseGiven(((RelationalConnection)this).DbConnection);
        try
        {
            _isOpening = true;
            _lease = await _rental.EnterAsync(cancellationToken, _current!.TenantId).ConfigureAwait(false);
            await base.OpenDbConnectionAsync(errorsExpected, cancellationToken).ConfigureAwait(false);
            _lease.Opened();
            _place = Same(await _current!.FindNowAsync(cancellationToken).ConfigureAwait(false), place);
            if (IsLeftToCommand(_place))
            {
                _session!.LeaveUntold(_place);
                return;
            }

            await _session!.BeginAsync((NpgsqlConnection)DbConnection, _place, cancellationToken).ConfigureAwait(false);
            if (_current!.GuardsMigrations && !errorsExpected)
            {
                await PendingMigrationGuard.CheckAsync(Context, _current!.Databases, DbConnection, place, _current!.TenantId, cancellationToken)
                    .ConfigureAwait(false);
            }
        }
        catch (Exception exception) when (Failed(exception, place, errorsExpected) is { } failure)
        {
            await CloseDbConnectionAsync().ConfigureAwait(false);
            throw failure;
        }
        catch
        {
            await CloseDbConnectionAsync().ConfigureAwait(false);
            throw;
        }
        finally
        {
            _isOpening = false;
        }
    }

    protected override void CloseDbConnection()
    {
        base.CloseDbConnection();
        _session?.End();
        LeaveBudget();
    }

    protected override async Task CloseDbConnectionAsync()
    {
        await base.CloseDbConnectionAsync().ConfigureAwait(false);
        _session?.End();
        LeaveBudget();
    }

    // The next lease of a pooled context may be another tenant's, and the data source must not be disposed under a connection.
    protected override void ResetState(bool disposeDbConnection)
    {
        _isResetting = true;
        base.ResetState(disposeDbConnection || _current is not null);
        LeavePlace();
    }

    protected override async ValueTask ResetStateAsync(bool disposeDbConnection)
    {
        _isResetting = true;
        await base.ResetStateAsync(disposeDbConnection || _current is not null).ConfigureAwait(false);
        LeavePlace();
    }

    private void Follow()
    {
        if (_current is null)
        {
            return;
        }

        var place = _current.Find();
        if (ReferenceEquals(place, _place))
        {
            return;
        }

        if (place.IsSameAs(_place))
        {
            // Whether it may be written to is looked at when a connection is opened.
            _place = IsOpen ? _place : place;
            return;
        }

        if (_isGiven || IsOpen)
        {
            throw new InvalidOperationException(TenancyStrings.TenantChangedWhileConnected(_current.Owner, _place!.Destination));
        }

        _current.RefuseUnsafe(place);

        // Without a connection there is nothing to own, so that those which come are the context's.
        SetDbConnection(null, contextOwnsConnection: true);
        LeavePlace();
        _rental = Rent(place);
        DbDataSource = _rental.DataSource;
        _place = place;
    }

    // Nothing tells where it leads, and its session would not be told the tenant's schema.
    private void RefuseGiven(DbConnection connection)
    {
        if (_place is not null && !_isResetting && !Places.TryGetValue(connection, out _))
        {
            throw new InvalidOperationException(TenancyStrings.ConnectionIsTheTenants(_current!.Owner));
        }
    }

    private void LeavePlace()
    {
        LeaveBudget();
        _isResetting = false;
        _rental?.Dispose();
        _rental = null;
        _place = null;
        _isGiven = false;
    }

    private void LeaveBudget()
    {
        _lease?.Leave();
        _lease = null;
    }

    private TenantDataSources.Rental Rent(TenantPlace place)
        => _current!.Databases.Sources.Rent(place.Database, place.NeedsSearchPath, _factory, c => _factory.Create(_options, c));

    private async Task<T> OnDatabaseAsync<T>(Func<NpgsqlConnection, Task<T>> work, CancellationToken cancellationToken)
    {
        Follow();
        var rented = await RentedConnection.OpenAsync(Rent(_place!), cancellationToken).ConfigureAwait(false);
        await using var _ = rented.ConfigureAwait(false);
        return await work(rented.Connection).ConfigureAwait(false);
    }

    private TenantDatabaseException? Failed(Exception exception, TenantPlace place, bool errorsExpected)
        => errorsExpected ? null : TenantDatabaseFailure.Of(exception, _current!.TenantId, place.Destination, _current!.Databases.Sources.Budget.Ceiling);

    private bool IsOpen
        => _place is not null && ((RelationalConnection)this).DbConnection.State != ConnectionState.Closed;

    // Interceptors may use the connection before the command does, and take it for the provider's own.
    private bool IsLeftToCommand(TenantPlace place)
        => CommandTells
            && (!_current!.GuardsMigrations || _current.Databases.IsMigrated(Context.GetType(), place.Destination))
            && Dependencies.ConnectionLogger.Interceptors is var interceptors
            && interceptors?.Aggregate<IDbConnectionInterceptor>() is null
            && interceptors?.Aggregate<IDbCommandInterceptor>() is null;

    // Waiting for a connection takes time, in which a move of the tenant may begin, and end.
    private TenantPlace Same(TenantPlace now, TenantPlace place)
        => now.IsSameAs(place) ? now : throw Moving(_current!.Owner, place);

    private static TenantDatabaseException Moving(string tenantId, TenantPlace place, Exception? exception = null)
        => new(
            TenancyStrings.TenantIsBeingMoved(tenantId, place.Destination), TenantDatabaseError.BeingMoved, tenantId, place.Destination, exception);

    // A connection that is kept open sees nothing of a move otherwise. A transaction is waited for.
    private TenantPlace? FindChange(TenantPlace now)
        => CurrentTransaction is not null || (now.IsReadOnly == _session!.IsReadOnly && now.IsSameAs(_place)) ? null : Same(now, _place!);

    // db.Database.GetDbConnection().Open() comes by no other way.
    private void SetSessionOfConnectionOpenedByHand(object sender, StateChangeEventArgs change)
    {
        if (!_isOpening
            && change is { OriginalState: ConnectionState.Closed, CurrentState: ConnectionState.Open }
            && Places.TryGetValue((DbConnection)sender, out var place))
        {
            _session!.Tell((NpgsqlConnection)sender, place.IsSameAs(_place) ? Same(_current!.FindNow(), place) : place);
        }
    }
}
#pragma warning restore EF1001
