using Npgsql;

namespace EfTenancy.Storage.Internal;

/// <summary>
///     One ceiling for the physical connections of many data sources. Where it is reached, idle connections of the data source that was
///     used longest ago are closed for one that has work; where none is idle, work waits its turn.
/// </summary>
/// <remarks>
///     Npgsql tells nobody how many connections a pool has. A pool never has more than were busy at once since it was last cleared, and that
///     is what is counted: never too few.
/// </remarks>
public sealed class ConnectionBudget(int ceiling, TimeSpan patience)
{
    // PostgreSQL ends a session some time after it was told to, and until then the session counts there.
    private static readonly TimeSpan Farewell = TimeSpan.FromMilliseconds(50);

    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiters = [];
    private readonly LinkedList<Share> _idle = [];
    private int _physical;
    private int _leaving;

    public int Ceiling
        => ceiling;

    /// <summary>At most this many connections are there now.</summary>
    public int Physical
    {
        get
        {
            lock (_lock)
            {
                return _physical;
            }
        }
    }

    /// <exception cref="TimeoutException">No connection became free in time.</exception>
    public async ValueTask<Lease> EnterAsync(Share share, CancellationToken cancellationToken)
    {
        Waiter waiter;
        lock (_lock)
        {
            if (_waiters.Count == 0 && TryGrant(share))
            {
                return new Lease(this, share);
            }

            waiter = new Waiter(share);
            waiter.Node = _waiters.AddLast(waiter);
        }

        MakeRoom();
        try
        {
            await waiter.Task.WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            return new Lease(this, share);
        }
        catch
        {
            GiveUp(waiter);
            throw;
        }
    }

    /// <inheritdoc cref="EnterAsync" />
    public Lease Enter(Share share)
    {
        var entering = EnterAsync(share, CancellationToken.None);
        return entering.IsCompletedSuccessfully ? entering.Result : entering.AsTask().GetAwaiter().GetResult();
    }

    /// <summary>The data source is disposed, and its idle connections with it.</summary>
    public void Forget(Share share)
    {
        int closed;
        lock (_lock)
        {
            closed = Clear(share);
        }

        SayFarewell(closed);
    }

    private void Leave(Share share, int? generation)
    {
        var closed = 0;
        lock (_lock)
        {
            share.Busy--;
            if (generation is null)
            {
                // It never was opened.
                share.Physical--;
                _physical--;
            }
            else if (generation != share.Generation)
            {
                // Its pool was cleared since: it is closed as it comes back.
                share.Physical--;
                closed = 1;
                _leaving++;
            }

            UpdateIdle(share);
            Dispatch();
        }

        SayFarewell(closed);
        MakeRoom();
    }

    private void Dispatch()
    {
        while (_waiters.First is { } first && TryGrant(first.Value.Share))
        {
            _waiters.RemoveFirst();
            first.Value.Node = null;
            first.Value.SetResult();
        }
    }

    private bool TryGrant(Share share)
    {
        if (share.Physical == share.Busy)
        {
            if (_physical >= ceiling)
            {
                return false;
            }

            share.Physical++;
            _physical++;
        }

        share.Busy++;
        UpdateIdle(share);
        return true;
    }

    /// <summary>Closes idle connections, the oldest first, for as many as wait and have none coming.</summary>
    private void MakeRoom()
    {
        List<Share> cleared = [];
        var closed = 0;
        lock (_lock)
        {
            while (_waiters.Count > _leaving && _idle.First is { } oldest)
            {
                cleared.Add(oldest.Value);
                closed += Clear(oldest.Value);
            }
        }

        cleared.ForEach(s => s.DataSource.Clear());
        SayFarewell(closed);
    }

    private int Clear(Share share)
    {
        var closed = share.Physical - share.Busy;
        share.Physical = share.Busy;
        share.Generation++;
        _leaving += closed;
        UpdateIdle(share);
        return closed;
    }

    private void SayFarewell(int closed)
    {
        if (closed > 0)
        {
            _ = WaitAsync();
        }

        async Task WaitAsync()
        {
            await Task.Delay(Farewell).ConfigureAwait(false);
            lock (_lock)
            {
                _physical -= closed;
                _leaving -= closed;
                Dispatch();
            }
        }
    }

    private void UpdateIdle(Share share)
    {
        if (share.Node is not null)
        {
            _idle.Remove(share.Node);
            share.Node = null;
        }

        if (share.Physical > share.Busy)
        {
            share.Node = _idle.AddLast(share);
        }
    }

    private void GiveUp(Waiter waiter)
    {
        lock (_lock)
        {
            if (waiter.Node is not null)
            {
                _waiters.Remove(waiter.Node);
                return;
            }
        }

        // It was granted meanwhile.
        new Lease(this, waiter.Share).Leave();
    }

    private int GenerationOf(Share share)
    {
        lock (_lock)
        {
            return share.Generation;
        }
    }

    /// <summary>What one data source has of the budget.</summary>
    public sealed class Share(NpgsqlDataSource dataSource)
    {
        internal NpgsqlDataSource DataSource { get; } = dataSource;

        internal int Busy { get; set; }

        internal int Physical { get; set; }

        internal int Generation { get; set; }

        internal LinkedListNode<Share>? Node { get; set; }
    }

    /// <summary>The right to one open connection.</summary>
    public sealed class Lease(ConnectionBudget budget, Share share)
    {
        private int? _generation;
        private int _isLeft;

        /// <summary>To be called when the connection is open: a pool that is cleared later will close it.</summary>
        public void Opened()
            => _generation = budget.GenerationOf(share);

        public void Leave()
        {
            if (Interlocked.Exchange(ref _isLeft, 1) == 0)
            {
                budget.Leave(share, _generation);
            }
        }
    }

    private sealed class Waiter(Share share) : TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Share Share { get; } = share;

        public LinkedListNode<Waiter>? Node { get; set; }
    }
}
