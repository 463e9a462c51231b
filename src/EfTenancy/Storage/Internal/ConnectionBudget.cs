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
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiters = [];
    private readonly LinkedList<Share> _idle = [];
    private int _physical;

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
            if (_waiters.Count == 0 && TryGrant(share, out var victim))
            {
                return Granted(share, victim);
            }

            waiter = new Waiter(share);
            waiter.Node = _waiters.AddLast(waiter);
        }

        try
        {
            var victim = await waiter.Task.WaitAsync(patience, cancellationToken).ConfigureAwait(false);
            return Granted(share, victim);
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

    /// <summary>The idle connections of a data source were closed, by this or by disposing it.</summary>
    public void Cleared(Share share)
    {
        lock (_lock)
        {
            Clear(share);
            Dispatch();
        }
    }

    private void Leave(Share share, int? generation)
    {
        lock (_lock)
        {
            share.Busy--;
            if (generation != share.Generation)
            {
                // It never was opened, or its pool was cleared since: then it is closed as it comes back.
                share.Physical--;
                _physical--;
            }

            UpdateIdle(share);
            Dispatch();
        }
    }

    private void Dispatch()
    {
        while (_waiters.First is { } first && TryGrant(first.Value.Share, out var victim))
        {
            _waiters.RemoveFirst();
            first.Value.Node = null;
            first.Value.SetResult(victim);
        }
    }

    private bool TryGrant(Share share, out Share? victim)
    {
        victim = null;
        if (share.Physical == share.Busy)
        {
            if (_physical >= ceiling)
            {
                if (_idle.First is not { } oldest)
                {
                    return false;
                }

                victim = oldest.Value;
                Clear(victim);
            }

            share.Physical++;
            _physical++;
        }

        share.Busy++;
        UpdateIdle(share);
        return true;
    }

    private void Clear(Share share)
    {
        _physical -= share.Physical - share.Busy;
        share.Physical = share.Busy;
        share.Generation++;
        UpdateIdle(share);
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

    private Lease Granted(Share share, Share? victim)
    {
        victim?.DataSource.Clear();
        return new Lease(this, share);
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
        Granted(waiter.Share, waiter.Task.Result).Leave();
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

    private sealed class Waiter(Share share) : TaskCompletionSource<Share?>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public Share Share { get; } = share;

        public LinkedListNode<Waiter>? Node { get; set; }
    }
}
