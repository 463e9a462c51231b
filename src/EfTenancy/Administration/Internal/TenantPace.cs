namespace EfTenancy.Administration.Internal;

/// <summary>
///     How many partitions of a table one transaction changes. Once it has its locks, requests wait for them: so as many as took about a
///     tenth of a second the last time, and what takes much longer is undone and tried again with fewer.
/// </summary>
public sealed class TenantPace(int first, int most)
{
    private static readonly TimeSpan Long = TimeSpan.FromMilliseconds(100);

    // A single partition of a table that has thousands may need more.
    private TimeSpan _tooLong = TimeSpan.FromMilliseconds(400);

    public int AtOnce { get; private set; } = Math.Min(first, most);

    /// <summary>Statements about so many partitions, inside a transaction that is tried again.</summary>
    public async Task ExecuteAsync(
        TenantConnection connection,
        IEnumerable<string> statements,
        int partitions,
        CancellationToken cancellationToken)
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        cut.CancelAfter(_tooLong);
        var started = TimeProvider.System.GetTimestamp();
        try
        {
            await connection.ExecuteAsync(statements, cut.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            var message = $"{partitions} partitions at once took longer than {_tooLong.TotalMilliseconds:0} ms";
            _tooLong = partitions == 1 ? _tooLong * 2 : _tooLong;
            AtOnce = Math.Max(partitions / 2, 1);
            throw new TenantLockException(message, exception);
        }

        AtOnce = (int)Math.Clamp(Long / TimeProvider.System.GetElapsedTime(started) * partitions, 1, Math.Min(AtOnce * 2, most));
    }
}
