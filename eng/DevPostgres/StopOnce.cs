using System.Runtime.InteropServices;

namespace DevPostgres;

/// <summary>Runs an action once: at dispose, or when the process ends before that.</summary>
internal sealed class StopOnce : IAsyncDisposable
{
    private readonly Lazy<Task> _stopped;
    private readonly PosixSignalRegistration[] _signals;

    public StopOnce(Func<Task> stop)
    {
        _stopped = new Lazy<Task>(() => Task.Run(stop));
        AppDomain.CurrentDomain.ProcessExit += OnProcessExit;
        // A signal that nobody handles ends the process without ProcessExit.
        _signals =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGINT, OnSignal),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, OnSignal),
        ];
    }

    public async ValueTask DisposeAsync()
    {
        await _stopped.Value;
        AppDomain.CurrentDomain.ProcessExit -= OnProcessExit;
        foreach (var signal in _signals)
        {
            signal.Dispose();
        }
    }

    private void OnProcessExit(object? sender, EventArgs e) => _stopped.Value.Wait();

    private void OnSignal(PosixSignalContext context)
    {
        // A web host cancels the signal to shut down in order; it still needs its database, and ProcessExit follows.
        if (!context.Cancel)
        {
            _stopped.Value.Wait();
        }
    }
}
