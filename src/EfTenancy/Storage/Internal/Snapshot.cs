namespace EfTenancy.Storage.Internal;

/// <summary>
///     What a database said a moment ago, for those who ask often: read by one at a time, in the background while the last answer may still
///     be used.
/// </summary>
/// <param name="reader">Takes what it needs of a source, under a lock, and gives what asks the database later, when the source may be gone.</param>
/// <param name="freshFor">How old an answer may be before the next one is asked for.</param>
/// <param name="usableFor">How old an answer may be to be given.</param>
public sealed class Snapshot<TSource, T>(Func<TSource, Func<T>> reader, TimeSpan freshFor, TimeSpan usableFor)
    where T : class
{
    private readonly long _freshFor = (long)freshFor.TotalMilliseconds;
    private readonly long _usableFor = (long)usableFor.TotalMilliseconds;
    private readonly Lock _lock = new();
    private Answer? _answer;
    private Task<Answer>? _reading;

    public T Get(TSource source)
        => Usable(source) ?? Read(source).GetAwaiter().GetResult().Value;

    /// <summary>Asks again if the last answer is older than this.</summary>
    public T Get(TSource source, TimeSpan notOlderThan)
        => Volatile.Read(ref _answer) is { } answer && answer.Age < notOlderThan.TotalMilliseconds
            ? answer.Value
            : Read(source).GetAwaiter().GetResult().Value;

    public async ValueTask<T> GetAsync(TSource source, CancellationToken cancellationToken)
        => Usable(source) ?? (await Read(source).WaitAsync(cancellationToken).ConfigureAwait(false)).Value;

    /// <inheritdoc cref="Get(TSource,TimeSpan)" />
    public async ValueTask<T> GetAsync(TSource source, TimeSpan notOlderThan, CancellationToken cancellationToken)
        => Volatile.Read(ref _answer) is { } answer && answer.Age < notOlderThan.TotalMilliseconds
            ? answer.Value
            : (await Read(source).WaitAsync(cancellationToken).ConfigureAwait(false)).Value;

    public void Forget()
    {
        lock (_lock)
        {
            _answer = null;
            // What is being read now may be from before.
            _reading = null;
        }
    }

    private T? Usable(TSource source)
    {
        if (Volatile.Read(ref _answer) is not { } answer || answer.Age is var age && age >= _usableFor)
        {
            return null;
        }

        if (age >= _freshFor)
        {
            _ = Read(source);
        }

        return answer.Value;
    }

    private Task<Answer> Read(TSource source)
    {
        lock (_lock)
        {
            if (_reading is not null)
            {
                return _reading;
            }

            var askedAt = Environment.TickCount64;
            var read = reader(source);
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

    // A coarse clock, in milliseconds: each context that is leased from a pool looks at it.
    private sealed record Answer(T Value, long AskedAt)
    {
        public long Age
            => Environment.TickCount64 - AskedAt;
    }
}
