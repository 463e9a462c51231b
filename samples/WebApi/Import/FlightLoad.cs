using System.Threading.Channels;
using Microsoft.EntityFrameworkCore;
using WebApi.Model;

namespace WebApi.Import;

/// <summary>
///     Deals flights out to the places of their tenants, all of which load theirs by one COPY at the same time. They commit when all of them
///     have come to the end, so that an error in the file or in one place leaves nothing behind.
/// </summary>
public sealed class FlightLoad(FlightPlaces places, IReadOnlyList<FlightPlace> targets)
{
    private const int Ahead = 1000;

    private readonly Dictionary<FlightPlace, Channel<Flight>> _channels
        = targets.ToDictionary(t => t, _ => Channel.CreateBounded<Flight>(new BoundedChannelOptions(Ahead) { SingleReader = true, SingleWriter = true }));

    private readonly TaskCompletionSource _copied = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _copying = targets.Count;
    private long _leftOut;

    /// <summary>Flights of airports that are no tenants, which are left out.</summary>
    public long LeftOut
        => _leftOut;

    /// <returns>The number of flights that were loaded.</returns>
    public async Task<long> RunAsync(IAsyncEnumerable<Flight> flights, CancellationToken cancellationToken)
    {
        using var failure = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var copies = targets.Select(t => CopyAsync(t, failure)).ToList();
        await DealAsync(flights, failure.Token);
        try
        {
            return (await Task.WhenAll(copies)).Sum();
        }
        catch
        {
            // The first error; what came after it are copies that were ended for it.
            await _copied.Task;
            throw;
        }
    }

    private async Task DealAsync(IAsyncEnumerable<Flight> flights, CancellationToken cancellationToken)
    {
        var byTenant = targets.SelectMany(t => t.Tenants.Select(id => (id, _channels[t].Writer))).ToDictionary();
        var ofAll = _channels.GetValueOrDefault(FlightPlace.OfAll)?.Writer;
        Exception? error = null;
        try
        {
            await foreach (var flight in flights.WithCancellation(cancellationToken))
            {
                if ((ofAll ?? byTenant.GetValueOrDefault(flight.Origin!)) is { } writer)
                {
                    await writer.WriteAsync(flight, cancellationToken);
                }
                else
                {
                    Interlocked.Increment(ref _leftOut);
                }
            }
        }
#pragma warning disable CA1031 // It goes on to those who read, and from there to the caller.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            error = exception;
        }

        foreach (var channel in _channels.Values)
        {
            channel.Writer.Complete(error);
        }
    }

    private async Task<long> CopyAsync(FlightPlace target, CancellationTokenSource failure)
    {
        var reader = _channels[target].Reader;
        try
        {
            return await places.AtAsync(target, db => CopyAsync(db, reader, failure.Token), failure.Token)
                ?? await LeaveOutAsync(reader, failure.Token);
        }
        catch (Exception exception)
        {
            // Nobody takes flights for this place any more, and who deals them out must not wait for it.
            _copied.TrySetException(exception);
            await failure.CancelAsync();
            throw;
        }
    }

    private async Task<long?> CopyAsync(FlightContext db, ChannelReader<Flight> reader, CancellationToken cancellationToken)
    {
        // PostgreSQL checks the foreign keys of all rows after the last one, and is silent meanwhile.
        db.Database.SetCommandTimeout(TimeSpan.Zero);

        await using var transaction = await db.Database.BeginTransactionAsync(cancellationToken);
        var rows = await db.Tenancy().BulkInsertAsync(
            flight => flight.Origin!, reader.ReadAllAsync(cancellationToken), cancellationToken: cancellationToken);
        await CopiedAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return rows;
    }

    // None of the place's tenants is let in any more, or yet.
    private async Task<long> LeaveOutAsync(ChannelReader<Flight> reader, CancellationToken cancellationToken)
    {
        await foreach (var _ in reader.ReadAllAsync(cancellationToken))
        {
            Interlocked.Increment(ref _leftOut);
        }

        await CopiedAsync(cancellationToken);
        return 0;
    }

    private Task CopiedAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Decrement(ref _copying) == 0)
        {
            _copied.TrySetResult();
        }

        return _copied.Task.WaitAsync(cancellationToken);
    }
}
