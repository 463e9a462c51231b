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
                RefuseSharedSessions(address, entry.DataSource, forSchemas);
                _entries.Add(key, entry);
            }

            entry.Users++;
            _order.AddLast(entry.Node);
            DisposeOldest();
            return new Rental(entry.DataSource, Budget, entry.Share, () => Return(entry));
        }
    }

    /// <summary>A database was dropped, and idle connections to it are dead: a later one of the same name must not get them.</summary>
    public void Clear(TenantDatabaseAddress address)
    {
        List<Entry> cleared;
        lock (_lock)
        {
            cleared = [.. _entries.Values.Where(e => e.Key.Address == address)];
        }

        foreach (var entry in cleared)
        {
            entry.DataSource.Clear();
            Budget.Forget(entry.Share);
        }
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

    private static void RefuseSharedSessions(TenantDatabaseAddress address, NpgsqlDataSource dataSource, bool forSchemas)
    {
        if (forSchemas && new NpgsqlConnectionStringBuilder(dataSource.ConnectionString) is { Multiplexing: true } or { NoResetOnClose: true })
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

        Budget.Forget(entry.Share);
    }

    private List<Entry> TakeAll()
    {
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

        public ConnectionBudget.Lease Enter()
            => budget.Enter(share);

        public ValueTask<ConnectionBudget.Lease> EnterAsync(CancellationToken cancellationToken)
            => budget.EnterAsync(share, cancellationToken);

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
