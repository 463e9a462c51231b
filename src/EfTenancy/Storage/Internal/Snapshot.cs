namespace EfTenancy.Storage.Internal;

/// <summary>
///     What a database said a moment ago, for those who ask often: read by one at a time, in the background while the last answer may still
///     be used.
/// </summary>
/// <param name="read">Asks the database.</param>
/// <param name="freshFor">How old an answer may be before the next one is asked for.</param>
/// <param name="usableFor">How old an answer may be to be given.</param>
public sealed class Snapshot<T>(Func<T> read, TimeSpan freshFor, TimeSpan usableFor)
    where T : class
{
    private readonly Lock _lock = new();
    private Answer? _answer;
    private Task<Answer>? _reading;

    public T Get()
    {
        if (Usable() is { } usable)
        {
            return usable;
        }

        return Read().GetAwaiter().GetResult().Value;
    }

    /// <summary>Asks again if the last answer is older than this.</summary>
    public T Get(TimeSpan notOlderThan)
        => Volatile.Read(ref _answer) is { } answer && answer.Age <= notOlderThan
            ? answer.Value
            : Read().GetAwaiter().GetResult().Value;

    public async ValueTask<T> GetAsync(CancellationToken cancellationToken)
        => Usable() ?? (await Read().WaitAsync(cancellationToken).ConfigureAwait(false)).Value;

    /// <inheritdoc cref="Get(TimeSpan)" />
    public async ValueTask<T> GetAsync(TimeSpan notOlderThan, CancellationToken cancellationToken)
        => Volatile.Read(ref _answer) is { } answer && answer.Age <= notOlderThan
            ? answer.Value
            : (await Read().WaitAsync(cancellationToken).ConfigureAwait(false)).Value;

    public void Forget()
    {
        lock (_lock)
        {
            _answer = null;
            // What is being read now may be from before.
            _reading = null;
        }
    }

    private T? Usable()
    {
        // One look at the clock, which is a good part of what leasing a pooled context costs.
        if (Volatile.Read(ref _answer) is not { } answer || answer.Age is var age && age >= usableFor)
        {
            return null;
        }

        if (age >= freshFor)
        {
            _ = Read();
        }

        return answer.Value;
    }

    private Task<Answer> Read()
    {
        lock (_lock)
        {
            if (_reading is not null)
            {
                return _reading;
            }

            var askedAt = TimeProvider.System.GetTimestamp();
            var reading = Task.Run(() => new Answer(read(), askedAt));
            _reading = reading;
            _ = reading.ContinueWith(Keep, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
            return reading;
        }
    }

    private void Keep(Task<Answer> reading)
    {
        lock (_lock)
        {
            if (ReferenceEquals(_reading, reading))
            {
                _reading = null;

                // An error goes to those who wait for the answer; the next to ask asks again.
                if (reading.Exception is null)
                {
                    _answer = reading.Result;
                }
            }
        }
    }

    private sealed record Answer(T Value, long AskedAt)
    {
        public TimeSpan Age
            => TimeProvider.System.GetElapsedTime(AskedAt);
    }
}
