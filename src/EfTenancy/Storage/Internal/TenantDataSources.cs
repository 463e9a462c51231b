using EfTenancy.Diagnostics.Internal;
using EfTenancy.Properties;
using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>
///     The data sources of tenants' databases: made at first use, disposed when more than a limit are there and nobody uses the oldest, all
///     under one ceiling of connections. Those of the caller are used and never disposed.
/// </summary>
public sealed class TenantDataSources(int maxConnections, int maxDataSources, TimeSpan patience) : IAsyncDisposable, IDisposable
{
    // Until a tenant's schema is set there is none: what forgets to set it finds no table rather than another tenant's.
    private const string NoSchema = "pg_catalog";

    private readonly Lock _lock = new();
    private readonly Dictionary<Key, Entry> _entries = [];
    private readonly LinkedList<Entry> _order = [];
    private bool _isDisposed;

    public ConnectionBudget Budget { get; } = new(maxConnections, patience);

    public TimeSpan Patience
        => patience;

    /// <summary>How many data sources are there now.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>A data source that is there until the rental is disposed.</summary>
    /// <param name="address">The database.</param>
    /// <param name="forSchemas">Whether each connection is told its schema when it is opened.</param>
    /// <param name="configuration">What else makes a data source another one: the provider's settings of a context.</param>
    /// <param name="create">Makes the data source of a connection string.</param>
    public Rental Rent(TenantDatabaseAddress address, bool forSchemas, object configuration, Func<string, NpgsqlDataSource> create)
    {
        var key = new Key(address, forSchemas, address.DataSource is null ? configuration : this);

        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(TenantDatabases));

            if (_entries.TryGetValue(key, out var entry))
            {
                _order.Remove(entry.Node);
            }
            else
            {
                entry = new Entry(key, address.DataSource ?? create(ConnectionStringOf(address, forSchemas)));
                if (forSchemas)
                {
                    RefuseSharedSessions(address, entry.DataSource.ConnectionString);
                }

                _entries.Add(key, entry);
            }

            entry.Users++;
            _order.AddLast(entry.Node);
            DisposeOldest();
            return new Rental(entry.DataSource, Budget, entry.Share, () => Return(entry));
        }
    }

    /// <summary>A data source with the settings of its connection string and nothing of a context, one for all who need no more.</summary>
    /// <param name="address">The database.</param>
    public Rental RentPlain(TenantDatabaseAddress address)
        => Rent(address, forSchemas: false, this, NpgsqlDataSource.Create);

    /// <summary>Closes the idle connections to a database that is gone.</summary>
    public void Clear(TenantDatabaseAddress address)
    {
        lock (_lock)
        {
            foreach (var entry in _entries.Values.Where(e => e.Key.Address == address))
            {
                entry.DataSource.Clear();
                Budget.Cleared(entry.Share);
            }
        }
    }

    /// <summary>Refuses a database whose sessions cannot be kept to one tenant's schema, whoever configures the data source further.</summary>
    /// <exception cref="InvalidOperationException">Its connection string multiplexes, or its data source does not reset sessions.</exception>
    public static void RefuseSharedSessions(TenantDatabaseAddress address)
        => RefuseSharedSessions(address, ConnectionStringOf(address, forSchemas: address.DataSource is null));

    /// <summary>A data source for one use, which the rental closes; the caller's, if the address has one.</summary>
    /// <param name="address">The database.</param>
    /// <param name="create">Makes the data source of a connection string.</param>
    public Rental RentForOnce(TenantDatabaseAddress address, Func<string, NpgsqlDataSource> create)
    {
        if (address.DataSource is not null)
        {
            return Rent(address, forSchemas: false, this, create);
        }

        var dataSource = create(address.ConnectionString);
        var share = new ConnectionBudget.Share(dataSource);
        return new Rental(
            dataSource, Budget, share,
            () =>
            {
                dataSource.Dispose();
                Budget.Cleared(share);
            });
    }

    public void Dispose()
    {
        foreach (var entry in TakeAll())
        {
            Dispose(entry);
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var entry in TakeAll().Where(e => e.IsOwned))
        {
            await entry.DataSource.DisposeAsync().ConfigureAwait(false);
        }
    }

    private static string ConnectionStringOf(TenantDatabaseAddress address, bool forSchemas)
        => forSchemas
            ? new NpgsqlConnectionStringBuilder(address.ConnectionString) { SearchPath = NoSchema, NoResetOnClose = false }.ConnectionString
            : address.ConnectionString;

    private static void RefuseSharedSessions(TenantDatabaseAddress address, string connectionString)
    {
        if (TenantSearchPath.SharesSessions(connectionString))
        {
            throw new InvalidOperationException(TenancyStrings.SessionsAreShared(address.ToString()));
        }
    }

    private void Dispose(Entry entry)
    {
        if (entry.IsOwned)
        {
            entry.DataSource.Dispose();
        }

        Budget.Cleared(entry.Share);
    }

    private List<Entry> TakeAll()
    {
        TenancyMeter.Forget(this);
        lock (_lock)
        {
            _isDisposed = true;
            var all = _entries.Values.ToList();
            all.ForEach(Remove);
            return all;
        }
    }

    private void Remove(Entry entry)
    {
        _entries.Remove(entry.Key);
        _order.Remove(entry.Node);
    }

    private void Return(Entry entry)
    {
        lock (_lock)
        {
            entry.Users--;
            DisposeOldest();
        }
    }

    private void DisposeOldest()
    {
        for (var node = _order.First; node is not null && _entries.Count > maxDataSources && !_isDisposed;)
        {
            var next = node.Next;
            if (node.Value.Users == 0)
            {
                Remove(node.Value);
                Dispose(node.Value);
            }

            node = next;
        }
    }

    /// <summary>The right to use a data source.</summary>
    public sealed class Rental(NpgsqlDataSource dataSource, ConnectionBudget budget, ConnectionBudget.Share share, Action giveBack) : IDisposable
    {
        private Action? _giveBack = giveBack;

        public NpgsqlDataSource DataSource
            => dataSource;

        public ConnectionBudget.Lease Enter(string? tenantId = null)
            => budget.Enter(share, tenantId);

        public ValueTask<ConnectionBudget.Lease> EnterAsync(CancellationToken cancellationToken, string? tenantId = null)
            => budget.EnterAsync(share, tenantId, cancellationToken);

        public void Dispose()
            => Interlocked.Exchange(ref _giveBack, null)?.Invoke();
    }

    private readonly record struct Key(TenantDatabaseAddress Address, bool ForSchemas, object Configuration);

    private sealed class Entry
    {
        public Entry(Key key, NpgsqlDataSource dataSource)
        {
            Key = key;
            DataSource = dataSource;
            Share = new ConnectionBudget.Share(dataSource);
            Node = new LinkedListNode<Entry>(this);
        }

        public Key Key { get; }

        public NpgsqlDataSource DataSource { get; }

        public ConnectionBudget.Share Share { get; }

        public LinkedListNode<Entry> Node { get; }

        public int Users { get; set; }

        public bool IsOwned
            => Key.Address.DataSource is null;
    }
}
