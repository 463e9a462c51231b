using EfTenancy.Storage;
using EfTenancy.Storage.Internal;

namespace EfTenancy.HealthChecks.Internal;

/// <summary>Which databases are asked next, and what each answered last.</summary>
public sealed class ProbeRotation(int count)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<TenantDatabaseAddress, State> _states = [];
    private long _clock;

    /// <summary>Those that were not asked for longest, behind some of those that failed. Others than these are forgotten.</summary>
    public IReadOnlyList<TenantDatabaseAddress> Next(IReadOnlyList<TenantDatabaseAddress> all)
    {
        lock (_lock)
        {
            foreach (var gone in _states.Keys.Except(all).ToList())
            {
                _states.Remove(gone);
            }

            var ordered = all.OrderBy(a => _states.GetValueOrDefault(a)?.AskedAt ?? 0).ToList();
            var failed = ordered.Where(a => _states.GetValueOrDefault(a)?.Failure is not null).Take((count + 1) / 2).ToList();
            return [.. failed, .. ordered.Except(failed).Take(count - failed.Count)];
        }
    }

    public void Answered(TenantDatabaseAddress address, TenantDatabaseException? failure)
    {
        lock (_lock)
        {
            _states[address] = new State(++_clock, failure);
        }
    }

    public (int Count, IReadOnlyList<TenantDatabaseException> Failures) Known()
    {
        lock (_lock)
        {
            return (
                _states.Count,
                [
                    .. _states.OrderBy(s => s.Key.ToString(), StringComparer.Ordinal).Select(s => s.Value.Failure).OfType<TenantDatabaseException>(),
                ]);
        }
    }

    private sealed record State(long AskedAt, TenantDatabaseException? Failure);
}
