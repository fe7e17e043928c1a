using System.Runtime.InteropServices;

namespace IndexOperator.Builder;

/// <summary>
/// Cancels on SIGTERM and SIGINT. When the work does not end soon after, because a write hangs in the kernel, a last word
/// is said and the process ends anyway: Kubernetes would kill it without one.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(800);

    private readonly CancellationTokenSource _stop = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly Action _lastWord;
    private Timer? _patience;

    /// <param name="lastWord">Cleans up and reports when the work itself does not get to it.</param>
    public StopSignals(Action lastWord)
    {
        _lastWord = lastWord;
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop));
    }

    public CancellationToken Token => _stop.Token;

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
        _patience?.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        _patience ??= new Timer(_ => EndNow(), null, Grace, Timeout.InfiniteTimeSpan);
        _stop.Cancel();
    }

    private void EndNow()
    {
        _lastWord();
        Environment.Exit(ExitCodes.TryAgain);
    }
}
